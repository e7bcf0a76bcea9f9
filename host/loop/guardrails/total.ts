import type { Verdict } from "../../knowledge/index.ts";
import { moved } from "./verdict.ts";
import { fairShare } from "./share.ts";

/** A verdict with the least that its node keeps whatever the total says. */
export interface Claim {
  readonly verdict: Verdict;
  readonly least: number;
  /** Nodes of one group share slots: the widest of them counts. Absent, the node counts by itself. */
  readonly slotGroup: string | undefined;
}

/** What the claims of one group need: each figure is that of its widest node. */
interface Need {
  readonly granted: number;
  readonly kept: number;
  readonly least: number;
}

/**
 * Keeps the sum over all groups under the total. Who shrinks shrinks; what is left is shared among those who grow, the
 * smallest first. Where the rest alone is above the total, the largest give way, none below its least.
 */
export function total(claims: readonly Claim[], max: number | undefined): Verdict[] {
  const verdicts = claims.map(({ verdict }) => verdict);
  const groups = groupsOf(claims);
  const needs = groups.map(needOf);
  const granted = needs.map((need) => need.granted);
  if (max === undefined || sum(granted) <= max) return verdicts;
  // What is had already, and a minimum, come before what is only wanted.
  const kept = needs.map((need) => need.kept);
  const least = needs.map((need) => need.least);
  const shares = sum(kept) <= max ? fairShare(max, kept, granted) : fairShare(max, least, kept);
  const shareOf = new Map(groups.flatMap((group, at) => group.map((claim) => [claim, shares[at] ?? 0])));
  return claims.map((claim) =>
    moved(claim.verdict, Math.min(claim.verdict.granted, shareOf.get(claim) ?? 0), "TotalExceeded"),
  );
}

/** What counts against the total of nodes with these numbers: of one slot group the widest. */
export const counting = (nodes: readonly (Grouped & { readonly count: number })[]): number =>
  sum(groupsOf(nodes).map((group) => Math.max(...group.map(({ count }) => count))));

interface Grouped {
  readonly slotGroup?: string | undefined;
}

const groupsOf = <Item extends Grouped>(items: readonly Item[]): Item[][] => [
  ...Map.groupBy(items, ({ slotGroup }, at) => slotGroup ?? at).values(),
];

function needOf(group: readonly Claim[]): Need {
  const widest = (figure: (claim: Claim) => number) => Math.max(...group.map(figure));
  const keptOf = ({ verdict, least }: Claim) => Math.min(verdict.granted, Math.max(verdict.current, least));
  return {
    granted: widest(({ verdict }) => verdict.granted),
    kept: widest(keptOf),
    least: widest((claim) => Math.min(claim.least, keptOf(claim))),
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
