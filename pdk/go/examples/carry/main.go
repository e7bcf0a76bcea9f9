// Remembers the largest rate that each node has seen, and plans for it.
package main

import sluice "sluice.dev/pdk"

func main() {}

//go:wasmexport plan
func plan() int32 {
	return sluice.Run(func(input *sluice.StepInput) (any, error) {
		largest := map[string]float64{}
		if _, err := input.ReadCarry(&largest); err != nil {
			return nil, err
		}
		rates, err := input.Source("rates")
		if err != nil {
			return nil, err
		}
		plan := sluice.NewPlan()
		for _, node := range input.Topology.Nodes {
			// No data is not 0: the node is left as it is, and what was remembered stays.
			rate, ok := rates.Sum(node.Name)
			if !ok {
				continue
			}
			largest[node.Name] = max(largest[node.Name], rate)
			reason := "the most that was seen, at 100/s an instance"
			if err := plan.Demand(node.Name, largest[node.Name]/100, reason); err != nil {
				return nil, err
			}
		}
		plan.Remember(largest)
		return plan, nil
	})
}
