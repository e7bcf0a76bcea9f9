//go:build tools

// Helm is pinned here so that it can be built from this module and share the
// packages that the control plane has compiled already:
//
//	go build helm.sh/helm/v3/cmd/helm
package main

import _ "helm.sh/helm/v3/cmd/helm"
