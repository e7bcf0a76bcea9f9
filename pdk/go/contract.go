// The types of the step contract sluice/v1, made from pdk/schema by `npm run generate`: do not edit.

package sluice

import "encoding/json"

// Step: The step that is called.
type Step string

// The words of Step.
const (
	StepMonitor Step = "monitor"
	StepAnalyze Step = "analyze"
	StepPlan    Step = "plan"
)

// Iteration: The pass that the step runs in.
type Iteration struct {
	// Unique among the passes of the policy; the same when a pass is replayed.
	Id string `json:"id"`
	// Counts the passes of the policy, from 1.
	Number int64 `json:"number"`
	// When the pass began. The only clock there is: it stands still for all steps of the pass. RFC 3339, in
	// UTC.
	Time string `json:"time"`
}

// PolicyName: The policy that the pass is made for.
type PolicyName struct {
	// Its namespace.
	Namespace string `json:"namespace"`
	// Its name.
	Name string `json:"name"`
}

// InstanceResources: What each instance of a node has. Only what the policy lets an algorithm change
// (guardrails.resources) and the driver can tell is here.
type InstanceResources struct {
	// Processors that it requests, such as 0.5. Default: not said.
	Cpu *float64 `json:"cpu,omitempty"`
	// Bytes of memory that it requests. Default: not said.
	Memory *int64 `json:"memory,omitempty"`
	// Slots of a TaskManager. Default: not said.
	Slots *int64 `json:"slots,omitempty"`
}

// Node: One operator of the application, with a parallelism of its own.
type Node struct {
	// Name of the node; the plan names it by this.
	Name string `json:"name"`
	// What stands behind the node, such as `Deployment`.
	Kind string `json:"kind"`
	// What is asked of the application now: replicas, vertex parallelism or threads, as the driver says.
	Parallelism int32 `json:"parallelism"`
	// How much of it serves.
	Ready int32 `json:"ready"`
	// The least that the guardrails grant.
	Min int32 `json:"min"`
	// The most that the guardrails grant.
	Max int32 `json:"max"`
	// More than this cannot work in parallel, such as the partitions of a topic. Default: no such limit.
	Ceiling *int32 `json:"ceiling,omitempty"`
	// Parallelism should divide this, such as the key groups of a job. Default: any will do.
	AlignTo *int32 `json:"alignTo,omitempty"`
	// Nodes of one slot group share slots. Default: the node shares with nobody.
	SlotGroup *string `json:"slotGroup,omitempty"`
	// What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources)
	// and the driver can tell is here.
	Resources *InstanceResources `json:"resources,omitempty"`
	// What else the driver or the policy says about the node.
	Attributes map[string]string `json:"attributes"`
}

// Edge: Records flow from one node to another.
type Edge struct {
	// Name of the node that sends.
	From string `json:"from"`
	// Name of the node that receives.
	To string `json:"to"`
	// How records are spread over the receiving instances, such as `HASH` or `REBALANCE`. Default: not known.
	ShipStrategy *string `json:"shipStrategy,omitempty"`
}

// LastRescale: The last change of parallelism that was written, by whomever.
type LastRescale struct {
	// When it was written. RFC 3339, in UTC.
	At string `json:"at"`
	// When the application ran with it. Absent as long as it does not. RFC 3339, in UTC.
	SettledAt *string `json:"settledAt,omitempty"`
	// For how many seconds nothing was processed. Default: not known.
	Downtime *float64 `json:"downtime,omitempty"`
	// Whether only some nodes got what was asked for. Default false.
	Partial *bool `json:"partial,omitempty"`
}

// Slots: Slots of the whole application. Absent where it has none.
type Slots struct {
	// All slots.
	Total int64 `json:"total"`
	// Slots that nothing uses.
	Free int64 `json:"free"`
}

// Topology: The application as a graph, as the driver found it in this pass.
type Topology struct {
	// All nodes, in the order of the policy.
	Nodes []Node `json:"nodes"`
	// All edges.
	Edges []Edge `json:"edges"`
	// Since when the application has run without a restart. Default: not known. RFC 3339, in UTC.
	RunningSince *string `json:"runningSince,omitempty"`
	// The last change of parallelism that was written, by whomever.
	LastRescale *LastRescale `json:"lastRescale,omitempty"`
	// Slots of the whole application. Absent where it has none.
	Slots *Slots `json:"slots,omitempty"`
}

// Sample: One number of a source.
type Sample struct {
	// What the source says about the number.
	Labels map[string]string `json:"labels"`
	// Name of the node that it belongs to. Absent where the source does not tell.
	Node *string `json:"node,omitempty"`
	// The number, always finite; its unit is the source's.
	Value float64 `json:"value"`
	// When it was measured. RFC 3339, in UTC.
	At string `json:"at"`
}

