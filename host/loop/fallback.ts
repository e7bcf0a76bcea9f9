import type { Iteration, Memory, Wanted } from "../knowledge/index.ts";
import type { Fallback, Policy } from "../policy/index.ts";
import type { TopologyNode } from "../topology/index.ts";
import { holdOf } from "./hold.ts";
import { narrow } from "./narrow.ts";
import { counted, guard } from "./guardrails/index.ts";

/** The memory after a pass that failed: since when nothing but failures. */
export const failing = (memory: Memory = { nodes: {} }, at: Date): Memory => ({
  ...memory,
  failingSinceMs: memory.failingSinceMs ?? at.getTime(),
});

/** The memory after a pass that did not fail. */
export function recovered({ failingSinceMs: _since, ...memory }: Memory): Memory {
  return memory;
}

/**
 * The pass with what is done where passes keep failing, if the policy has it and the time has come: the fallback's number
 * instead of the algorithm's, through every guardrail but stabilisation and rates, which look back on what was wanted. The
 * pass keeps its fault. Nothing is done where the application could not be read, or decisions are not acted on.
 */
export function fallenBack(policy: Policy, pass: Iteration, at: Date): Iteration {
  const { fallback } = policy.guardrails;
  const { topology, memory } = pass;
  if (fallback === undefined || topology === undefined || policy.mode !== "Enforce") return pass;
  if (dueMs(fallback, memory) > at.getTime()) return pass;
  const wanted = topology.nodes.map((node) => wantOf(fallback, node));
  const { nodes } = policy.guardrails;
  const unpaced = Object.fromEntries(
    Object.entries(nodes).map(([name, { behavior: _behavior, ...rest }]) => [name, rest]),
  );
  const rails = { ...policy.guardrails, behavior: undefined, nodes: unpaced };
  const allowed = narrow(topology, [], wanted, "node", holdOf(policy, topology, memory));
  const ground = { topology: allowed.topology, sources: {}, memory, at };
  const guarded = allowed.explain(guard(wanted, ground, rails).decision);
  const verdicts = guarded.verdicts.map((one) =>
    one.granted === one.current ? one : { ...one, reasons: ["Fallback" as const, ...one.reasons] },
  );
  const decision = { ...guarded, verdicts };
  const outcome = decision.changes.length > 0 ? ("Open" as const) : pass.outcome;
  return {
    ...pass,
    decision,
    outcome,
    fallback: true,
    memory: counted(memory, decision, policy.guardrails, at),
  };
}

/** Milliseconds from `at` until the fallback is due; undefined where there is none, or passes do not fail. */
export function fallbackInMs(policy: Policy, { memory, fallback }: Iteration, at: Date): number | undefined {
  const own = policy.guardrails.fallback;
  if (own === undefined || memory?.failingSinceMs === undefined || fallback === true) return undefined;
  return Math.max(0, dueMs(own, memory) - at.getTime());
}

const dueMs = ({ afterSeconds }: Fallback, memory: Memory | undefined): number =>
  (memory?.failingSinceMs ?? Infinity) + afterSeconds * 1_000;

/** Only `Static` may take something away. */
function wantOf(fallback: Fallback, { name: node, parallelism: current }: TopologyNode): Wanted {
  const { behavior, parallelism = current } = fallback.nodes[node] ?? fallback;
  const number = {
    Current: current,
    CurrentIfHigher: Math.max(current, parallelism),
    CurrentIfLower: current,
    Static: parallelism,
  }[behavior];
  return { node, parallelism: number };
}
