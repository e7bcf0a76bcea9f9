import type { Decision, Verdict } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Topology } from "../topology/index.ts";
import { FREE, type Hold } from "./narrow.ts";
import type { Standing } from "./settle.ts";

/**
 * The decision that takes back what ran out of time, where the policy wants that: to what was before, inside the nodes'
 * bounds. Where that would exceed the total, what would have to grow stays, and what people hold stays anyway. Undefined if nothing is to be taken back.
 */
export function rollback(
  found: readonly Standing[],
  topology: Topology,
  { guardrails, settle, mode }: Policy,
  hold: Hold = FREE,
): Decision | undefined {
  if (settle?.onFailure !== "Rollback" || mode !== "Enforce") return undefined;
  const before = new Map(
    found.flatMap(({ node, settling, ranOut }) => (ranOut && settling ? [[node.name, settling.from]] : [])),
  );
  const verdicts = topology.nodes.map(({ name, parallelism, min, max }): Verdict => {
    const from = before.get(name);
    const back = from === undefined ? parallelism : Math.min(max, Math.max(min, from));
    const granted = isHeld(hold, name, back - parallelism) ? parallelism : back;
    const reasons = granted === parallelism ? [] : (["RolledBack"] as const);
    return { node: name, current: parallelism, wanted: undefined, granted, reasons };
  });
  const sum = verdicts.reduce((all, { granted }) => all + granted, 0);
  const fits = sum <= (guardrails.totalMax ?? Infinity);
  const granted = verdicts.map((one) =>
    fits || one.granted <= one.current ? one : { ...one, granted: one.current, reasons: [] },
  );
  const revisions = new Map(topology.nodes.map(({ name, revision }) => [name, revision]));
  const changes = granted
    .filter((one) => one.granted !== one.current)
    .map((one) => ({
      node: one.node,
      from: one.current,
      to: one.granted,
      revision: revisions.get(one.node) ?? "",
    }));
  return changes.length === 0 ? undefined : { verdicts: granted, changes };
}

/** What people want of a node comes first. */
const isHeld = ({ fixed, isUpPaused, isDownPaused }: Hold, node: string, change: number): boolean =>
  fixed.has(node) || (change < 0 && isDownPaused) || (change > 0 && isUpPaused);
