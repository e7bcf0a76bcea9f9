import type { Iteration, Memory } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Topology } from "../topology/index.ts";
import { counted, guard } from "./guardrails/index.ts";
import { narrow, type Fixed, type Hold } from "./narrow.ts";

/**
 * What is asked by hand, and what was left to others. An override stays inside the node's bounds; a node that is left to
 * somebody else stays where they put it, also outside of them. Pure.
 */
export function holdOf({ byHand }: Policy, topology: Topology, memory: Memory | undefined): Hold {
  const { override, isUpPaused, isDownPaused } = byHand;
  const fixed = topology.nodes.flatMap(({ name, parallelism, min, max }): [string, Fixed][] => {
    const asked = override.get(name);
    if (asked !== undefined) return [[name, { at: Math.min(max, Math.max(min, asked)), reason: "Override" }]];
    const isLeft = memory?.nodes[name]?.yielded !== undefined;
    return isLeft ? [[name, { at: parallelism, reason: "Yielded" }]] : [];
  });
  return { fixed: new Map(fixed), isUpPaused, isDownPaused };
}

/**
 * A pass that failed, with the override carried out all the same: it is asked for when an algorithm or its sources do not
 * answer as much as at any other time. The pass keeps its fault.
 */
export function overridden(policy: Policy, pass: Iteration, at: Date): Iteration {
  const { topology, memory } = pass;
  if (topology === undefined || policy.mode !== "Enforce" || pass.decision !== undefined) return pass;
  if (!topology.nodes.some(({ name }) => policy.byHand.override.has(name))) return pass;
  const allowed = narrow(topology, [], [], "node", holdOf(policy, topology, memory));
  const ground = { topology: allowed.topology, sources: {}, memory, at };
  const guarded = guard([], ground, { ...policy.guardrails, behavior: undefined, nodes: {} });
  const all = allowed.explain(guarded.decision);
  const isAsked = ({ node }: { readonly node: string }) => policy.byHand.override.has(node);
  const decision = {
    verdicts: all.verdicts.map((one) => (isAsked(one) ? one : { ...one, granted: one.current, reasons: [] })),
    changes: all.changes.filter(isAsked),
  };
  const outcome = decision.changes.length > 0 ? ("Open" as const) : pass.outcome;
  return { ...pass, decision, outcome, memory: counted(memory, decision, policy.guardrails, at) };
}
