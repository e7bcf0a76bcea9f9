import type { FaultCode } from "../fault/index.ts";
import type { Journal, JournalBodies } from "./journal.ts";
import type { Memory } from "./memory.ts";
import type { Reshape, Resources, Topology } from "../topology/index.ts";

/** One number of a source. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** The node that the sample belongs to, where the source says how to tell. */
  readonly node?: string;
  readonly value: number;
  /** When it was measured, RFC 3339. */
  readonly at: string;
}

/** One partition of a topic, as a consumer group sees it. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
  /** Absent before the group's first commit. */
  readonly committed?: number;
  readonly end: number;
  readonly lag: number;
}

/** What a source said: values, nothing, or that it failed. The three are never confused. */
export type Observation =
  | {
      readonly series: readonly Sample[];
      /** Beside them, from sources that read Kafka: the partitions behind the values. */
      readonly partitions?: readonly Partition[];
      readonly at: string;
    }
  | { readonly noData: true; readonly at: string }
  | { readonly error: { readonly code: FaultCode; readonly message: string }; readonly at: string };
export type Observations = Readonly<Record<string, Observation>>;

/** What the algorithm wants for a node: a whole number, or an unrounded demand for the host to round. */
export interface Wanted {
  readonly node: string;
  readonly parallelism: number;
  /** The unrounded number, where the algorithm gave one. */
  readonly demand?: number;
  /** What each instance is to have; absent leaves it as it is. */
  readonly resources?: Resources;
  /** The algorithm's own words, cut to size. */
  readonly says?: string;
}

/** Why a number was moved. */
export type Reason =
  | "WithinTolerance"
  | "Stabilized"
  | "RateLimited"
  | "AboveCeiling"
  | "Aligned"
  | "WholeInstances"
  | "TooManyReversals"
  | "WindowUnknown"
  | "Frozen"
  | "Idle"
  | "SignalAbove"
  | "OutOfBounds"
  | "ZeroNotAllowed"
  | "TotalExceeded"
  // Passes keep failing, see host/loop/fallback.ts.
  | "Fallback"
  // What an earlier change is owed, see host/loop/settle.ts.
  | "Settling"
  | "BackingOff"
  | "RolledBack"
  | "DisruptionBudget"
  // Resources of an instance, see host/loop/guardrails/resources.ts.
  | "ResourcesNotAllowed"
  | "NotAdjustable"
  | "CoolingDown"
  // What people asked by hand, see host/loop/hold.ts.
  | "Override"
  | "DirectionPaused"
  | "Yielded";

/** One node's grant: what it has, what the algorithm wanted, what it gets and every reason that moved it. */
export interface Verdict {
  readonly node: string;
  readonly current: number;
  /** Undefined where the algorithm left the node as it is. */
  readonly wanted: number | undefined;
  readonly granted: number;
  readonly reasons: readonly Reason[];
  readonly says?: string;
  /** Of what each instance has; absent where the algorithm wants nothing of it. */
  readonly resources?: ResourceVerdict;
}

/** What each instance of a node has, what the algorithm wanted it to have, what it gets and every reason that moved it. */
export interface ResourceVerdict {
  readonly current: Resources;
  readonly wanted: Resources;
  readonly granted: Resources;
  readonly reasons: readonly Reason[];
}

export interface Change {
  readonly node: string;
  readonly from: number;
  readonly to: number;
  /** What each instance is to have besides; then `from` and `to` may be the same. */
  readonly resources?: Reshape;
  /** The version of the target that the decision was made on. */
  readonly revision: string;
}

/** What the guardrails grant, node by node, and what has to be written for it. */
export interface Decision {
  readonly verdicts: readonly Verdict[];
  readonly changes: readonly Change[];
}

export type ChangeOutcome =
  | {
      readonly node: string;
      readonly outcome: "Scaled";
      /** What is there after the write, where it is another number than the decision's. */
      readonly granted?: number;
    }
  | { readonly node: string; readonly outcome: "Failed"; readonly code: FaultCode; readonly message: string };

/** What is known of a change that was written in an earlier pass, or could not be. */
export interface Followed {
  readonly node: string;
  readonly from: number;
  readonly to: number;
  /** What each instance was to have besides. */
  readonly resources?: Reshape;
  /** `Late` did not come to serve in time and stays; `RolledBack` did not either; `Refused` is not tried for a while. */
  readonly state: "Settling" | "Settled" | "Late" | "RolledBack" | "Refused";
  /** What keeps it, where somebody says so. */
  readonly trouble?: Trouble;
}

