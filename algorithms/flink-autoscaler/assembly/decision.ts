import { fail, figure } from "@sluice/pdk";
import { Alignment, partsOf } from "./alignment";
import { rounded, toInt } from "./arithmetic";
import { Delay } from "./delay";
import { capacity, Evaluated } from "./evaluation";
import { Vertex } from "./graph";
import { Options } from "./options";
import { scalability, Scaling } from "./scalings";

/** What is decided for one vertex, and why. */
export class Decision {
  parallelism: i32;
  /** Whether the vertex is outside its bounds, so that the job is worth a restart. */
  outside: bool = false;
  /** What it should process then; NaN if nothing was computed. */
  expected: f64 = NaN;
  /** The scale-down that waits, after this decision. */
  delay: Delay | null = null;
  reason: string = "";
  /** Whether there is a figure at all; without one the vertex is left out of the plan. */
  known: bool = true;
  warning: string = "";

  constructor(readonly current: i32) {
    this.parallelism = current;
  }
}

/** The parallelism that a factor leads to. */
export class Scale {
  constructor(
    readonly parallelism: i32,
    /** What it would be without alignment. */
    readonly unaligned: i32,
    /** Whether nothing aligned was found where a deprecated mode wants it. */
    readonly limited: bool,
  ) {}
}

/** The parallelism for a factor, within its bounds and aligned. */
export function scale(vertex: Vertex, factor: f64, least: i32, most: i32, mode: string): Scale {
  if (least > most) fail(`${vertex.name}: its least parallelism, ${least}, is above its most, ${most}`);
  const wanted = toInt(Math.min(Math.ceil(factor * <f64>vertex.parallelism), 2147483647));
  const bound = min(vertex.maxParallelism, most);
  const unaligned = min(max(least, wanted), bound);
  const parts = partsOf(vertex.partitions, vertex.strategies, vertex.maxParallelism);
  if (parts == 0) return new Scale(unaligned, unaligned, false);
  const alignment = new Alignment(mode, vertex.parallelism, parts, least, bound);
  const parallelism = alignment.align(unaligned);
  return new Scale(parallelism, unaligned, alignment.limited);
}

/** Decides for one vertex. */
export function decide(
  vertex: Vertex,
  seen: Evaluated,
  past: Scaling[],
  delay: Delay | null,
  restartSeconds: f64,
  now: f64,
  options: Options,
): Decision {
  const decision = new Decision(vertex.parallelism);
  decision.delay = delay;
  const need = capacity(seen.target, seen.catchUp, options.utilizationTarget, true, restartSeconds, options);
  if (isNaN(seen.trueRate) || isNaN(need)) {
    decision.known = false;
    decision.reason = isNaN(seen.trueRate) ? "its processing rate is not known" : "its input is not known";
    return decision;
  }
  if (!options.compat && keeps(decision, vertex, seen, need, options)) return decision;
  const factor = clamped(need / seen.trueRate / coefficientOf(past, options), options);
  const least = min(vertex.parallelism, options.vertexMin);
  const bound = options.compat ? options.vertexMax : min(options.vertexMax, max(1, vertex.max));
  const scaled = scale(vertex, factor, least, max(vertex.parallelism, bound), options.alignment);
  explain(decision, vertex, seen, need, scaled);
  if (scaled.parallelism == vertex.parallelism) {
    decision.delay = null;
    return decision;
  }
  decision.expected = rounded((seen.trueRate / <f64>vertex.parallelism) * <f64>scaled.parallelism);
  decision.outside = seen.trueRate < seen.scaleUpBelow || seen.trueRate > seen.scaleDownAbove;
  if (scaled.parallelism > vertex.parallelism) grow(decision, scaled.parallelism, seen, past, options);
  else shrink(decision, scaled.parallelism, seen, now, options);
  return decision;
}

function coefficientOf(past: Scaling[], options: Options): f64 {
  return options.scalabilityObserved ? scalability(past, options) : 1;
}

function clamped(factor: f64, options: Options): f64 {
  const least = 1 - options.scaleDownMaxFactor;
  const most = 1 + options.scaleUpMaxFactor;
  return factor < least ? least : factor > most ? most : factor;
}

/** What says more than the figures do; upstream knows none of it. */
function keeps(decision: Decision, vertex: Vertex, seen: Evaluated, need: f64, options: Options): bool {
  if (vertex.parallelism == 0) {
    decision.reason = "it is stopped: there is no rate of an instance to go by";
    return true;
  }
  if (!isFinite(seen.trueRate) && need > 0) {
    decision.reason = `it processes nothing although ${figure(need)}/s are needed: no rate to go by`;
    return true;
  }
  return false;
}

function explain(decision: Decision, vertex: Vertex, seen: Evaluated, need: f64, scaled: Scale): void {
  const target = `${figure(seen.target)}/s`;
  const lag = seen.catchUp > 0 ? ` and ${figure(seen.catchUp)}/s of lag` : "";
  const each = seen.trueRate / <f64>vertex.parallelism;
  const able = isFinite(each) ? `, at ${figure(each)}/s an instance` : ", and nothing keeps it busy";
  decision.reason = `${target}${lag} need ${figure(need)}/s of capacity${able}`;
  if (scaled.parallelism != scaled.unaligned) decision.reason += `; ${scaled.unaligned} aligned to ${scaled.parallelism}`;
  if (scaled.limited)
    decision.warning = `${vertex.name}: ${scaled.unaligned} could not be aligned, it is ${scaled.parallelism}`;
}

function grow(decision: Decision, to: i32, seen: Evaluated, past: Scaling[], options: Options): void {
  decision.delay = null;
  if (past.length > 0 && wasIneffective(decision.current, seen, past[past.length - 1], options)) {
    const blocked = options.effectivenessDetected;
    decision.warning = `the last scale-up to ${decision.current} had too little effect`;
    if (blocked) {
      decision.outside = false;
      decision.reason += `; kept at ${decision.current}, the last scale-up had too little effect`;
      return;
    }
  }
  decision.parallelism = to;
}

/** Whether the last scaling went up to where the vertex is, and brought too little of what it should have. */
function wasIneffective(current: i32, seen: Evaluated, last: Scaling, options: Options): bool {
  if (current != last.to || last.to <= last.from) return false;
  const expected = last.expected - last.trueRate;
  // Without an expected gain there is nothing to compare with; upstream takes the NaN for a failure.
  if (!options.compat && !(expected > 0)) return false;
  return !((seen.trueRate - last.trueRate) / expected >= options.effectivenessThreshold);
}

function shrink(decision: Decision, to: i32, seen: Evaluated, now: f64, options: Options): void {
  if (!options.compat && seen.load > Math.min(1, options.upperUtilization)) {
    decision.outside = false;
    decision.delay = null;
    decision.reason += `; kept at ${decision.current}, it is busy for ${figure(seen.load * 100)} % of its time`;
    return;
  }
  if (options.scaleDownIntervalMs <= 0) {
    decision.parallelism = to;
    return;
  }
  const known = decision.delay;
  const delay = known === null ? new Delay(now) : known;
  decision.delay = delay;
  delay.recommend(now, to, decision.outside);
  const start = now - options.scaleDownIntervalMs;
  if (start < delay.since) {
    const seconds = Math.ceil((delay.since - start) / 1000);
    decision.outside = false;
    decision.reason += `; scale-down to ${delay.most} at most waits ${figure(seconds)} s more`;
    return;
  }
  delay.forget(start);
  decision.parallelism = delay.most;
  decision.outside = delay.isOutside;
}
