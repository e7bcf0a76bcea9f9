import type { Moment } from "../../knowledge/index.ts";

/**
 * Adds a moment. One that is from before `sinceMs` counts no more: the last such is replaced, so that the list does not
 * grow for ever.
 */
export function keep(moments: readonly Moment[], moment: Moment, sinceMs: number): Moment[] {
  const old = moments.findLastIndex(([atMs]) => atMs < sinceMs);
  return old === -1 ? [...moments, moment] : moments.with(old, moment);
}

/** Without what is from before `sinceMs`, oldest first. */
export const since = (moments: readonly Moment[], sinceMs: number): Moment[] =>
  moments.filter(([atMs]) => atMs >= sinceMs).sort(([one], [other]) => one - other);

/**
 * Without those that can be neither the least nor the most of any time up to now: a later one is at least as large, and a
 * later one is at most as large. A number that does not change stays one moment, however often it is said.
 */
export function telling(moments: readonly Moment[]): Moment[] {
  const kept: Moment[] = [];
  let [least, most] = [Infinity, -Infinity];
  for (const moment of moments.toReversed()) {
    const [, value] = moment;
    if (value >= least && value <= most) continue;
    kept.push(moment);
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return kept.toReversed();
}
