package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

type registryOptions struct {
	listen         string
	directory      string
	memory         bool
	auth           string
	user, password string
	tlsCert        string
	tlsKey         string
}

// Registry serves the OCI distribution API on a loopback address. What is
// pushed lies in DIR/content, or in memory; DIR also holds what the access
// controllers read.
func registry(arguments []string) error {
	options, err := parseRegistryOptions(arguments)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(options.directory, 0o755); err != nil {
		return err
	}
	logrus.SetLevel(logrus.WarnLevel)
	config := &configuration.Configuration{
		Storage: configuration.Storage{"delete": {"enabled": true}},
		Log:     configuration.Log{AccessLog: configuration.AccessLog{Disabled: true}},
	}
	if options.memory {
		config.Storage["inmemory"] = configuration.Parameters{}
	} else {
		config.Storage["filesystem"] = configuration.Parameters{"rootdirectory": filepath.Join(options.directory, "content")}
	}
	mux := http.NewServeMux()
	if config.Auth, err = options.access(mux); err != nil {
		return err
	}
	mux.Handle("/", handlers.NewApp(context.Background(), config))
	return options.serve(mux)
}

func parseRegistryOptions(arguments []string) (registryOptions, error) {
	var o registryOptions
	flags := flag.NewFlagSet("registry", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "", "`ADDRESS:PORT`, loopback")
	flags.StringVar(&o.directory, "dir", "", "`DIR` for content and access")
	flags.BoolVar(&o.memory, "memory", false, "keep the content in memory")
	flags.StringVar(&o.auth, "auth", "none", "none, basic or bearer")
	flags.StringVar(&o.user, "user", "", "the one user's name")
	flags.StringVar(&o.password, "password", "", "and password")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "serve TLS with this certificate")
	flags.StringVar(&o.tlsKey, "tls-key", "", "and this key")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if o.directory == "" {
		return o, errors.New("--dir is needed")
	}
	host, _, err := net.SplitHostPort(o.listen)
	if address := net.ParseIP(host); err != nil || address == nil || !address.IsLoopback() {
		return o, fmt.Errorf("--listen %q is no loopback address and port", o.listen)
	}
	return o, nil
}

// Access sets up who may do what; for bearer tokens it adds their issuer.
func (o registryOptions) access(mux *http.ServeMux) (configuration.Auth, error) {
	switch o.auth {
	case "none":
		return nil, nil
	case "basic":
		path := filepath.Join(o.directory, "htpasswd")
		hash, err := bcrypt.GenerateFromPassword([]byte(o.password), bcrypt.MinCost)
		if err != nil {
			return nil, err
		}
		line := fmt.Sprintf("%s:%s\n", o.user, hash)
		return configuration.Auth{"htpasswd": {"realm": "testworld", "path": path}}, os.WriteFile(path, []byte(line), 0o600)
	case "bearer":
		issuer, err := newTokenIssuer(o.user, o.password)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(o.directory, "jwks.json")
		if err := issuer.writeKeys(path); err != nil {
			return nil, err
		}
		mux.Handle("GET /token", issuer)
		mux.Handle("POST /token", issuer)
		return configuration.Auth{"token": {
			"realm":   o.url() + "/token",
			"issuer":  tokenIssuerName,
			"service": tokenService,
			"jwks":    path,
		}}, nil
	}
	return nil, fmt.Errorf("--auth %q is none of none, basic and bearer", o.auth)
}

func (o registryOptions) url() string {
	if o.tlsCert != "" {
		return "https://" + o.listen
	}
	return "http://" + o.listen
}

func (o registryOptions) serve(handler http.Handler) error {
	server := &http.Server{Addr: o.listen, Handler: handler}
	if o.tlsCert == "" {
		return server.ListenAndServe()
	}
	server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return server.ListenAndServeTLS(o.tlsCert, o.tlsKey)
}
