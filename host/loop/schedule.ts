import type { Iteration } from "../knowledge/index.ts";

/** Ten minutes at an interval of 15 s: after that a policy that keeps failing costs next to nothing. */
const BACKOFF_DOUBLINGS = 5;
const LONGEST_WAIT_SECONDS = 600;

/**
 * Seconds until a policy runs next, counted from the start of its last pass: its interval, or longer the more often it
 * has failed in a row. What the other side asked for (`retryAfterSeconds`) is the least.
 */
export function nextPassSeconds(intervalSeconds: number, failures: number, retryAfterSeconds = 0): number {
  const backedOff = Math.min(
    intervalSeconds * 2 ** Math.min(failures, BACKOFF_DOUBLINGS),
    LONGEST_WAIT_SECONDS,
  );
  return Math.max(intervalSeconds, backedOff, retryAfterSeconds);
}

/** A pass costs something, and what it waits for takes seconds. */
const FOLLOW_UP_SECONDS = 5;
const SOONEST_SECONDS = 1;

/**
 * Seconds until a policy should be looked at again although its interval is longer: soon where a change waits for an earlier
 * one to serve, at once where the pass only finished what an earlier one had decided, and when the algorithm asked for it. Undefined where nothing is pressing.
 */
export function followUpSeconds(iteration: Iteration): number | undefined {
  const { decision, outcome, resumed, fault, recheckAfterSeconds } = iteration;
  // What fails is not tried sooner.
  if (fault !== undefined) return undefined;
  if (resumed === true && outcome === "Scaled") return SOONEST_SECONDS;
  const waits = decision?.verdicts.some(({ reasons }) => reasons.includes("Settling")) ?? false;
  const soonest = Math.min(waits ? FOLLOW_UP_SECONDS : Infinity, recheckAfterSeconds ?? Infinity);
  return soonest === Infinity ? undefined : Math.max(SOONEST_SECONDS, soonest);
}
