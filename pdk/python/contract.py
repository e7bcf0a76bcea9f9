# The types of the step contract sluice/v1, made from pdk/schema by `npm run generate`: do not edit.

from typing import Any, Literal, NotRequired, TypedDict


# The step that is called.
Step = Literal["monitor", "analyze", "plan"]


class Iteration(TypedDict):
    """The pass that the step runs in."""

    # Unique among the passes of the policy; the same when a pass is replayed.
    id: str
    # Counts the passes of the policy, from 1.
    number: int
    # When the pass began. The only clock there is: it stands still for all steps of the pass. RFC 3339, in
    # UTC.
    time: str


class PolicyName(TypedDict):
    """The policy that the pass is made for."""

    # Its namespace.
    namespace: str
    # Its name.
    name: str


class InstanceResources(TypedDict):
    """What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources)
    and the driver can tell is here."""

    # Processors that it requests, such as 0.5. Default: not said.
    cpu: NotRequired[float]
    # Bytes of memory that it requests. Default: not said.
    memory: NotRequired[int]
    # Slots of a TaskManager. Default: not said.
    slots: NotRequired[int]


class Node(TypedDict):
    """One operator of the application, with a parallelism of its own."""

    # Name of the node; the plan names it by this.
    name: str
    # What stands behind the node, such as `Deployment`.
    kind: str
    # What is asked of the application now: replicas, vertex parallelism or threads, as the driver says.
    parallelism: int
    # How much of it serves.
    ready: int
    # The least that the guardrails grant.
    min: int
    # The most that the guardrails grant.
    max: int
    # More than this cannot work in parallel, such as the partitions of a topic. Default: no such limit.
    ceiling: NotRequired[int]
    # Parallelism should divide this, such as the key groups of a job. Default: any will do.
    alignTo: NotRequired[int]
    # Nodes of one slot group share slots. Default: the node shares with nobody.
    slotGroup: NotRequired[str]
    # What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources)
    # and the driver can tell is here.
    resources: NotRequired[InstanceResources]
    # What else the driver or the policy says about the node.
    attributes: dict[str, str]


# Records flow from one node to another.
Edge = TypedDict(
    "Edge",
    {
        # Name of the node that sends.
        "from": str,
        # Name of the node that receives.
        "to": str,
        # How records are spread over the receiving instances, such as `HASH` or `REBALANCE`. Default: not
        # known.
        "shipStrategy": NotRequired[str],
    },
)


class LastRescale(TypedDict):
    """The last change of parallelism that was written, by whomever."""

    # When it was written. RFC 3339, in UTC.
    at: str
    # When the application ran with it. Absent as long as it does not. RFC 3339, in UTC.
    settledAt: NotRequired[str]
    # For how many seconds nothing was processed. Default: not known.
    downtime: NotRequired[float]
    # Whether only some nodes got what was asked for. Default false.
    partial: NotRequired[bool]


class Slots(TypedDict):
    """Slots of the whole application. Absent where it has none."""

    # All slots.
    total: int
    # Slots that nothing uses.
    free: int


class Topology(TypedDict):
    """The application as a graph, as the driver found it in this pass."""

    # All nodes, in the order of the policy.
    nodes: list[Node]
    # All edges.
    edges: list[Edge]
    # Since when the application has run without a restart. Default: not known. RFC 3339, in UTC.
    runningSince: NotRequired[str]
    # The last change of parallelism that was written, by whomever.
    lastRescale: NotRequired[LastRescale]
    # Slots of the whole application. Absent where it has none.
    slots: NotRequired[Slots]


class Sample(TypedDict):
    """One number of a source."""

    # What the source says about the number.
    labels: dict[str, str]
    # Name of the node that it belongs to. Absent where the source does not tell.
    node: NotRequired[str]
    # The number, always finite; its unit is the source's.
    value: float
    # When it was measured. RFC 3339, in UTC.
    at: str


class Partition(TypedDict):
    """One partition of a topic, as a consumer group sees it."""

    # Name of the topic.
    topic: str
    # Number of the partition, from 0.
    partition: int
    # Offset that the group has committed. Absent before its first commit.
    committed: NotRequired[int]
    # Offset that the next record will get.
    end: int
    # Records that the group has not committed yet.
    lag: int


