import { Value } from "@sluice/pdk";
import { hundredthsUp } from "./arithmetic";
import { Options } from "./options";
import { figureOf, json } from "./sample";

/** One scaling of a vertex: what it had, what it got, and the rates that were measured and expected. */
export class Scaling {
  constructor(
    readonly at: f64,
    readonly from: i32,
    readonly to: i32,
    readonly trueRate: f64,
    readonly expected: f64,
  ) {}

  get json(): string {
    return `[${json(this.at)},${this.from},${this.to},${json(this.trueRate)},${json(this.expected)}]`;
  }

  static of(value: Value): Scaling {
    const row = value.asList();
    const expected = row.length > 4 ? figureOf(row[4]) : NaN;
    return new Scaling(row[0].asNumber(), row[1].asWhole(), row[2].asWhole(), figureOf(row[3]), expected);
  }
}

/**
 * How much of what a new instance should add it really added, by least squares over the past scalings: from the least that is
 * configured up to 1. It is 1 as long as there are too few of them, or one without a rate.
 */
export function scalability(past: Scaling[], options: Options): f64 {
  if (past.length == 0 || past.length < options.scalabilityLeast) return 1;
  const base = baseline(past);
  if (isNaN(base)) return 1;
  let weighted: f64 = 0;
  let squares: f64 = 0;
  for (let i = 0; i < past.length; i++) {
    if (isNaN(past[i].trueRate)) return 1;
    const parallelism = <f64>past[i].from;
    weighted += parallelism * past[i].trueRate;
    squares += parallelism * parallelism;
  }
  if (squares == 0 || base == 0) return 1;
  const coefficient = weighted / (squares * base);
  if (!options.compat && !isFinite(coefficient)) return 1;
  return hundredthsUp(Math.min(1, Math.max(options.coefficientMin, coefficient)));
}

/** Rate of one instance, from the newest scaling away from the fewest instances. */
function baseline(past: Scaling[]): f64 {
  let fewest = i32.MAX_VALUE;
  let rate = NaN;
  for (let i = past.length - 1; i >= 0 && fewest > 1; i--) {
    if (past[i].from >= fewest || isNaN(past[i].trueRate)) continue;
    fewest = past[i].from;
    rate = past[i].trueRate / <f64>fewest;
  }
  return rate;
}

/** The scalings that are kept: the newest ones, and none older than the age. */
export function kept(past: Scaling[], now: f64, options: Options): Scaling[] {
  const recent: Scaling[] = [];
  for (let i = max(0, past.length - options.historyCount); i < past.length; i++)
    if (past[i].at >= now - options.historyAgeMs) recent.push(past[i]);
  return recent;
}
