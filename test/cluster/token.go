package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	tokenIssuerName = "testworld"
	tokenService    = "testworld registry"
	tokenKeyName    = "testworld"
	tokenLifetime   = 5 * time.Minute
)

var repositoryActions = []string{"delete", "pull", "push"}

// A tokenIssuer is the authorization service that a registry's bearer
// challenge points to. It knows one user, who may do everything with every
// repository, and grants of that what the scopes ask for.
type tokenIssuer struct {
	user, password string
	key            *ecdsa.PrivateKey
	signer         jose.Signer
}

func newTokenIssuer(user, password string) (*tokenIssuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	header := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", tokenKeyName)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, header)
	return &tokenIssuer{user, password, key, signer}, err
}

// WriteKeys leaves the public half where the registry looks for it.
func (i *tokenIssuer) writeKeys(path string) error {
	public := jose.JSONWebKey{Key: i.key.Public(), KeyID: tokenKeyName, Algorithm: string(jose.ES256), Use: "sig"}
	content, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// Name and password come in a Basic header (GET) or in a form (POST, the OAuth2
// way of the same exchange).
func (i *tokenIssuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	user, password, present := r.BasicAuth()
	if !present {
		user, password = r.PostForm.Get("username"), r.PostForm.Get("password")
	}
	if !same(user, i.user) || !same(password, i.password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="testworld"`)
		http.Error(w, "unknown user or wrong password", http.StatusUnauthorized)
		return
	}
	if service := r.Form.Get("service"); service != tokenService {
		http.Error(w, fmt.Sprintf("no service %q here", service), http.StatusBadRequest)
		return
	}
	granted, err := grant(r.Form["scope"])
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	signed, err := i.sign(user, granted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token":        signed,
		"access_token": signed,
		"expires_in":   int(tokenLifetime.Seconds()),
		"issued_at":    time.Now().UTC().Format(time.RFC3339),
	})
}

func (i *tokenIssuer) sign(user string, granted []*token.ResourceActions) (string, error) {
	now := time.Now()
	return jwt.Signed(i.signer).Claims(token.ClaimSet{
		Issuer:     tokenIssuerName,
		Subject:    user,
		Audience:   token.AudienceList{tokenService},
		IssuedAt:   now.Unix(),
		NotBefore:  now.Unix(),
		Expiration: now.Add(tokenLifetime).Unix(),
		JWTID:      rand.Text(),
		Access:     granted,
	}).Serialize()
}

// Grant reads scopes of the form TYPE:NAME:ACTION,... where the name may hold
// colons; several may stand in one parameter. Of what it does not know, it
// grants nothing, and the registry answers.
func grant(parameters []string) ([]*token.ResourceActions, error) {
	granted := []*token.ResourceActions{}
	for scope := range strings.FieldsSeq(strings.Join(parameters, " ")) {
		kind, rest, found := strings.Cut(scope, ":")
		last := strings.LastIndexByte(rest, ':')
		if !found || last < 1 {
			return nil, fmt.Errorf("the scope %q is not TYPE:NAME:ACTIONS", scope)
		}
		if kind != "repository" {
			continue
		}
		asked := strings.Split(rest[last+1:], ",")
		known := slices.DeleteFunc(asked, func(action string) bool { return !slices.Contains(repositoryActions, action) })
		granted = append(granted, &token.ResourceActions{Type: kind, Name: rest[:last], Actions: known})
	}
	return granted, nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
