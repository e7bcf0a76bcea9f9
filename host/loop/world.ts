import { Fault } from "../fault/index.ts";
import type {
  Change,
  ChangeOutcome,
  Iteration,
  Journal,
  JournalBodies,
  LogLine,
  Observations,
  Past,
  Trouble,
  Wanted,
} from "../knowledge/index.ts";
import type { Policy, Step } from "../policy/index.ts";
import type { Topology } from "../topology/index.ts";

/** What a pass needs of the world. Everything that takes time, chance or a network stands behind one of these. */
export interface World {
  readonly clock: Clock;
  readonly driver: Driver;
  readonly sources: Sources;
  readonly engine: Engine;
  readonly store: Store;
  /** Whether this replica may write for a policy now; absent, it may. Asked directly before every write. */
  readonly mayWrite?: (policy: Policy) => Fault | undefined;
}

/** Undefined where a write may be made now; otherwise why not, such as `NotLeader`. */
export type Permit = () => Fault | undefined;

export interface Clock {
  now(): Date;
}

/** Executes decisions on one kind of application. */
export interface Driver {
  /** The application as it is now. Throws `TargetNotFound` or `Forbidden`. */
  discover(policy: Policy): Promise<Topology>;
  /** `node`: each node moves alone. `job`: all move together, so none does while one of them is on its way. */
  rescaleScope(policy: Policy): "node" | "job";
  /** What is wanted as numbers of the topology, where an algorithm's number means something else; absent, it never does. Pure. */
  meant?(policy: Policy, topology: Topology, wanted: readonly Wanted[]): readonly Wanted[];
  /** The order in which changes are written: what is listed together is written together. */
  order(policy: Policy, changes: readonly Change[]): readonly (readonly Change[])[];
  /**
   * Writes each change, and may be repeated: the target is read, and written on the condition that it is what was read. Where
   * it already has the new number, that counts as written; where it has neither that nor the old one, or was made anew, that
   * is a `Conflict`. The permit is asked directly before every write. One node's failure leaves the others.
   */
  scale(policy: Policy, changes: readonly Change[], permit: Permit): Promise<readonly ChangeOutcome[]>;
  /** What a node has now, and who says so. Undefined where it cannot be read. Never throws. */
  writer?(policy: Policy, node: string): Promise<Writer | undefined>;
  /** Takes away what is left of earlier work; nothing is decided on it. */
  tidy?(policy: Policy, permit: Permit, now: Date): Promise<void>;
  /** What the cluster says of a change that does not come to serve. Never throws. */
  trouble?(policy: Policy, node: string, since: Date): Promise<Trouble | undefined>;
}

/** The number of a node, read anew, and whose it is. */
export interface Writer {
  readonly parallelism: number;
  /** Who set it last, by the name that their tool gives; undefined where that is not to be known. */
  readonly by: string | undefined;
  /** It was the host itself. */
  readonly isOwn: boolean;
}

/** Reads what the policy names under `sources`. A source that fails is an observation too; it never throws. */
export interface Sources {
  observe(policy: Policy, at: Date): Promise<Observations>;
}

/** Everything that a pass shows to the steps of an algorithm. */
export interface PassInput {
  readonly iteration: { readonly id: string; readonly number: number; readonly time: string };
  readonly topology: Topology;
  readonly sources: Observations;
  readonly past: Past;
}

/** What the steps answered, as raw JSON text: integers above 2^53 and `1.0` survive. */
export interface PassAnswers {
  readonly answers: Readonly<Partial<Record<Step, string>>>;
  /** The `carry` of the last step that returned one. */
  readonly carry: string | undefined;
  readonly logs: readonly LogLine[];
  readonly cpuMs: number;
  /** What each step burned in its last run: the same for the same input, on every machine. */
  readonly fuel: Readonly<Partial<Record<Step, number>>>;
  /** The effects of the steps, none if it is empty; with it the pass can be run again, and answers the same. */
  readonly journal: Journal;
  /** What the journal names by digest. */
  readonly bodies: JournalBodies;
}

/** A pass that ended early: why, and what its steps had done by then. */
export class PassEnded extends Fault {
  readonly done: PassAnswers;

  constructor(fault: Fault, done: PassAnswers) {
    const { field, remedy, retry, retryAfterSeconds } = fault;
    super(fault.code, fault.message, {
      remedy,
      retry,
      cause: fault,
      ...(field !== undefined && { field }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
    this.done = done;
  }
}

/**
 * Runs the steps of a policy's algorithm in a sandbox, all in one round trip. Throws a fault, `PassEnded` if steps had begun;
 * nothing else escapes.
 */
export interface Engine {
  run(policy: Policy, input: PassInput): Promise<PassAnswers>;
}

/** Knowledge: what is remembered between passes and over restarts. */
export interface Store {
  recall(policy: Policy): Promise<Past>;
  /** Returns only when a crash can no longer lose it. An id that is known is replaced. */
  remember(policy: Policy, iteration: Iteration): Promise<void>;
}
