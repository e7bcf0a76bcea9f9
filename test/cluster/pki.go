package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Pki writes what a control plane and a registry on loopback need to trust
// each other. NAME.crt and NAME.key are a certificate and its key in PEM,
// sa.key and sa.pub sign and check service account tokens.
//
//	ca               apiserver, admin, kube-controller-manager, kube-scheduler
//	front-proxy-ca   front-proxy
//	registry-ca      registry
//
// Beside them lie kubeconfig (the administrator's) and NAME.kubeconfig.
func pki(arguments []string) error {
	if len(arguments) != 2 {
		return errors.New("usage: pki DIR SERVER-URL")
	}
	directory, server := arguments[0], arguments[1]
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	p := &publicKeys{directory: directory}
	cluster := p.authority("ca")
	p.serving("apiserver", cluster, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1")
	admin := p.client("admin", cluster, "system:masters")
	controllerManager := p.client("kube-controller-manager", cluster)
	scheduler := p.client("kube-scheduler", cluster)
	p.client("front-proxy", p.authority("front-proxy-ca"))
	p.serving("registry", p.authority("registry-ca"), "localhost", "127.0.0.1")
	p.tokenKeys("sa")
	p.kubeconfig("kubeconfig", server, cluster, admin)
	p.kubeconfig("kube-controller-manager.kubeconfig", server, cluster, controllerManager)
	p.kubeconfig("kube-scheduler.kubeconfig", server, cluster, scheduler)
	return p.failed
}

// PublicKeys remembers the first failure; after it nothing is written.
type publicKeys struct {
	directory string
	failed    error
}

type identity struct {
	certificate *x509.Certificate
	pem         []byte
	key         *ecdsa.PrivateKey
	keyPem      []byte
}

func (p *publicKeys) authority(name string) identity {
	return p.identity(name, nil, x509.Certificate{
		Subject:               pkix.Name{CommonName: "testworld " + name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	})
}

func (p *publicKeys) serving(name string, by identity, hosts ...string) identity {
	leaf := x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, address)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	return p.identity(name, &by, leaf)
}

// Components are known to Kubernetes as system:NAME.
func (p *publicKeys) client(name string, by identity, groups ...string) identity {
	user := name
	if strings.HasPrefix(name, "kube-") {
		user = "system:" + name
	}
	return p.identity(name, &by, x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (p *publicKeys) identity(name string, by *identity, template x509.Certificate) identity {
	key := p.key()
	if p.failed != nil {
		return identity{}
	}
	issuer, signer := &template, key
	if by != nil {
		issuer, signer = by.certificate, by.key
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	p.keep(err)
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0)
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer, key.Public(), signer)
	if p.keep(err) {
		return identity{}
	}
	certificate, err := x509.ParseCertificate(der)
	p.keep(err)
	made := identity{certificate: certificate, key: key, pem: encode("CERTIFICATE", der), keyPem: p.private(key)}
	p.write(name+".crt", made.pem)
	p.write(name+".key", made.keyPem)
	return made
}

func (p *publicKeys) tokenKeys(name string) {
	key := p.key()
	if p.failed != nil {
		return
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	p.keep(err)
	p.write(name+".key", p.private(key))
	p.write(name+".pub", encode("PUBLIC KEY", public))
}

func (p *publicKeys) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.keep(err)
	return key
}

func (p *publicKeys) private(key crypto.Signer) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	p.keep(err)
	return encode("PRIVATE KEY", der)
}

func (p *publicKeys) write(name string, content []byte) {
	if p.failed == nil {
		p.keep(os.WriteFile(filepath.Join(p.directory, name), content, 0o600))
	}
}

func (p *publicKeys) keep(err error) bool {
	if p.failed == nil {
		p.failed = err
	}
	return err != nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