// Partition: One partition of a topic, as a consumer group sees it.
type Partition struct {
	// Name of the topic.
	Topic string `json:"topic"`
	// Number of the partition, from 0.
	Partition int32 `json:"partition"`
	// Offset that the group has committed. Absent before its first commit.
	Committed *int64 `json:"committed,omitempty"`
	// Offset that the next record will get.
	End int64 `json:"end"`
	// Records that the group has not committed yet.
	Lag int64 `json:"lag"`
}

// SourceError: Why the source could not be read.
type SourceError struct {
	// The fault code, such as `SourceUnavailable`.
	Code string `json:"code"`
	// What happened.
	Message string `json:"message"`
}

// Observation: What a source said: values (`series`), nothing (`noData`) or that it failed (`error`).
// Exactly one of the three.
type Observation struct {
	// When the source was read. RFC 3339, in UTC.
	At string `json:"at"`
	// The values; at least one.
	Series []Sample `json:"series,omitempty"`
	// Beside `series`, from sources that read Kafka: the partitions behind the values.
	Partitions []Partition `json:"partitions,omitempty"`
	// True if the source answered and had no value. It does not mean zero.
	NoData *bool `json:"noData,omitempty"`
	// Why the source could not be read.
	Error *SourceError `json:"error,omitempty"`
}

// PastNode: What a node had, and what became of it.
type PastNode struct {
	// What it had when the pass began.
	Parallelism int32 `json:"parallelism"`
	// What the plan wanted. Absent if the plan left the node out.
	Wanted *int32 `json:"wanted,omitempty"`
	// What the guardrails granted.
	Granted int32 `json:"granted"`
}

// Past: An earlier pass.
type Past struct {
	// When the pass began. RFC 3339, in UTC.
	At string `json:"at"`
	// The nodes as they were, by name.
	Nodes map[string]PastNode `json:"nodes"`
	// What the sources of the policy said, by the source's name.
	Sources map[string]Observation `json:"sources"`
}

// StepInput: What every step is given. A step ignores fields that it does not know: later versions of the
// host may add some.
type StepInput struct {
	// The contract that this input follows.
	Api string `json:"api"`
	// The step that is called.
	Step Step `json:"step"`
	// The pass that the step runs in.
	Iteration Iteration `json:"iteration"`
	// The policy that the pass is made for.
	Policy PolicyName `json:"policy"`
	// The application as a graph, as the driver found it in this pass.
	Topology Topology `json:"topology"`
	// What the sources of the policy said, by the source's name.
	Sources map[string]Observation `json:"sources"`
	// What the monitor step of this pass returned. Absent if there is none.
	Monitor json.RawMessage `json:"monitor,omitempty"`
	// What the analyze step of this pass returned. Absent if there is none.
	Analyze json.RawMessage `json:"analyze,omitempty"`
	// Earlier passes, newest first, as spec.knowledge.history of the policy asks; empty if it does not.
	History []Past `json:"history"`
	// What the algorithm returned as `carry` in its last successful pass. Absent before the first.
	Carry json.RawMessage `json:"carry,omitempty"`
	// spec.algorithm.config of the policy; it fits the config schema of the algorithm. Empty if there is none.
	Config json.RawMessage `json:"config"`
}

// StepAnswer: What monitor and analyze return: any JSON object. The later steps of the pass are given it as
// `input.monitor` and `input.analyze`.
type StepAnswer struct {
	// What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The last
	// step of a pass that returns one wins. Default: the carry stays as it was.
	Carry json.RawMessage `json:"carry,omitempty"`
}

// Resources: What each instance should have, inside `guardrails.resources` of the policy. Default, also of
// each field: it stays as it is.
type Resources struct {
	// Processors that it requests, as a Kubernetes quantity such as `500m`.
	Cpu *string `json:"cpu,omitempty"`
	// Memory that it requests, as a Kubernetes quantity such as `2Gi`; the host takes whole MiB.
	Memory *string `json:"memory,omitempty"`
	// Slots of a TaskManager.
	Slots *int32 `json:"slots,omitempty"`
}

// Wanted: What is wanted for one node. Exactly one of `parallelism` and `demand`.
type Wanted struct {
	// A whole number of instances.
	Parallelism *int32 `json:"parallelism,omitempty"`
	// An unrounded number of instances: the host rounds it up.
	Demand *float64 `json:"demand,omitempty"`
	// What each instance should have, inside `guardrails.resources` of the policy. Default, also of each field:
	// it stays as it is.
	Resources *Resources `json:"resources,omitempty"`
	// Why, in one sentence for status and events. The host cuts it at 256 characters. Default: none.
	Reason *string `json:"reason,omitempty"`
}

// Plan: What plan returns: what is wanted. The guardrails of the policy decide what is granted.
type Plan struct {
	// What is wanted, by the node's name. A node that is not here stays as it is.
	Nodes map[string]Wanted `json:"nodes"`
	// Seconds until the next pass, if that is sooner. Default: the interval of the policy.
	RecheckAfter *float64 `json:"recheckAfter,omitempty"`
	// What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The last
	// step of a pass that returns one wins. Default: the carry stays as it was.
	Carry json.RawMessage `json:"carry,omitempty"`
}