/** A node that somebody else scaled, after this policy had. */
export interface Drifted {
  readonly node: string;
  /** What this policy wrote, and what is there. */
  readonly from: number;
  readonly to: number;
  /** Who it was, where the cluster says it and the policy's account may know it. */
  readonly by?: string;
  /** Whether the node is left to them. */
  readonly isYielded: boolean;
}

export interface Trouble {
  readonly code: FaultCode;
  readonly message: string;
}

/** One line that an algorithm logged, cut to size and free of control characters. */
export interface LogLine {
  readonly step: "monitor" | "analyze" | "plan";
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** How a pass ended; `Open` is a decision that was stored and not yet acted on, or not yet on all of its nodes. */
export type IterationOutcome =
  "Unchanged" | "Open" | "Scaled" | "PartlyScaled" | "DryRun" | "Failed" | "Abandoned";

/** One pass: what was seen, wanted, granted and done. */
export interface Iteration {
  readonly id: string;
  readonly number: number;
  /** RFC 3339; the only clock that the algorithm saw. */
  readonly at: string;
  /** The policy's generation: a decision is not finished under another one. */
  readonly generation?: number;
  readonly topology: Topology | undefined;
  readonly sources: Observations;
  /** Each step's answer as the raw JSON text that it returned. */
  readonly answers: Readonly<Partial<Record<"monitor" | "analyze" | "plan", string>>>;
  readonly decision: Decision | undefined;
  readonly outcome: IterationOutcome;
  readonly changes: readonly ChangeOutcome[];
  readonly fault: { readonly code: FaultCode; readonly message: string } | undefined;
  /** Earlier changes that are still followed; absent where the policy follows none and none was refused. */
  readonly followed?: readonly Followed[];
  /** Nodes that somebody else scaled; absent where nobody did. */
  readonly drifted?: readonly Drifted[];
  /** Whether this pass failed and did what the policy has for when passes keep failing. */
  readonly fallback?: true;
  /** When the algorithm asked to be run again, if that is sooner than the interval. */
  readonly recheckAfterSeconds?: number;
  /** Whether this pass finished a decision that an earlier one had left open. */
  readonly resumed?: true;
  /** JSON text that the algorithm asked to be given in its next pass. */
  readonly carry: string | undefined;
  /** In a pass of a shadow that came to a decision: how that differs from the live one of the same number. */
  readonly compared?: readonly Compared[];
  /** What the host remembers after this pass: each hands on what it was given. Absent where there is nothing. */
  readonly memory?: Memory;
  readonly logs?: readonly LogLine[];
  /** Processor time that the algorithm used, all steps together. */
  readonly cpuMs?: number;
  /** What each step burned in its last run. */
  readonly fuel?: Readonly<Partial<Record<"monitor" | "analyze" | "plan", number>>>;
  /** The effects of the steps: with it the pass can be run again, and answers the same. */
  readonly journal?: Journal;
  /** The longer bodies that the journal names. A pass that is recalled comes without: they are asked for by themselves. */
  readonly bodies?: JournalBodies;
}

/** One node of a shadow's pass: what the live decision granted, and what the shadow would have been granted. */
export interface Compared {
  readonly node: string;
  readonly live: number;
  readonly shadow: number;
}

/**
 * What came of a shadow beside a live pass. It is skipped where no sandbox was to spare, where the live pass or the shadow's
 * last one has not come to its end, or while it costs too much; the code says which.
 */
export type ShadowOutcome = "Agreed" | "Differed" | "Failed" | "Skipped" | "NotLoaded";

/** One entry of the history that steps are offered. */
export interface PastEntry {
  readonly at: string;
  readonly nodes: Readonly<Record<string, { parallelism: number; wanted?: number; granted: number }>>;
  readonly sources: Observations;
}

/** What is known of a policy when a pass begins. */
export interface Past {
  /** The number of the last pass, 0 before the first. */
  readonly number: number;
  /** Of the last successful pass. */
  readonly carry: string | undefined;
  /** Of the last pass that left one, also of one that failed. */
  readonly memory?: Memory;
  /** What the host remembered could not be read: for a while nothing may shrink. */
  readonly memoryLost?: boolean;
  /** Newest first, as the policy asked for it. */
  readonly history: readonly PastEntry[];
  /** A decision that was stored and not finished, such as when the operator was killed in between. */
  readonly open: Iteration | undefined;
}
