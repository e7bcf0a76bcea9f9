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
  const grouped = groupsOf(claims);
  const needs = [...grouped.values()].map(needOf);
  const granted = needs.map((need) => need.granted);
  if (max === undefined || sum(granted) <= max) return verdicts;
  // What is had already, and a minimum, come before what is only wanted.
  const kept = needs.map((need) => need.kept);
  const least = needs.map((need) => need.least);
  const shares = sum(kept) <= max ? fairShare(max, kept, granted) : fairShare(max, least, kept);
  const shareOf = new Map([...grouped.keys()].map((group, at) => [group, shares[at] ?? 0]));
  return claims.map(({ verdict }, at) =>
    moved(verdict, Math.min(verdict.granted, shareOf.get(groupOf(claims, at)) ?? 0), "TotalExceeded"),
  );
}

/** What counts against the total of nodes with these numbers: of one slot group the widest. */
export const counting = (
  nodes: readonly { readonly slotGroup?: string | undefined; readonly count: number }[],
): number =>
  sum(
    [...Map.groupBy(nodes, ({ slotGroup }, at) => slotGroup ?? at).values()].map((group) =>
      Math.max(...group.map(({ count }) => count)),
    ),
  );

const groupOf = (claims: readonly Claim[], at: number): string | number => claims[at]?.slotGroup ?? at;

const groupsOf = (claims: readonly Claim[]) => Map.groupBy(claims, (_claim, at) => groupOf(claims, at));

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
