import type { Policy } from "../../host/policy/index.ts";
import type { Topology } from "../../host/topology/index.ts";
import { guardrails, node, policy, topology } from "../builders.ts";

/** An application and the policy over it that answers are tried on. */
export interface Stage {
  readonly topology: Topology;
  readonly policy: Policy;
  readonly names: readonly string[];
}

const GI = 2 ** 30;
/** Of these nodes an answer may change what an instance has, within these bounds. */
const SHAPE = { resources: { cpu: 1, memory: GI }, adjustable: ["cpu", "memory"] } as const;
export const SHAPES = { cpu: { min: 0.1, max: 8 }, memory: { min: GI / 4, max: 4 * GI } } as const;
const resources = { bounds: SHAPES, tolerance: 0.1, cooldownSeconds: 0 };

const stage = (totalMax: number | undefined, ...nodes: ReturnType<typeof node>[]): Stage => ({
  topology: topology(...nodes),
  policy: policy({ guardrails: guardrails({ totalMax, resources }) }),
  names: nodes.map(({ name }) => name),
});

/** Small and large applications, with and without a total, at, below and above their limits. */
export const STAGES: readonly Stage[] = [
  stage(undefined, node("split", 2)),
  stage(20, node("split", 3, SHAPE), node("count", 2, { ceiling: 6 }), node("sink", 1, { max: 4, ...SHAPE })),
  // Above its bounds and its total as it stands, one node asleep, one that may sleep.
  stage(
    12,
    node("split", 30),
    node("asleep", 0, { min: 0 }),
    node("count", 9, { min: 4, max: 8 }),
    node("idle", 1, { min: 0, max: 3 }),
  ),
  // Fewer in total than it has nodes that run.
  stage(2, node("a", 1, { min: 0 }), node("b", 1, { min: 0 }), node("c", 5, { min: 0 }), node("tostring", 4)),
  stage(2_147_483_647, node("split", 1, { max: 2_147_483_647 }), node("length", 1, { min: 1, max: 1 })),
  stage(
    100,
    ...Array.from({ length: 64 }, (_, at) =>
      node(`n${at}`, at % 7, { min: at % 3, max: 3 + (at % 30), ...(at % 5 === 0 ? { ceiling: 4 } : {}) }),
    ),
  ),
];