class SourceError(TypedDict):
    """Why the source could not be read."""

    # The fault code, such as `SourceUnavailable`.
    code: str
    # What happened.
    message: str


class Observation(TypedDict):
    """What a source said: values (`series`), nothing (`noData`) or that it failed (`error`). Exactly one of
    the three."""

    # When the source was read. RFC 3339, in UTC.
    at: str
    # The values; at least one.
    series: NotRequired[list[Sample]]
    # Beside `series`, from sources that read Kafka: the partitions behind the values.
    partitions: NotRequired[list[Partition]]
    # True if the source answered and had no value. It does not mean zero.
    noData: NotRequired[bool]
    # Why the source could not be read.
    error: NotRequired[SourceError]


class PastNode(TypedDict):
    """What a node had, and what became of it."""

    # What it had when the pass began.
    parallelism: int
    # What the plan wanted. Absent if the plan left the node out.
    wanted: NotRequired[int]
    # What the guardrails granted.
    granted: int


class Past(TypedDict):
    """An earlier pass."""

    # When the pass began. RFC 3339, in UTC.
    at: str
    # The nodes as they were, by name.
    nodes: dict[str, PastNode]
    # What the sources of the policy said, by the source's name.
    sources: dict[str, Observation]


class StepInput(TypedDict):
    """What every step is given. A step ignores fields that it does not know: later versions of the host may
    add some."""

    # The contract that this input follows.
    api: Literal["sluice/v1"]
    # The step that is called.
    step: Step
    # The pass that the step runs in.
    iteration: Iteration
    # The policy that the pass is made for.
    policy: PolicyName
    # The application as a graph, as the driver found it in this pass.
    topology: Topology
    # What the sources of the policy said, by the source's name.
    sources: dict[str, Observation]
    # What the monitor step of this pass returned. Absent if there is none.
    monitor: NotRequired[dict[str, Any]]
    # What the analyze step of this pass returned. Absent if there is none.
    analyze: NotRequired[dict[str, Any]]
    # Earlier passes, newest first, as spec.knowledge.history of the policy asks; empty if it does not.
    history: list[Past]
    # What the algorithm returned as `carry` in its last successful pass. Absent before the first.
    carry: NotRequired[Any]
    # spec.algorithm.config of the policy; it fits the config schema of the algorithm. Empty if there is
    # none.
    config: dict[str, Any]


class StepAnswer(TypedDict):
    """What monitor and analyze return: any JSON object. The later steps of the pass are given it as
    `input.monitor` and `input.analyze`."""

    # What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The
    # last step of a pass that returns one wins. Default: the carry stays as it was.
    carry: NotRequired[Any]


class Resources(TypedDict):
    """What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
    field: it stays as it is."""

    # Processors that it requests, as a Kubernetes quantity such as `500m`.
    cpu: NotRequired[str]
    # Memory that it requests, as a Kubernetes quantity such as `2Gi`; the host takes whole MiB.
    memory: NotRequired[str]
    # Slots of a TaskManager.
    slots: NotRequired[int]


class Wanted(TypedDict):
    """What is wanted for one node. Exactly one of `parallelism` and `demand`."""

    # A whole number of instances.
    parallelism: NotRequired[int]
    # An unrounded number of instances: the host rounds it up.
    demand: NotRequired[float]
    # What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
    # field: it stays as it is.
    resources: NotRequired[Resources]
    # Why, in one sentence for status and events. The host cuts it at 256 characters. Default: none.
    reason: NotRequired[str]


class Plan(TypedDict):
    """What plan returns: what is wanted. The guardrails of the policy decide what is granted."""

    # What is wanted, by the node's name. A node that is not here stays as it is.
    nodes: dict[str, Wanted]
    # Seconds until the next pass, if that is sooner. Default: the interval of the policy.
    recheckAfter: NotRequired[float]
    # What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The
    # last step of a pass that returns one wins. Default: the carry stays as it was.
    carry: NotRequired[Any]

