// The types of the step contract sluice/v1, made from pdk/schema by `npm run generate`: do not edit.

/** The step that is called. */
export type Step = "monitor" | "analyze" | "plan";

/** The pass that the step runs in. */
export interface Iteration {
  /** Unique among the passes of the policy; the same when a pass is replayed. */
  id: string;
  /** Counts the passes of the policy, from 1. */
  number: number;
  /**
   * When the pass began. The only clock there is: it stands still for all steps of the pass. RFC 3339, in
   * UTC.
   */
  time: string;
}

/** The policy that the pass is made for. */
export interface PolicyName {
  /** Its namespace. */
  namespace: string;
  /** Its name. */
  name: string;
}

/**
 * What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources)
 * and the driver can tell is here.
 */
export interface InstanceResources {
  /** Processors that it requests, such as 0.5. Default: not said. */
  cpu?: number;
  /** Bytes of memory that it requests. Default: not said. */
  memory?: number;
  /** Slots of a TaskManager. Default: not said. */
  slots?: number;
}

/** One operator of the application, with a parallelism of its own. */
export interface Node {
  /** Name of the node; the plan names it by this. */
  name: string;
  /** What stands behind the node, such as `Deployment`. */
  kind: string;
  /** What is asked of the application now: replicas, vertex parallelism or threads, as the driver says. */
  parallelism: number;
  /** How much of it serves. */
  ready: number;
  /** The least that the guardrails grant. */
  min: number;
  /** The most that the guardrails grant. */
  max: number;
  /** More than this cannot work in parallel, such as the partitions of a topic. Default: no such limit. */
  ceiling?: number;
  /** Parallelism should divide this, such as the key groups of a job. Default: any will do. */
  alignTo?: number;
  /** Nodes of one slot group share slots. Default: the node shares with nobody. */
  slotGroup?: string;
  /**
   * What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources)
   * and the driver can tell is here.
   */
  resources?: InstanceResources;
  /** What else the driver or the policy says about the node. */
  attributes: Record<string, string>;
}

/** Records flow from one node to another. */
export interface Edge {
  /** Name of the node that sends. */
  from: string;
  /** Name of the node that receives. */
  to: string;
  /**
   * How records are spread over the receiving instances, such as `HASH` or `REBALANCE`. Default: not
   * known.
   */
  shipStrategy?: string;
}

/** The last change of parallelism that was written, by whomever. */
export interface LastRescale {
  /** When it was written. RFC 3339, in UTC. */
  at: string;
  /** When the application ran with it. Absent as long as it does not. RFC 3339, in UTC. */
  settledAt?: string;
  /** For how many seconds nothing was processed. Default: not known. */
  downtime?: number;
  /** Whether only some nodes got what was asked for. Default false. */
  partial?: boolean;
}

/** Slots of the whole application. Absent where it has none. */
export interface Slots {
  /** All slots. */
  total: number;
  /** Slots that nothing uses. */
  free: number;
}

/** The application as a graph, as the driver found it in this pass. */
export interface Topology {
  /** All nodes, in the order of the policy. */
  nodes: Node[];
  /** All edges. */
  edges: Edge[];
  /** Since when the application has run without a restart. Default: not known. RFC 3339, in UTC. */
  runningSince?: string;
  /** The last change of parallelism that was written, by whomever. */
  lastRescale?: LastRescale;
  /** Slots of the whole application. Absent where it has none. */
  slots?: Slots;
}

/** One number of a source. */
export interface Sample {
  /** What the source says about the number. */
  labels: Record<string, string>;
  /** Name of the node that it belongs to. Absent where the source does not tell. */
  node?: string;
  /** The number, always finite; its unit is the source's. */
  value: number;
  /** When it was measured. RFC 3339, in UTC. */
  at: string;
}

/** One partition of a topic, as a consumer group sees it. */
export interface Partition {
  /** Name of the topic. */
  topic: string;
  /** Number of the partition, from 0. */
  partition: number;
  /** Offset that the group has committed. Absent before its first commit. */
  committed?: number;
  /** Offset that the next record will get. */
  end: number;
  /** Records that the group has not committed yet. */
  lag: number;
}

