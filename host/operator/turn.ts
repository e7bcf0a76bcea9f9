import type { Time } from "../kube/index.ts";
import type { PolicyKey } from "../policy/index.ts";
import { weight } from "./rendezvous.ts";

/** A turn is moved by half of this at the most, however long the interval is. */
const LONGEST_GRID_MS = 60_000;
const WEIGHTS = 2 ** 32;
/** What is asked for comes up to this much later, so that many who failed together do not come back together. */
const LATER_SHARE = 0.05;

export interface Turn {
  readonly key: PolicyKey;
  readonly startedMs: number;
  /** Undefined waits for the policy's next change. */
  readonly againSeconds: number | undefined;
  /** Whether that is the policy's interval; absent, something asks for it, such as a server that wants to be left alone. */
  readonly isRegular?: boolean | undefined;
}

/**
 * When a policy is next, in milliseconds of `elapsedMs`. Regular turns have a place by the policy's key: ten thousand that
 * began together come evenly from their second turn on, which is up to half an interval, or half a minute, sooner or
 * later; from then on each comes after exactly its interval, and one that was late is not late again for that. Other
 * turns are never sooner than asked.
 */
export function nextTurnMs(time: Time, { key, startedMs, againSeconds, isRegular = false }: Turn): number {
  if (againSeconds === undefined) return Infinity;
  const waitMs = againSeconds * 1_000;
  if (!isRegular) return startedMs + waitMs * (1 + LATER_SHARE * time.random());
  const gridMs = waitMs / Math.ceil(waitMs / LONGEST_GRID_MS);
  const placeMs = (weight(key, 0) / WEIGHTS) * gridMs;
  return placeMs + Math.round((startedMs + waitMs - placeMs) / gridMs) * gridMs;
}
