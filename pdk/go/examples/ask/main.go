// Asks a service that the policy grants: the host performs the request, and the step runs again with its answer.
package main

import (
	"fmt"

	sluice "sluice.dev/pdk"
)

func main() {}

//go:wasmexport monitor
func monitor() int32 {
	return sluice.Run(func(input *sluice.StepInput) (any, error) {
		var config struct {
			URL string `json:"url"`
		}
		if err := input.ReadConfig(&config); err != nil {
			return nil, err
		}
		status, body, err := sluice.Ask(sluice.Request{URL: config.URL, Method: "GET"}, nil)
		if err != nil {
			return nil, err
		}
		if status != 200 {
			return nil, fmt.Errorf("%s answered %d", config.URL, status)
		}
		return map[string]int{"bytes": len(body)}, nil
	})
}