/** Why the source could not be read. */
export interface SourceError {
  /** The fault code, such as `SourceUnavailable`. */
  code: string;
  /** What happened. */
  message: string;
}

/**
 * What a source said: values (`series`), nothing (`noData`) or that it failed (`error`). Exactly one of
 * the three.
 */
export interface Observation {
  /** When the source was read. RFC 3339, in UTC. */
  at: string;
  /** The values; at least one. */
  series?: Sample[];
  /** Beside `series`, from sources that read Kafka: the partitions behind the values. */
  partitions?: Partition[];
  /** True if the source answered and had no value. It does not mean zero. */
  noData?: boolean;
  /** Why the source could not be read. */
  error?: SourceError;
}

/** What a node had, and what became of it. */
export interface PastNode {
  /** What it had when the pass began. */
  parallelism: number;
  /** What the plan wanted. Absent if the plan left the node out. */
  wanted?: number;
  /** What the guardrails granted. */
  granted: number;
}

/** An earlier pass. */
export interface Past {
  /** When the pass began. RFC 3339, in UTC. */
  at: string;
  /** The nodes as they were, by name. */
  nodes: Record<string, PastNode>;
  /** What the sources of the policy said, by the source's name. */
  sources: Record<string, Observation>;
}

/**
 * What every step is given. A step ignores fields that it does not know: later versions of the host may
 * add some.
 */
export interface StepInput {
  /** The contract that this input follows. */
  api: "sluice/v1";
  /** The step that is called. */
  step: Step;
  /** The pass that the step runs in. */
  iteration: Iteration;
  /** The policy that the pass is made for. */
  policy: PolicyName;
  /** The application as a graph, as the driver found it in this pass. */
  topology: Topology;
  /** What the sources of the policy said, by the source's name. */
  sources: Record<string, Observation>;
  /** What the monitor step of this pass returned. Absent if there is none. */
  monitor?: Record<string, unknown>;
  /** What the analyze step of this pass returned. Absent if there is none. */
  analyze?: Record<string, unknown>;
  /** Earlier passes, newest first, as spec.knowledge.history of the policy asks; empty if it does not. */
  history: Past[];
  /** What the algorithm returned as `carry` in its last successful pass. Absent before the first. */
  carry?: unknown;
  /**
   * spec.algorithm.config of the policy; it fits the config schema of the algorithm. Empty if there is
   * none.
   */
  config: Record<string, unknown>;
}

/**
 * What monitor and analyze return: any JSON object. The later steps of the pass are given it as
 * `input.monitor` and `input.analyze`.
 */
export interface StepAnswer {
  /**
   * What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The
   * last step of a pass that returns one wins. Default: the carry stays as it was.
   */
  carry?: unknown;
}

/**
 * What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
 * field: it stays as it is.
 */
export interface Resources {
  /** Processors that it requests, as a Kubernetes quantity such as `500m`. */
  cpu?: string;
  /** Memory that it requests, as a Kubernetes quantity such as `2Gi`; the host takes whole MiB. */
  memory?: string;
  /** Slots of a TaskManager. */
  slots?: number;
}

/** What is wanted for one node. Exactly one of `parallelism` and `demand`. */
export interface Wanted {
  /** A whole number of instances. */
  parallelism?: number;
  /** An unrounded number of instances: the host rounds it up. */
  demand?: number;
  /**
   * What each instance should have, inside `guardrails.resources` of the policy. Default, also of each
   * field: it stays as it is.
   */
  resources?: Resources;
  /** Why, in one sentence for status and events. The host cuts it at 256 characters. Default: none. */
  reason?: string;
}

/** What plan returns: what is wanted. The guardrails of the policy decide what is granted. */
export interface Plan {
  /** What is wanted, by the node's name. A node that is not here stays as it is. */
  nodes: Record<string, Wanted>;
  /** Seconds until the next pass, if that is sooner. Default: the interval of the policy. */
  recheckAfter?: number;
  /**
   * What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The
   * last step of a pass that returns one wins. Default: the carry stays as it was.
   */
  carry?: unknown;
}
