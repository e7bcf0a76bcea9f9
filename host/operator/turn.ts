import type { Time } from "../kube/index.ts";
import type { PolicyKey } from "../policy/index.ts";
import { weight } from "./rendezvous.ts";

/** A turn is moved by half of this at the most, however long the interval is. */
const LONGEST_GRID_MS = 60_000;
const WEIGHTS = 2 ** 32;
/** Policies that come together come so far apart: about what a pass takes in one process. */
const APART_MS = 10;
/** What is asked for comes up to this much later, so that many who failed together do not come back together. */
const LATER_SHARE = 0.05;

export interface Turn {
  readonly key: PolicyKey;
  readonly startedMs: number;
  /** Undefined waits for the policy's next change. */
  readonly againSeconds: number | undefined;
  /** Whether that is the policy's interval; absent, something asks for it, such as a server that wants to be left alone. */
  readonly isRegular?: boolean | undefined;
  /**
   * How many policies its namespace has, where they are to come together, since a process is started for all of them;
   * undefined where it does not matter whose policy is next.
   */
  readonly together?: number | undefined;
}

/**
 * When a policy is next, in milliseconds of `elapsedMs`. Regular turns have a place by the policy's key: ten thousand that
 * began together come evenly from their second turn on, which is up to half an interval, or half a minute, sooner or
 * later; from then on each comes after exactly its interval, and one that was late is not late again for that. Other
 * turns are never sooner than asked.
 */
export function nextTurnMs(time: Time, turn: Turn): number {
  const { startedMs, againSeconds, isRegular = false } = turn;
  if (againSeconds === undefined) return Infinity;
  const waitMs = againSeconds * 1_000;
  if (!isRegular) return startedMs + waitMs * (1 + LATER_SHARE * time.random());
  const gridMs = waitMs / Math.ceil(waitMs / LONGEST_GRID_MS);
  const place = placeMs(turn, gridMs);
  return place + Math.round((startedMs + waitMs - place) / gridMs) * gridMs;
}

function placeMs({ key, together }: Turn, gridMs: number): number {
  if (together === undefined) return share(key) * gridMs;
  const [namespace = ""] = key.split("/");
  return share(namespace) * gridMs + share(key) * Math.min(gridMs, together * APART_MS);
}

/** At least 0 and below 1, by chance but always the same. */
const share = (text: string): number => weight(text, 0) / WEIGHTS;
