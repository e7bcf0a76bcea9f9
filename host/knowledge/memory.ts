import type { FaultCode } from "../fault/index.ts";
import type { Reshape, Resources } from "../topology/index.ts";

/**
 * What the host itself has to remember of a policy from pass to pass, so that a restart forgets no window, rate or owner.
 * Compact: a copy stands in `status.checkpoint`. Plain JSON. Times are in ms since 1970.
 */
export interface Memory {
  /** By the node's name. */
  readonly nodes: Readonly<Record<string, NodeMemory>>;
  /** Since when every pass has failed; absent while passes succeed. */
  readonly failingSinceMs?: number;
  /** What had been remembered was lost then: nothing shrinks before every window has passed since. */
  readonly lostAtMs?: number;
  /** Of the lease under which it was written; absent where one replica has all policies. */
  readonly epoch?: number;
}

/** A number and when it was said. */
export type Moment = readonly [atMs: number, value: number];

/** What is remembered of one node. */
export interface NodeMemory {
  /** What the algorithm wanted, before any guardrail, as far back as the stabilisation windows reach; oldest first. */
  readonly wants?: readonly Moment[];
  /** By how much it was scaled, as far back as the rates reach; below 0 is down; oldest first. */
  readonly scaled?: readonly Moment[];
  /** The last change's direction, 1 or -1, and when within the last hour it turned. */
  readonly direction?: number;
  readonly turned?: readonly number[];
  /** Since when all its signals are quiet. */
  readonly quietSinceMs?: number;
  /** The last decision wanted no more than the idle parallelism. */
  readonly wantedIdle?: true;
  /** What was found before this policy first wrote: what `onDelete: Restore` brings back. */
  readonly found?: number;
  /** What this policy wrote last: another number is somebody else's. */
  readonly wrote?: number;
  /** The object that it wrote: one that was made anew under its name is nobody's change. */
  readonly wroteTo?: string;
  /** When this policy last changed what an instance has, and what it found before it first did. */
  readonly reshaped?: { readonly atMs: number; readonly found: Resources };
  /** Somebody else set another number, and the node is left to them. */
  readonly yielded?: Yielded;
  /** A change that was written and has not been seen to serve. */
  readonly settling?: Settling;
  /** A change that came to nothing: neither it nor more of it is tried for a while. */
  readonly refused?: Refused;
}

export interface Yielded {
  /** What this policy wrote, and what the other made of it. */
  readonly from: number;
  readonly to: number;
  /** The policy's generation: another spec takes the node back. */
  readonly generation: number;
  /** Who it was, where the cluster says it. */
  readonly by?: string;
}

export interface Settling {
  readonly from: number;
  readonly to: number;
  /** What each instance was to have besides. */
  readonly resources?: Reshape;
  readonly sinceMs: number;
  /** What served when it was written. */
  readonly ready: number;
  /** It did not come to serve in time, and was left as it is. */
  readonly late?: true;
}

export interface Refused {
  readonly from: number;
  readonly to: number;
  /** What each instance was to have besides. */
  readonly resources?: Reshape;
  readonly untilMs: number;
  /** How often in a row: the wait grows with it. */
  readonly times: number;
  readonly code: FaultCode;
  readonly message: string;
}
