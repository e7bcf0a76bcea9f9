package main

import "encoding/json"

type named map[string]any

// A kubeconfig is YAML, and JSON is YAML.
func (p *publicKeys) kubeconfig(name, server string, cluster, user identity) {
	content, err := json.MarshalIndent(map[string]any{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []named{{"name": "testworld", "cluster": named{
			"server":                     server,
			"certificate-authority-data": cluster.pem,
		}}},
		"users": []named{{"name": "testworld", "user": named{
			"client-certificate-data": user.pem,
			"client-key-data":         user.keyPem,
		}}},
		"contexts":        []named{{"name": "testworld", "context": named{"cluster": "testworld", "user": "testworld"}}},
		"current-context": "testworld",
	}, "", "  ")
	p.keep(err)
	p.write(name, content)
}
