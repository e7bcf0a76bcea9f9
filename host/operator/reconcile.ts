import { asFault } from "../fault/index.ts";
import type { Algorithms, LoadedArtifact } from "../algorithm/index.ts";
import type { Iteration } from "../knowledge/index.ts";
import type { Time } from "../kube/index.ts";
import { followUpSeconds, iterate, nextPassSeconds, type Shadows, type World } from "../loop/index.ts";
import { parsePolicy, type Policy, type PolicyKey } from "../policy/index.ts";
import type { Outcome } from "./conditions.ts";
import { manifestOf, type PolicyObject } from "./object.ts";
import type { Reporter } from "./report.ts";
import { runningOf, type RunningArtifact } from "./status.ts";

/** What a reconciler needs around it. */
export interface Around {
  readonly time: Time;
  readonly world: World;
  readonly algorithms: Algorithms;
  /** What runs beside passes. Default: nothing does. */
  readonly shadows?: Shadows<LoadedArtifact> | undefined;
  readonly reporter: Reporter;
  readonly held: (key: PolicyKey) => PolicyObject | undefined;
  /** Told of every pass that was made, and of every policy that is gone. */
  readonly observe: (policy: Policy, iteration: Iteration, seconds: number) => void;
  readonly forget: (key: PolicyKey) => Promise<void>;
}

/** How a policy stands between two passes. */
interface Standing {
  readonly uid: string;
  readonly generation: number;
  dueMs: number;
  failures: number;
  /** What could not be reported yet: it is said before anything new is done. */
  unreported: (() => Promise<void>) | undefined;
}

/** Milliseconds until the key is to come again; undefined waits for the next change of the policy. */
export type Again = number | undefined;

/** What the queue does with each key: one pass if one is due, and the report of it. */
export class Reconciler {
  readonly #around: Around;
  readonly #standings = new Map<PolicyKey, Standing>();

  constructor(around: Around) {
    this.#around = around;
  }

  async reconcile(key: PolicyKey): Promise<Again> {
    const { time, held, reporter } = this.#around;
    const object = held(key);
    if (object === undefined) return this.#forget(key);
    const standing = this.#standingOf(object);
    await tell(standing);
    // Our own status writes come back as changes: they are no reason for a pass.
    const waitMs = standing.dueMs - time.elapsedMs();
    if (waitMs > 0) return Number.isFinite(waitMs) ? waitMs : undefined;

    const startedMs = time.elapsedMs();
    const { outcome, running, againSeconds } = await this.#attend(object, standing);
    standing.dueMs = againSeconds === undefined ? Infinity : startedMs + againSeconds * 1_000;
    standing.unreported = () => reporter.report(object, outcome, running);
    await tell(standing);
    return againSeconds === undefined ? undefined : Math.max(0, standing.dueMs - time.elapsedMs());
  }

  async #forget(key: PolicyKey): Promise<undefined> {
    this.#standings.delete(key);
    this.#around.reporter.forget(key);
    this.#around.algorithms.forget(key);
    await this.#around.shadows?.forget(key);
    await this.#around.forget(key);
  }

  /** A policy that is new here is due after its `startAfter`, a new generation of one at once. */
  #standingOf(object: PolicyObject): Standing {
    const known = this.#standings.get(object.key);
    if (known?.uid === object.uid && known.generation === object.generation) return known;
    const parsed = known?.uid === object.uid ? undefined : parsePolicy(manifestOf(object));
    const afterSeconds = parsed?.ok === true ? parsed.value.startAfterSeconds : 0;
    const { uid, generation } = object;
    const dueMs = this.#around.time.elapsedMs() + afterSeconds * 1_000;
    const standing = { uid, generation, dueMs, failures: 0, unreported: undefined };
    this.#standings.set(object.key, standing);
    return standing;
  }

  async #attend(object: PolicyObject, standing: Standing): Promise<Attended> {
    const parsed = parsePolicy(manifestOf(object));
    if (!parsed.ok) return waiting({ stage: "refused", fault: parsed.fault });
    const policy = parsed.value;
    if (policy.mode === "Paused") return waiting({ stage: "paused" });
    try {
      const loaded = await this.#around.algorithms.load(policy, object.status.algorithms ?? []);
      const iteration = await this.#pass(policy);
      standing.failures = iteration.fault === undefined ? 0 : standing.failures + 1;
      const shadow = this.#around.shadows?.of(policy.key);
      const { stale } = loaded;
      const outcome: Outcome = {
        stage: "passed",
        mode: policy.mode,
        iteration,
        stale,
        shadow: shadow?.fault,
      };
      const regularSeconds = nextPassSeconds(policy.intervalSeconds, standing.failures);
      const againSeconds = Math.min(regularSeconds, followUpSeconds(iteration) ?? Infinity);
      return { outcome, running: runningOf(loaded.artifacts, shadow?.artifacts), againSeconds };
    } catch (thrown) {
      standing.failures += 1;
      const fault = asFault(thrown);
      const againSeconds = nextPassSeconds(
        policy.intervalSeconds,
        standing.failures,
        fault.retryAfterSeconds,
      );
      // Before a pass only two things can go wrong: the algorithm cannot be had, or nothing can be remembered.
      const stage = fault.code === "StoreUnavailable" ? "unremembered" : "algorithm";
      return { outcome: { stage, fault }, running: undefined, againSeconds };
    }
  }

  async #pass(policy: Policy): Promise<Iteration> {
    const { time, world, observe } = this.#around;
    const startedMs = time.elapsedMs();
    const iteration = await iterate(policy, world);
    observe(policy, iteration, (time.elapsedMs() - startedMs) / 1_000);
    this.#around.shadows?.begin(policy, iteration);
    return iteration;
  }
}

/** What could not be said before is said first. */
async function tell(standing: Standing): Promise<void> {
  await standing.unreported?.();
  standing.unreported = undefined;
}

const waiting = (outcome: Outcome): Attended => ({ outcome, running: undefined, againSeconds: undefined });

interface Attended {
  readonly outcome: Outcome;
  readonly running: readonly RunningArtifact[] | undefined;
  readonly againSeconds: number | undefined;
}
