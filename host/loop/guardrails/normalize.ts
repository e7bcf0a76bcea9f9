import type { Moment } from "../../knowledge/index.ts";
import type { Behavior, Bounds } from "../../policy/index.ts";
import { keep } from "./moments.ts";
import { leastByRate, mostAtOnce, mostByRate, type Arithmetic } from "./rate.ts";

/** A number that is wanted, and everything that says how much of it may be had now. */
export interface Wish {
  readonly current: number;
  readonly wanted: number;
  readonly bounds: Bounds;
  readonly wants: readonly Moment[];
  readonly scaled: readonly Moment[];
  readonly nowMs: number;
}

/** What may be had now, and which of the steps moved it. */
export interface Normalized {
  readonly value: number;
  readonly stabilized: "Up" | "Down" | undefined;
  readonly limited: "UpByRate" | "DownByRate" | "Most" | "Least" | undefined;
  /** The wants with this one among them. */
  readonly wants: readonly Moment[];
}

/**
 * Stabilisation both ways, then rates, then bounds, as the HorizontalPodAutoscaler v2 does them where it has a `behavior`:
 * no higher than the least that was wanted within the window for scaling up, no lower than the most within the one for
 * scaling down; what is stored is the raw wanted value.
 */
export function normalize(wish: Wish, behavior: Behavior): Normalized {
  const { current, wanted } = wish;
  const { value: calm, wants } = stabilize(wish, behavior);
  const stabilized = calm === wanted ? undefined : wanted >= current ? "Up" : "Down";
  return { ...limit(wish, calm, behavior), stabilized, wants };
}

/**
 * The same without a `behavior`: down no lower than the most that was wanted within the window, up to twice what runs and at
 * least four. `factor` is that two.
 */
export function normalizePlainly(wish: Wish, windowSeconds: number, factor = 2): Normalized {
  const sinceMs = wish.nowMs - windowSeconds * 1_000;
  const recent = wish.wants.filter(([atMs]) => atMs >= sinceMs).map(([, value]) => value);
  const calm = Math.max(wish.wanted, ...recent);
  const wants = keep(wish.wants, [wish.nowMs, wish.wanted], sinceMs);
  const { min, max } = wish.bounds;
  const most = mostAtOnce(wish.current, factor);
  const stabilized = calm === wish.wanted ? undefined : "Down";
  if (calm < min) return { value: min, limited: "Least", stabilized, wants };
  if (calm <= Math.min(max, most)) return { value: calm, limited: undefined, stabilized, wants };
  return { value: Math.min(max, most), limited: most < max ? "UpByRate" : "Most", stabilized, wants };
}

/** Brings what runs between the least that may be taken away and the most that may be added. */
export function stabilize(
  { current, wanted, wants, nowMs }: Pick<Wish, "current" | "wanted" | "wants" | "nowMs">,
  { up, down }: Pick<Behavior, "up" | "down">,
): { value: number; wants: Moment[] } {
  const [upMs, downMs] = [nowMs - up.windowSeconds * 1_000, nowMs - down.windowSeconds * 1_000];
  const within = (sinceMs: number) => wants.filter(([atMs]) => atMs > sinceMs).map(([, value]) => value);
  const least = Math.min(wanted, ...within(upMs));
  const most = Math.max(wanted, ...within(downMs));
  return {
    value: Math.min(Math.max(current, least), most),
    wants: keep(wants, [nowMs, wanted], Math.min(upMs, downMs)),
  };
}

/** Rates and bounds, in the direction in which the number goes. */
export function limit(
  { current, bounds, scaled, nowMs }: Omit<Wish, "wanted" | "wants">,
  value: number,
  { up, down, arithmetic }: Behavior & { readonly arithmetic: Arithmetic },
): Pick<Normalized, "value" | "limited"> {
  const pace = { current, scaled, nowMs, arithmetic };
  if (value > current) {
    const rated = mostByRate(up, pace);
    const most = Math.min(bounds.max, rated);
    return value <= most
      ? { value, limited: undefined }
      : { value: most, limited: rated < bounds.max ? "UpByRate" : "Most" };
  }
  if (value === current) return { value, limited: undefined };
  const rated = leastByRate(down, pace);
  const least = Math.max(bounds.min, rated);
  return value >= least
    ? { value, limited: undefined }
    : { value: least, limited: rated > bounds.min ? "DownByRate" : "Least" };
}
