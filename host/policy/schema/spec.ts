import { Type } from "typebox";
import type { Static } from "typebox";
import type { Problem } from "../../fault/index.ts";
import { algorithm, shadow } from "./algorithm.ts";
import { block, choice, dnsLabel, listBy } from "./field.ts";
import { guardrails } from "./guardrails.ts";
import { knowledge, ownership } from "./knowledge.ts";
import { listed } from "./node.ts";
import { schedule, windows } from "./schedule.ts";
import { source } from "./source.ts";
import { status } from "./status.ts";
import { target } from "./target.ts";

const FIELDS = {
  mode: choice(
    "Enforce acts on decisions, DryRun only makes them, Paused makes none.",
    ["Enforce", "DryRun", "Paused"],
    { default: "Enforce" },
  ),
  serviceAccountName: Type.Optional(
    dnsLabel(
      "The service account of the policy's namespace whose rights are used, to read as to scale. Without it, `default`.",
    ),
  ),
  target,
  sources: Type.Optional(
    listBy("name", "What the host reads for the algorithm, at most 20.", source, { max: 20 }),
  ),
  algorithm,
  shadow: Type.Optional(shadow),
  schedule,
  windows: Type.Optional(windows),
  guardrails,
  ownership,
  knowledge,
};

const fields = Type.Object(FIELDS);
type Fields = Static<typeof fields>;

const leastOf = ({ guardrails }: Fields, node: { min?: number }) => node.min ?? guardrails.bounds.min;
const mostOf = ({ guardrails }: Fields, node: { max?: number }) => node.max ?? guardrails.bounds.max;
const LEAST = "(has(node.min) ? node.min : self.guardrails.bounds.min)";
const MOST = "(has(node.max) ? node.max : self.guardrails.bounds.max)";

export const spec = block("What is wanted.", FIELDS, {
  rules: [
    {
      cel: `!has(self.target.kubernetes) || self.target.kubernetes.nodes.all(node, ${LEAST} <= ${MOST})`,
      message:
        "a node's min is above its max; what a node does not set comes from guardrails.bounds: set both on the node, or change guardrails.bounds",
      holds: (value) =>
        (value.target.kubernetes?.nodes ?? []).every((node) => leastOf(value, node) <= mostOf(value, node)),
    },
    {
      cel: `!has(self.guardrails.total) || !has(self.target.kubernetes) || self.target.kubernetes.nodes.map(node, ${LEAST}).sum() <= self.guardrails.total.max`,
      message: "guardrails.total.max is below the sum of the nodes' min: raise it, or lower min",
      holds: (value) => {
        const least = (value.target.kubernetes?.nodes ?? []).map((node) => leastOf(value, node));
        return least.reduce((sum, one) => sum + one, 0) <= (value.guardrails.total?.max ?? Infinity);
      },
    },
  ],
  checks: [sourcesAreForNodes, signalsAreSources],
});

/** What the API server knows as a ScalingPolicy, apart from its metadata. */
export const scalingPolicy = block(
  "Which application is scaled, by which algorithm, and within which bounds.",
  {
    spec,
    status: Type.Optional(status),
  },
);

function signalsAreSources({ guardrails, sources = [] }: Fields): Problem[] {
  const names = sources.map(({ name }) => name);
  return (guardrails.zero?.signals ?? []).flatMap(({ source }, at) =>
    names.includes(source)
      ? []
      : [
          {
            field: `.guardrails.zero.signals[${at}].source`,
            message: `there is no source ${source}: the sources are ${listed(names) || "none"}`,
          },
        ],
  );
}

function sourcesAreForNodes({ target, sources = [] }: Fields): Problem[] {
  const names = (target.kubernetes?.nodes ?? []).map(({ name }) => name);
  if (target.kubernetes === undefined) return [];
  return sources.flatMap((one, at) =>
    one.for === undefined || names.includes(one.for)
      ? []
      : [
          {
            field: `.sources[${at}].for`,
            message: `there is no node ${one.for}: the nodes are ${listed(names)}`,
          },
        ],
  );
}
