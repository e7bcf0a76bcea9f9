import {
  always,
  choice,
  count,
  decimal,
  flag,
  instant,
  json,
  list,
  map,
  object,
  optional,
  text,
  whole,
} from "./field.ts";

/** The largest parallelism that can be meant: Kubernetes holds replicas in 32 bits. */
const LARGEST = 2 ** 31 - 1;
const parallelism = (description: string) => whole(description, 0, LARGEST);

const iteration = object(
  "The pass that the step runs in.",
  {
    id: text("Unique among the passes of the policy; the same when a pass is replayed."),
    number: whole("Counts the passes of the policy, from 1.", 1, 2 ** 53 - 1),
    time: instant("When the pass began. The only clock there is: it stands still for all steps of the pass."),
  },
  { title: "Iteration" },
);

const policy = object(
  "The policy that the pass is made for.",
  {
    namespace: text("Its namespace."),
    name: text("Its name."),
  },
  { title: "PolicyName" },
);

const instance = object(
  "What each instance of a node has. Only what the policy lets an algorithm change (guardrails.resources) and the driver can tell is here.",
  {
    cpu: optional(decimal("Processors that it requests, such as 0.5. Default: not said.", { minimum: 0 })),
    memory: optional(count("Bytes of memory that it requests. Default: not said.")),
    slots: optional(count("Slots of a TaskManager. Default: not said.")),
  },
  { title: "InstanceResources" },
);

const node = object(
  "One operator of the application, with a parallelism of its own.",
  {
    name: text("Name of the node; the plan names it by this."),
    kind: text("What stands behind the node, such as `Deployment`."),
    parallelism: parallelism(
      "What is asked of the application now: replicas, vertex parallelism or threads, as the driver says.",
    ),
    ready: parallelism("How much of it serves."),
    min: parallelism("The least that the guardrails grant."),
    max: parallelism("The most that the guardrails grant."),
    ceiling: optional(
      parallelism(
        "More than this cannot work in parallel, such as the partitions of a topic. Default: no such limit.",
      ),
    ),
    alignTo: optional(
      whole(
        "Parallelism should divide this, such as the key groups of a job. Default: any will do.",
        1,
        LARGEST,
      ),
    ),
    slotGroup: optional(text("Nodes of one slot group share slots. Default: the node shares with nobody.")),
    resources: optional(instance),
    attributes: map(
      "What else the driver or the policy says about the node.",
      text("Value of the attribute.", { minLength: 0 }),
    ),
  },
  { title: "Node" },
);

const edge = object(
  "Records flow from one node to another.",
  {
    from: text("Name of the node that sends."),
    to: text("Name of the node that receives."),
    shipStrategy: optional(
      text(
        "How records are spread over the receiving instances, such as `HASH` or `REBALANCE`. Default: not known.",
      ),
    ),
  },
  { title: "Edge" },
);

const lastRescale = object(
  "The last change of parallelism that was written, by whomever.",
  {
    at: instant("When it was written."),
    settledAt: optional(instant("When the application ran with it. Absent as long as it does not.")),
    downtime: optional(
      decimal("For how many seconds nothing was processed. Default: not known.", { minimum: 0 }),
    ),
    partial: optional(flag("Whether only some nodes got what was asked for. Default false.")),
  },
  { title: "LastRescale" },
);

const topology = object(
  "The application as a graph, as the driver found it in this pass.",
  {
    nodes: list("All nodes, in the order of the policy.", node),
    edges: list("All edges.", edge),
    runningSince: optional(
      instant("Since when the application has run without a restart. Default: not known."),
    ),
    lastRescale: optional(lastRescale),
    slots: optional(
      object(
        "Slots of the whole application. Absent where it has none.",
        {
          total: count("All slots."),
          free: count("Slots that nothing uses."),
        },
        { title: "Slots" },
      ),
    ),
  },
  { title: "Topology" },
);

const sample = object(
  "One number of a source.",
  {
    labels: map("What the source says about the number.", text("Value of the label.", { minLength: 0 })),
    node: optional(text("Name of the node that it belongs to. Absent where the source does not tell.")),
    value: decimal("The number, always finite; its unit is the source's."),
    at: instant("When it was measured."),
  },
  { title: "Sample" },
);

const partition = object(
  "One partition of a topic, as a consumer group sees it.",
  {
    topic: text("Name of the topic."),
    partition: whole("Number of the partition, from 0.", 0, LARGEST),
    committed: optional(count("Offset that the group has committed. Absent before its first commit.")),
    end: count("Offset that the next record will get."),
    lag: count("Records that the group has not committed yet."),
  },
  { title: "Partition" },
);

const observation = object(
  "What a source said: values (`series`), nothing (`noData`) or that it failed (`error`). Exactly one of the three.",
  {
    at: instant("When the source was read."),
    series: optional(list("The values; at least one.", sample, { minItems: 1 })),
    partitions: optional(
      list("Beside `series`, from sources that read Kafka: the partitions behind the values.", partition),
    ),
    noData: optional(flag("True if the source answered and had no value. It does not mean zero.")),
    error: optional(
      object(
        "Why the source could not be read.",
        {
          code: text("The fault code, such as `SourceUnavailable`."),
          message: text("What happened."),
        },
        { title: "SourceError" },
      ),
    ),
  },
  {
    title: "Observation",
    oneOf: [{ required: ["series"] }, { required: ["noData"] }, { required: ["error"] }],
  },
);

const sources = map("What the sources of the policy said, by the source's name.", observation);

const pastEntry = object(
  "An earlier pass.",
  {
    at: instant("When the pass began."),
    nodes: map(
      "The nodes as they were, by name.",
      object(
        "What a node had, and what became of it.",
        {
          parallelism: parallelism("What it had when the pass began."),
          wanted: optional(parallelism("What the plan wanted. Absent if the plan left the node out.")),
          granted: parallelism("What the guardrails granted."),
        },
        { title: "PastNode" },
      ),
    ),
    sources,
  },
  { title: "Past" },
);

const answerOf = (step: string) =>
  optional(
    map(`What the ${step} step of this pass returned. Absent if there is none.`, json("A field of it.")),
  );

/** What every step is given. */
export const stepInput = object(
  "What every step is given. A step ignores fields that it does not know: later versions of the host may add some.",
  {
    api: always("The contract that this input follows.", "sluice/v1"),
    step: choice("The step that is called.", ["monitor", "analyze", "plan"], "Step"),
    iteration,
    policy,
    topology,
    sources,
    monitor: answerOf("monitor"),
    analyze: answerOf("analyze"),
    history: list(
      "Earlier passes, newest first, as spec.knowledge.history of the policy asks; empty if it does not.",
      pastEntry,
    ),
    carry: optional(
      json("What the algorithm returned as `carry` in its last successful pass. Absent before the first."),
    ),
    config: map(
      "spec.algorithm.config of the policy; it fits the config schema of the algorithm. Empty if there is none.",
      json("A field of it."),
    ),
  },
  { title: "StepInput" },
);
