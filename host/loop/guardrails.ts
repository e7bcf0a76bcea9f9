import type { Change, Decision, Reason, Verdict, Wanted } from "../knowledge/index.ts";
import type { Bounds, Guardrails } from "../policy/index.ts";
import type { Topology, TopologyNode } from "../topology/index.ts";
import { fairShare } from "./share.ts";

/** Moves a verdict, or leaves it as it is. */
type Rail = (verdict: Verdict) => Verdict;

/**
 * What is granted of what is wanted, with a reason for every number that was moved. Pure. The rails stand in the order
 * in which they win: a later one has the last word.
 */
export function guard(wanted: readonly Wanted[], topology: Topology, guardrails: Guardrails): Decision {
  const wants = new Map(wanted.map((want) => [want.node, want]));
  const bounded = topology.nodes.map((node) => {
    const start = verdictOf(node, wants.get(node.name));
    return [bound(node), ceiling(node), zero].reduce((verdict, rail) => rail(verdict), start);
  });
  const verdicts = total(bounded, topology.nodes, guardrails.totalMax);
  return { verdicts, changes: changesOf(verdicts, topology.nodes) };
}

const verdictOf = (node: TopologyNode, want: Wanted | undefined): Verdict => ({
  node: node.name,
  current: node.parallelism,
  wanted: want?.parallelism,
  granted: want?.parallelism ?? node.parallelism,
  reasons: [],
  ...(want?.says === undefined ? {} : { says: want.says }),
});

/** Brings the number inside the node's bounds, also where nothing was wanted. */
const bound =
  ({ min, max }: Bounds): Rail =>
  (verdict) =>
    limit(verdict, Math.min(max, Math.max(min, verdict.granted)), "OutOfBounds");

/** More than the ceiling cannot work in parallel, so it is not granted. */
const ceiling =
  (node: TopologyNode): Rail =>
  (verdict) =>
    limit(verdict, Math.min(node.ceiling ?? Infinity, verdict.granted), "AboveCeiling");

/** What runs is not stopped altogether: that takes an opt-in and evidence. */
const zero: Rail = (verdict) =>
  verdict.current > 0 && verdict.granted === 0 ? limit(verdict, 1, "ZeroNotAllowed") : verdict;

/**
 * Keeps the sum under the total. Who shrinks shrinks; what is left is shared among those who grow, the smallest first.
 * Where the rest alone is above the total, the largest give way, none below its minimum and none that runs to zero.
 */
function total(
  verdicts: readonly Verdict[],
  nodes: readonly TopologyNode[],
  max: number | undefined,
): Verdict[] {
  if (max === undefined || sum(verdicts.map((verdict) => verdict.granted)) <= max) return [...verdicts];
  // What is had already, and a minimum, come before what is only wanted; the last of what runs comes before all.
  const least = verdicts.map(({ current }, at) => Math.max(nodes[at]?.min ?? 0, Math.min(current, 1)));
  const kept = verdicts.map(({ current, granted }, at) =>
    Math.min(granted, Math.max(current, least[at] ?? 0)),
  );
  const fits = sum(kept) <= max;
  const shares = fits
    ? fairShare(
        max,
        kept,
        verdicts.map((verdict) => verdict.granted),
      )
    : fairShare(
        max,
        least.map((one, at) => Math.min(one, kept[at] ?? 0)),
        kept,
      );
  return verdicts.map((verdict, at) => limit(verdict, shares[at] ?? verdict.granted, "TotalExceeded"));
}

function changesOf(verdicts: readonly Verdict[], nodes: readonly TopologyNode[]): Change[] {
  return verdicts.flatMap((verdict, at) => {
    const node = nodes[at];
    if (node === undefined || verdict.granted === verdict.current) return [];
    return [{ node: verdict.node, from: verdict.current, to: verdict.granted, revision: node.revision }];
  });
}

/** Adds a reason only when a rail really moved the number. */
const limit = (verdict: Verdict, granted: number, reason: Reason): Verdict =>
  granted === verdict.granted ? verdict : { ...verdict, granted, reasons: [...verdict.reasons, reason] };

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
