import { Type } from "typebox";
import { behavior, bounds, PARALLELISM_MAX } from "./bounds.ts";
import { block, choice, decimal, dnsLabel, duration, flag, listBy, whole } from "./field.ts";
import { NODES_MAX } from "./node.ts";
import { resources } from "./resources.ts";

const total = block("A limit for all nodes together.", {
  max: whole(
    "Most parallelism of all nodes together, as the target's kind counts it: replicas; slots of a Flink job, where the widest vertex of each slot sharing group counts; threads; jobs.",
    1,
    PARALLELISM_MAX * NODES_MAX,
  ),
});

const signal = block("What must be quiet before a node is stopped.", {
  source: dnsLabel("Name of a source."),
  above: decimal("The node is in use while the source is above this number.", {}, { default: 0 }),
});

const zero = block(
  "When a node may be stopped altogether.",
  {
    allowed: flag("Whether nodes may be stopped altogether.", { default: false }),
    idle: whole("Parallelism of a node that is not in use.", 0, PARALLELISM_MAX, { default: 0 }),
    cooldown: duration("Time for which all signals must have been quiet.", "0s", "24h", { default: "300s" }),
    signals: Type.Optional(listBy("source", "What must be quiet, at most 10.", signal, { max: 10 })),
  },
  {
    rules: [
      {
        cel: "!self.allowed || (has(self.signals) && self.signals.size() > 0)",
        message: "zero.allowed needs evidence: name at least one source under zero.signals",
        holds: ({ allowed, signals = [] }) => !allowed || signals.length > 0,
      },
    ],
  },
);

const fallbackNumber = {
  behavior: choice(
    "Keep what runs (Current); take the higher of what runs and `parallelism` (CurrentIfHigher); keep what runs, which is never less (CurrentIfLower); or take `parallelism` (Static). Only Static may lower.",
    ["Current", "CurrentIfHigher", "CurrentIfLower", "Static"],
    { default: "CurrentIfHigher" },
  ),
  parallelism: Type.Optional(whole("Parallelism in the fallback.", 1, PARALLELISM_MAX)),
};

const numberIsThere = {
  cel: "self.behavior in ['Current', 'CurrentIfLower'] || has(self.parallelism)",
  message: "CurrentIfHigher and Static need a number: add parallelism, or set behavior to Current",
  holds: ({ behavior, parallelism }: { behavior: string; parallelism?: number }) =>
    behavior === "Current" || behavior === "CurrentIfLower" || parallelism !== undefined,
};

const fallback = block(
  "What happens when passes keep failing; without it, everything stays as it is.",
  {
    after: duration("Time of nothing but failed passes.", "1s", "24h"),
    ...fallbackNumber,
    nodes: Type.Optional(
      listBy(
        "name",
        "Nodes with a fallback of their own.",
        block(
          "The fallback of one node.",
          { name: dnsLabel("Name of the node."), ...fallbackNumber },
          { rules: [numberIsThere] },
        ),
        { max: NODES_MAX },
      ),
    ),
  },
  { rules: [numberIsThere] },
);

const settle = block(
  "How a change is followed until all of it is ready: without this block none is. While one is, its node may grow further, and shrinks or turns only when the change is ready or its time is over.",
  {
    timeout: duration("Time for a change to serve.", "1s", "24h", { default: "10m" }),
    onFailure: choice(
      "What is done with a change that did not come to serve in time: Hold keeps it, Rollback goes back once to what was before. Both say so in the condition Settled.",
      ["Hold", "Rollback"],
      { default: "Hold" },
    ),
  },
);

export const guardrails = block(
  "What is granted of what the algorithm wants. No algorithm can get past it.",
  {
    bounds: bounds("Least and most parallelism of every node; a node's own min and max win.", {
      default: {},
    }),
    behavior: Type.Optional(behavior()),
    total: Type.Optional(total),
    resources: Type.Optional(resources),
    zero: Type.Optional(zero),
    fallback: Type.Optional(fallback),
    settle: Type.Optional(settle),
    respectDisruptionBudget: flag(
      "Whether no more is taken away at once than the PodDisruptionBudgets that cover a node's pods allow. The account needs list on poddisruptionbudgets of policy, and get on the target. What is above its bounds is brought down regardless.",
      { default: false },
    ),
    maxReversalsPerHour: Type.Optional(
      whole("How often a node may turn from growing to shrinking or back within an hour.", 0, 60),
    ),
  },
  { default: {} },
);
