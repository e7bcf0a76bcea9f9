import type { Change, Decision, Verdict } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import { takenBack, type Topology, type TopologyNode } from "../topology/index.ts";
import { counting } from "./guardrails/index.ts";
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
    found.flatMap(({ node, settling, ranOut }) => (ranOut && settling ? [[node.name, settling]] : [])),
  );
  const verdicts = topology.nodes.map(({ name, parallelism, min, max }): Verdict => {
    const from = before.get(name)?.from;
    const back = from === undefined ? parallelism : Math.min(max, Math.max(min, from));
    const granted = isHeld(hold, name, back - parallelism) ? parallelism : back;
    const reasons = granted === parallelism ? [] : (["RolledBack"] as const);
    return { node: name, current: parallelism, wanted: undefined, granted, reasons };
  });
  const counts = verdicts.map(({ granted: count }, at) => ({
    count,
    slotGroup: topology.nodes[at]?.slotGroup,
  }));
  const fits = counting(counts) <= (guardrails.totalMax ?? Infinity);
  const granted = verdicts.map((one) =>
    fits || one.granted <= one.current ? one : { ...one, granted: one.current, reasons: [] },
  );
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]));
  const changes = granted.flatMap(({ node, current, granted: to }): Change[] => {
    const reshape = hold.fixed.has(node) ? undefined : before.get(node)?.resources;
    if (to === current && reshape === undefined) return [];
    const { revision = "" } = nodes.get(node) ?? {};
    const resources = reshape === undefined ? {} : { resources: takenBack(reshape) };
    return [{ node, from: current, to, ...resources, revision }];
  });
  if (changes.length === 0) return undefined;
  return { verdicts: granted.map((one) => explained(one, nodes.get(one.node), changes)), changes };
}

/** The verdict with what its instances are given back. */
function explained(verdict: Verdict, node: TopologyNode | undefined, changes: readonly Change[]): Verdict {
  const back = changes.find((change) => change.node === verdict.node)?.resources;
  if (back === undefined) return verdict;
  const { resources: current = {} } = node ?? {};
  const resources = {
    current,
    wanted: {},
    granted: { ...current, ...back.to },
    reasons: ["RolledBack"] as const,
  };
  return { ...verdict, resources, reasons: ["RolledBack"] };
}

/** What people want of a node comes first. */
const isHeld = ({ fixed, isUpPaused, isDownPaused }: Hold, node: string, change: number): boolean =>
  fixed.has(node) || (change < 0 && isDownPaused) || (change > 0 && isUpPaused);
