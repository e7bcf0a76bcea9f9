import type { Dimension, Resources } from "./resources.ts";

/** One operator of the application, with a parallelism of its own. */
export interface TopologyNode {
  readonly name: string;
  /** What stands behind the node, such as `Deployment`. */
  readonly kind: string;
  /** What is asked of the application now: replicas, vertex parallelism or threads, as the driver says. */
  readonly parallelism: number;
  /** How much of it serves. */
  readonly ready: number;
  readonly min: number;
  readonly max: number;
  /** Not less than this for now, whatever else may be; only the guardrails are told. */
  readonly keep?: number;
  /** More than this cannot work in parallel, such as the partitions of a topic. */
  readonly ceiling?: number;
  /** Parallelism comes in whole multiples of this, such as the threads of an instance; absent is 1. Only the guardrails are told. */
  readonly unit?: number;
  /** Parallelism should divide this, such as the key groups of a job. */
  readonly alignTo?: number;
  readonly slotGroup?: string;
  /** What each instance has; absent where the policy changes none of it, or the driver cannot. */
  readonly resources?: Resources;
  /** What of it the driver can change; absent is nothing. Only the guardrails are told. */
  readonly adjustable?: readonly Dimension[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Whether the application has caught up with what is asked of it; absent, it has when all of it is ready. Never shown either. */
  readonly settled?: boolean;
  /** How much of it may be taken away now by the disruption budgets that cover it; absent is any number. Never shown either. */
  readonly spare?: number;
  /**
   * The version that was read, what stands before an `@` being the object's own: a write names it, and fails if the target has
   * changed since. Never shown to an algorithm.
   */
  readonly revision: string;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly shipStrategy?: string;
}

/** The application as a graph, as the driver found it in this pass. */
export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly Edge[];
  /** Since when it has run without a restart, RFC 3339; absent where that is not known. */
  readonly runningSince?: string;
  /** Slots of what runs it; absent where it has none. */
  readonly slots?: { readonly total: number; readonly free: number };
  /** Why nothing new is to be decided on it now, such as a job that restarts; what ran out of time is taken back all the same. */
  readonly unsteady?: string;
}

/** What of a revision stays the same as long as the object is the same. */
export const objectOf = (revision: string): string => revision.split("@")[0] ?? "";
