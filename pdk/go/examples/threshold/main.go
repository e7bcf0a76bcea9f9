// As many instances as the measured rate of each node needs at the configured rate an instance: algorithms/threshold in Go.
package main

import (
	"fmt"
	"math"

	sluice "sluice.dev/pdk"
)

type own struct {
	TargetPerInstance *float64 `json:"targetPerInstance"`
	Tolerance         *float64 `json:"tolerance"`
}

type config struct {
	Source            string         `json:"source"`
	TargetPerInstance float64        `json:"targetPerInstance"`
	Tolerance         float64        `json:"tolerance"`
	Nodes             map[string]own `json:"nodes"`
}

func main() {}

//go:wasmexport plan
func plan() int32 {
	return sluice.Run(func(input *sluice.StepInput) (any, error) {
		config := config{Source: "rates", Tolerance: 0.1}
		if err := input.ReadConfig(&config); err != nil {
			return nil, err
		}
		rates, err := input.Source(config.Source)
		if err != nil {
			return nil, err
		}
		plan := sluice.NewPlan()
		for _, node := range input.Topology.Nodes {
			if err := want(plan, node, rates, config); err != nil {
				return nil, err
			}
		}
		return plan, nil
	})
}

func want(plan *sluice.PlanBuilder, node sluice.Node, rates *sluice.Observation, config config) error {
	name, source := node.Name, config.Source
	rate, ok := rates.Sum(name)
	if !ok {
		sluice.Warn("%s is left as it is: %s has no value for it%s", name, source, rates.Why())
		return nil
	}
	if rate < 0 {
		sluice.Warn("%s is left as it is: %s says %s, which is no rate", name, source, sluice.Figure(rate))
		return nil
	}
	own := config.Nodes[name]
	target, tolerance := or(own.TargetPerInstance, config.TargetPerInstance), or(own.Tolerance, config.Tolerance)
	load := fmt.Sprintf("%s/s at %s/s an instance", sluice.Figure(rate), sluice.Figure(target))
	current := float64(node.Parallelism)
	if isNear(rate, current, target, tolerance) {
		return plan.Want(name, current, fmt.Sprintf("%s is within %s %%", load, sluice.Figure(tolerance*100)))
	}
	return plan.Want(name, math.Ceil(rate/target-slack), load)
}

// A billionth more than a whole number of instances, or than the tolerance, is a rounding error of the division.
const slack = 1e-9

func isNear(rate, current, target, tolerance float64) bool {
	return current != 0 && math.Abs(rate/(current*target)-1) <= tolerance+slack
}

func or(own *float64, otherwise float64) float64 {
	if own == nil {
		return otherwise
	}
	return *own
}
