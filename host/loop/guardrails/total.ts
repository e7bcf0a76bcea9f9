import type { Verdict } from "../../knowledge/index.ts";
import { moved } from "./verdict.ts";
import { fairShare } from "./share.ts";

/** A verdict with the least that its node keeps whatever the total says. */
export interface Claim {
  readonly verdict: Verdict;
  readonly least: number;
}

/**
 * Keeps the sum under the total. Who shrinks shrinks; what is left is shared among those who grow, the smallest first.
 * Where the rest alone is above the total, the largest give way, none below its least.
 */
export function total(claims: readonly Claim[], max: number | undefined): Verdict[] {
  const verdicts = claims.map(({ verdict }) => verdict);
  const granted = verdicts.map((verdict) => verdict.granted);
  if (max === undefined || sum(granted) <= max) return verdicts;
  // What is had already, and a minimum, come before what is only wanted.
  const kept = claims.map(({ verdict, least }) =>
    Math.min(verdict.granted, Math.max(verdict.current, least)),
  );
  const least = claims.map((claim, at) => Math.min(claim.least, kept[at] ?? 0));
  const shares = sum(kept) <= max ? fairShare(max, kept, granted) : fairShare(max, least, kept);
  return verdicts.map((verdict, at) => moved(verdict, shares[at] ?? verdict.granted, "TotalExceeded"));
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
