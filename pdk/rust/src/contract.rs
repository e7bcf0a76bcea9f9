// The types of the step contract sluice/v1, made from pdk/schema by `npm run generate`: do not edit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The step that is called.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Step {
    #[serde(rename = "monitor")]
    Monitor,
    #[serde(rename = "analyze")]
    Analyze,
    #[serde(rename = "plan")]
    Plan,
}

/// The pass that the step runs in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Iteration {
    /// Unique among the passes of the policy; the same when a pass is replayed.
    pub id: String,
    /// Counts the passes of the policy, from 1.
    pub number: u64,
    /// When the pass began. The only clock there is: it stands still for all steps of the pass. RFC 3339, in
    /// UTC.
    pub time: String,
}

/// The policy that the pass is made for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PolicyName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources) and
/// the driver can tell is here.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct InstanceResources {
    /// Processors that it requests, such as 0.5. Default: not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Bytes of memory that it requests. Default: not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Slots of a TaskManager. Default: not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u64>,
}

/// One operator of the application, with a parallelism of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Node {
    /// Name of the node; the plan names it by this.
    pub name: String,
    /// What stands behind the node, such as `Deployment`.
    pub kind: String,
    /// What is asked of the application now: replicas, vertex parallelism or threads, as the driver says.
    pub parallelism: u32,
    /// How much of it serves.
    pub ready: u32,
    /// The least that the guardrails grant.
    pub min: u32,
    /// The most that the guardrails grant.
    pub max: u32,
    /// More than this cannot work in parallel, such as the partitions of a topic. Default: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<u32>,
    /// Parallelism should divide this, such as the key groups of a job. Default: any will do.
    #[serde(rename = "alignTo", default, skip_serializing_if = "Option::is_none")]
    pub align_to: Option<u32>,
    /// Nodes of one slot group share slots. Default: the node shares with nobody.
    #[serde(rename = "slotGroup", default, skip_serializing_if = "Option::is_none")]
    pub slot_group: Option<String>,
    /// What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources)
    /// and the driver can tell is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<InstanceResources>,
    /// What else the driver or the policy says about the node.
    pub attributes: BTreeMap<String, String>,
}

/// Records flow from one node to another.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Edge {
    /// Name of the node that sends.
    pub from: String,
    /// Name of the node that receives.
    pub to: String,
    /// How records are spread over the receiving instances, such as `HASH` or `REBALANCE`. Default: not
    /// known.
    #[serde(
        rename = "shipStrategy",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub ship_strategy: Option<String>,
}

/// The last change of parallelism that was written, by whomever.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LastRescale {
    /// When it was written. RFC 3339, in UTC.
    pub at: String,
    /// When the application ran with it. Absent as long as it does not. RFC 3339, in UTC.
    #[serde(rename = "settledAt", default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
    /// For how many seconds nothing was processed. Default: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime: Option<f64>,
    /// Whether only some nodes got what was asked for. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<bool>,
}

/// Slots of the whole application. Absent where it has none.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Slots {
    /// All slots.
    pub total: u64,
    /// Slots that nothing uses.
    pub free: u64,
}

/// The application as a graph, as the driver found it in this pass.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Topology {
    /// All nodes, in the order of the policy.
    pub nodes: Vec<Node>,
    /// All edges.
    pub edges: Vec<Edge>,
    /// Since when the application has run without a restart. Default: not known. RFC 3339, in UTC.
    #[serde(
        rename = "runningSince",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub running_since: Option<String>,
    /// The last change of parallelism that was written, by whomever.
    #[serde(
        rename = "lastRescale",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_rescale: Option<LastRescale>,
    /// Slots of the whole application. Absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Slots>,
}

/// One number of a source.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Sample {
    /// What the source says about the number.
    pub labels: BTreeMap<String, String>,
    /// Name of the node that it belongs to. Absent where the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The number, always finite; its unit is the source's.
    pub value: f64,
    /// When it was measured. RFC 3339, in UTC.
    pub at: String,
}

