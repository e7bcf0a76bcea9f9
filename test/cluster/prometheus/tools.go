//go:build tools

// Package prometheus pins the Prometheus server that the tests scrape with. It
// is a module of its own because the server and Kubernetes ask for different
// versions of the same dependencies, and Kubernetes' are proven together.
package prometheus

import _ "github.com/prometheus/prometheus/cmd/prometheus"
