// Package sluice writes autoscaling algorithms for Sluice: the input of a step as types, and an answer that says why.
package sluice

import (
	"encoding/json"
	"fmt"
)

// ReadConfig reads what the policy configures into a type of the algorithm's. Fails with the field that does not fit.
func (input *StepInput) ReadConfig(into any) error {
	if err := json.Unmarshal(input.Config, into); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

// ReadCarry reads what the algorithm remembered in its last successful pass; false before the first.
func (input *StepInput) ReadCarry(into any) (bool, error) {
	if len(input.Carry) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(input.Carry, into); err != nil {
		return false, fmt.Errorf("carry: %w", err)
	}
	return true, nil
}

// Source is what a source said. Fails if the policy has no source of that name.
func (input *StepInput) Source(name string) (*Observation, error) {
	said, ok := input.Sources[name]
	if !ok {
		return nil, fmt.Errorf("sources.%s: is missing: the policy has no source %q under spec.sources", name, name)
	}
	return &said, nil
}

// Of lists the values of a node, in their order; none if there is no data, or an error.
func (said *Observation) Of(node string) []Sample {
	var own []Sample
	for _, sample := range said.Series {
		if sample.Node != nil && *sample.Node == node {
			own = append(own, sample)
		}
	}
	return own
}

// Sum adds up the values of a node; false if there is none, which is never a number.
func (said *Observation) Sum(node string) (sum float64, ok bool) {
	for i := range said.Series {
		if sample := &said.Series[i]; sample.Node != nil && *sample.Node == node {
			sum, ok = sum+sample.Value, true
		}
	}
	return sum, ok
}

// Why says why there is nothing, in brackets after a space; empty if the source did not fail.
func (said *Observation) Why() string {
	if said.Error == nil {
		return ""
	}
	return fmt.Sprintf(" (%s)", said.Error.Message)
}