/// One partition of a topic, as a consumer group sees it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Partition {
    /// Name of the topic.
    pub topic: String,
    /// Number of the partition, from 0.
    pub partition: u32,
    /// Offset that the group has committed. Absent before its first commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<u64>,
    /// Offset that the next record will get.
    pub end: u64,
    /// Records that the group has not committed yet.
    pub lag: u64,
}

/// Why the source could not be read.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SourceError {
    /// The fault code, such as `SourceUnavailable`.
    pub code: String,
    /// What happened.
    pub message: String,
}

/// What a source said: values (`series`), nothing (`noData`) or that it failed (`error`). Exactly one of the
/// three.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Observation {
    /// When the source was read. RFC 3339, in UTC.
    pub at: String,
    /// The values; at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Vec<Sample>>,
    /// Beside `series`, from sources that read Kafka: the partitions behind the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<Partition>>,
    /// True if the source answered and had no value. It does not mean zero.
    #[serde(rename = "noData", default, skip_serializing_if = "Option::is_none")]
    pub no_data: Option<bool>,
    /// Why the source could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SourceError>,
}

/// What a node had, and what became of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PastNode {
    /// What it had when the pass began.
    pub parallelism: u32,
    /// What the plan wanted. Absent if the plan left the node out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<u32>,
    /// What the guardrails granted.
    pub granted: u32,
}

/// An earlier pass.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Past {
    /// When the pass began. RFC 3339, in UTC.
    pub at: String,
    /// The nodes as they were, by name.
    pub nodes: BTreeMap<String, PastNode>,
    /// What the sources of the policy said, by the source's name.
    pub sources: BTreeMap<String, Observation>,
}

/// What every step is given. A step ignores fields that it does not know: later versions of the host may add
/// some.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StepInput {
    /// The contract that this input follows.
    pub api: String,
    /// The step that is called.
    pub step: Step,
    /// The pass that the step runs in.
    pub iteration: Iteration,
    /// The policy that the pass is made for.
    pub policy: PolicyName,
    /// The application as a graph, as the driver found it in this pass.
    pub topology: Topology,
    /// What the sources of the policy said, by the source's name.
    pub sources: BTreeMap<String, Observation>,
    /// What the monitor step of this pass returned. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<Box<RawValue>>,
    /// What the analyze step of this pass returned. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyze: Option<Box<RawValue>>,
    /// Earlier passes, newest first, as spec.knowledge.history of the policy asks; empty if it does not.
    pub history: Vec<Past>,
    /// What the algorithm returned as `carry` in its last successful pass. Absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Box<RawValue>>,
    /// spec.algorithm.config of the policy; it fits the config schema of the algorithm. Empty if there is
    /// none.
    pub config: Box<RawValue>,
}

/// What monitor and analyze return: any JSON object. The later steps of the pass are given it as
/// `input.monitor` and `input.analyze`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct StepAnswer {
    /// What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The
    /// last step of a pass that returns one wins. Default: the carry stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Box<RawValue>>,
}

/// What each instance should have, inside `guardrails.resources` of the policy. Default, also of each field:
/// it stays as it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Resources {
    /// Processors that it requests, as a Kubernetes quantity such as `500m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Memory that it requests, as a Kubernetes quantity such as `2Gi`; the host takes whole MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Slots of a TaskManager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
}

/// What is wanted for one node. Exactly one of `parallelism` and `demand`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Wanted {
    /// A whole number of instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// An unrounded number of instances: the host rounds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<f64>,
    /// What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
    /// field: it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Why, in one sentence for status and events. The host cuts it at 256 characters. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What plan returns: what is wanted. The guardrails of the policy decide what is granted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// What is wanted, by the node's name. A node that is not here stays as it is.
    pub nodes: BTreeMap<String, Wanted>,
    /// Seconds until the next pass, if that is sooner. Default: the interval of the policy.
    #[serde(
        rename = "recheckAfter",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub recheck_after: Option<f64>,
    /// What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The
    /// last step of a pass that returns one wins. Default: the carry stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Box<RawValue>>,
}
