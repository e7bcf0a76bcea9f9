import type { Moment } from "../../knowledge/index.ts";
import type { Rate, Scaling } from "../../policy/index.ts";

/** The arithmetic of shares: exact, or with the rounding errors of doubles that the HorizontalPodAutoscaler has. */
export type Arithmetic = "Exact" | "Doubles";

/** What rates are judged by. */
export interface Pace {
  readonly current: number;
  /** By how much the node was scaled, and when; below 0 is down. */
  readonly scaled: readonly Moment[];
  readonly nowMs: number;
  readonly arithmetic: Arithmetic;
}

/**
 * The most that may run now, by the rates of scaling up. Several rates: the one that allows the most, or the least
 * (`select`). Never below what runs. Source: HorizontalPodAutoscaler v2, `behavior.scaleUp`.
 */
export function mostByRate({ select, rates }: Scaling, pace: Pace): number {
  const limits = rates.map((rate) => limitUp(rate, startOf(rate, pace), pace.arithmetic));
  const limit = select === "Max" ? Math.max(...limits) : Math.min(...limits);
  return select === "Disabled" ? pace.current : Math.max(limit, pace.current);
}

/** The least that must run now, by the rates of scaling down; never above what runs. Source: as above, `scaleDown`. */
export function leastByRate({ select, rates }: Scaling, pace: Pace): number {
  const limits = rates.map((rate) => limitDown(rate, startOf(rate, pace), pace.arithmetic));
  const limit = select === "Max" ? Math.min(...limits) : Math.max(...limits);
  return select === "Disabled" ? pace.current : Math.min(limit, pace.current);
}

/** What ran when the period began: what was added since is taken off, and what was removed is put back. */
function startOf({ periodSeconds }: Rate, { current, scaled, nowMs }: Pace): number {
  const sinceMs = nowMs - periodSeconds * 1_000;
  return scaled.reduce((start, [atMs, change]) => (atMs > sinceMs ? start - change : start), current);
}

function limitUp({ type, value }: Rate, start: number, arithmetic: Arithmetic): number {
  if (type === "Pods") return start + value;
  return arithmetic === "Exact"
    ? Math.ceil((start * (100 + value)) / 100)
    : Math.ceil(start * (1 + value / 100));
}

function limitDown({ type, value }: Rate, start: number, arithmetic: Arithmetic): number {
  if (type === "Pods") return start - value;
  return arithmetic === "Exact"
    ? Math.floor((start * (100 - value)) / 100)
    : Math.trunc(start * (1 - value / 100));
}

/** The most that could run without any behavior: twice what runs, and at least four, in the HorizontalPodAutoscaler. */
export const mostAtOnce = (current: number, factor = 2): number => Math.max(factor * current, 4);
