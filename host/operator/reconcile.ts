import { asFault, type Fault } from "../fault/index.ts";
import type { Algorithms, LoadedArtifact } from "../algorithm/index.ts";
import type { Iteration } from "../knowledge/index.ts";
import type { Time } from "../kube/index.ts";
import {
  fallbackInMs,
  followUpSeconds,
  iterate,
  nextPassSeconds,
  type Shadows,
  type World,
} from "../loop/index.ts";
import { parsePolicy, type Policy, type PolicyKey } from "../policy/index.ts";
import { readByHand } from "./annotations.ts";
import type { Outcome } from "./conditions.ts";
import { manifestOf, type PolicyObject } from "./object.ts";
import type { Reporter } from "./report.ts";
import type { Restore } from "./restore.ts";
import { nextTurnMs } from "./turn.ts";
import { runningOf, type RunningArtifact } from "./status.ts";

/** What cannot be prepared for a policy is tried again after this. */
const RETRY_SECONDS = 15;

/** What a reconciler needs around it. */
export interface Around {
  readonly time: Time;
  readonly world: World;
  readonly algorithms: Algorithms;
  /** What runs beside passes. Default: nothing does. */
  readonly shadows?: Shadows<LoadedArtifact> | undefined;
  readonly reporter: Reporter;
  readonly held: (key: PolicyKey) => PolicyObject | undefined;
  /** Why another has a target of the policy's; undefined where none has. */
  readonly owned?: ((object: PolicyObject, policy: Policy) => Promise<Fault | undefined>) | undefined;
  /** Brings back what ran before a policy that is deleted; without it nothing is. */
  readonly restore?: Restore;
  /** Told of every pass that was made, and of every policy that is gone. */
  readonly observe: (policy: Policy, iteration: Iteration, seconds: number) => void;
  /** Whether the policies of a namespace come to their turns one after the other. Default: evenly among all others. */
  readonly together?: boolean | undefined;
  /** Told how long after it was due a policy came to its turn. */
  readonly late?: ((seconds: number) => void) | undefined;
  readonly forget: (key: PolicyKey) => Promise<void>;
}

/** How a policy stands between two passes. */
interface Standing {
  readonly uid: string;
  readonly generation: number;
  /** What was asked by hand, as text. */
  readonly byHand: string;
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
  /** How many of them each namespace has. */
  readonly #peers = new Map<string, number>();

  constructor(around: Around) {
    this.#around = around;
  }

  async reconcile(key: PolicyKey): Promise<Again> {
    const { time, held, reporter } = this.#around;
    const object = held(key);
    if (object === undefined) return this.#forget(key);
    const standing = this.#standingOf(object);
    await tell(standing);
    if (object.isDeleted) return this.#around.restore?.bringBack(object);
    // Our own status writes come back as changes: they are no reason for a pass.
    const waitMs = standing.dueMs - time.elapsedMs();
    if (waitMs > 0) return Number.isFinite(waitMs) ? waitMs : undefined;

    const startedMs = time.elapsedMs();
    this.#around.late?.(-waitMs / 1_000);
    const { outcome, running, againSeconds, isRegular } = await this.#attend(object, standing);
    const together = this.#around.together === true ? this.#peers.get(object.namespace) : undefined;
    standing.dueMs = nextTurnMs(time, { key, startedMs, againSeconds, isRegular, together });
    standing.unreported = () => reporter.report(object, outcome, running);
    await tell(standing);
    return againSeconds === undefined ? undefined : Math.max(0, standing.dueMs - time.elapsedMs());
  }

  /** Another replica goes on with it: when it comes back, it is looked at as for the first time. */
  leave(key: PolicyKey): void {
    this.#drop(key);
    this.#around.reporter.forget(key);
  }

  /** Something has changed that concerns a policy: it is due now. */
  nudge(key: PolicyKey): void {
    const standing = this.#standings.get(key);
    if (standing !== undefined) standing.dueMs = Math.min(standing.dueMs, this.#around.time.elapsedMs());
  }

  #drop(key: PolicyKey): void {
    if (!this.#standings.delete(key)) return;
    const [namespace = ""] = key.split("/");
    const left = (this.#peers.get(namespace) ?? 0) - 1;
    if (left > 0) this.#peers.set(namespace, left);
    else this.#peers.delete(namespace);
  }

  async #forget(key: PolicyKey): Promise<undefined> {
    this.#drop(key);
    this.#around.reporter.forget(key);
    this.#around.algorithms.forget(key);
    await this.#around.shadows?.forget(key);
    await this.#around.forget(key);
  }

  /** A policy is due when its `startAfter` has passed since it was made, a changed one at once. */
  #standingOf(object: PolicyObject): Standing {
    const known = this.#standings.get(object.key);
    const byHand = JSON.stringify(object.annotations);
    if (known?.uid === object.uid && known.generation === object.generation && known.byHand === byHand)
      return known;
    const parsed = known?.uid === object.uid ? undefined : parsePolicy(manifestOf(object));
    const afterSeconds = parsed?.ok === true ? parsed.value.startAfterSeconds : 0;
    const { uid, generation } = object;
    const dueMs = this.#around.time.elapsedMs() + this.#leftMs(object, afterSeconds * 1_000);
    const standing = { uid, generation, byHand, dueMs, failures: 0, unreported: undefined };
    if (known === undefined) this.#peers.set(object.namespace, (this.#peers.get(object.namespace) ?? 0) + 1);
    this.#standings.set(object.key, standing);
    return standing;
  }

  /** What is left of a wait since the policy was made; all of it where two clocks run apart, never more. */
  #leftMs({ createdAt }: PolicyObject, waitMs: number): number {
    const left = Date.parse(createdAt) + waitMs - this.#around.time.now().getTime();
    return Math.min(waitMs, Math.max(0, Number.isNaN(left) ? waitMs : left));
  }

  async #attend(object: PolicyObject, standing: Standing): Promise<Attended> {
    const parsed = parsePolicy(manifestOf(object));
    if (!parsed.ok) return waiting({ stage: "refused", fault: parsed.fault });
    const { value } = parsed;
    if (value.mode === "Paused") return waiting({ stage: "paused", because: "spec.mode is Paused" });
    const asked = this.#byHand(object, value);
    if (asked.ends !== undefined) return asked.ends;
    const { policy, nextSeconds } = asked;
    const owned = await this.#around.owned?.(object, policy);
    if (owned !== undefined) return waiting({ stage: "owned", fault: owned });
    const unkept = await this.#around.restore?.keep(object, policy);
    if (unkept !== undefined)
      return { ...waiting({ stage: "owned", fault: unkept }), againSeconds: RETRY_SECONDS };
    const attended = await this.#decide(object, policy, standing);
    const againSeconds = Math.min(attended.againSeconds ?? Infinity, nextSeconds);
    return { ...attended, againSeconds, isRegular: againSeconds === policy.intervalSeconds };
  }

  /** A pass, and what is to be told of it. */
  async #decide(object: PolicyObject, policy: Policy, standing: Standing): Promise<Attended> {
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
      const soonerSeconds = followUpSeconds(iteration) ?? this.#fallbackSeconds(policy, iteration);
      const againSeconds = Math.min(regularSeconds, soonerSeconds ?? Infinity);
      return { outcome, running: runningOf(loaded.artifacts, shadow?.artifacts), againSeconds };
    } catch (thrown) {
      standing.failures += 1;
      const fault = asFault(thrown);
      const { intervalSeconds } = policy;
      const regularSeconds = nextPassSeconds(intervalSeconds, standing.failures, fault.retryAfterSeconds);
      // Before a pass only two things can go wrong: the algorithm cannot be had, or nothing can be remembered.
      const stage = fault.code === "StoreUnavailable" ? "unremembered" : "algorithm";
      const soonerSeconds = stage === "algorithm" ? await this.#without(policy, fault) : undefined;
      const againSeconds = Math.min(regularSeconds, soonerSeconds ?? Infinity);
      return { outcome: { stage, fault }, running: undefined, againSeconds };
    }
  }

  /** The policy with what somebody asks of it by hand, or how it waits where that keeps it from passing. */
  #byHand(object: PolicyObject, policy: Policy): Handed {
    const now = this.#around.world.clock.now();
    try {
      const { pausedUntilMs, byHand, nextMs } = readByHand(object, now, policy);
      if (pausedUntilMs === undefined) {
        const nextSeconds = (nextMs - now.getTime()) / 1_000;
        const resumes = wasLeft(object);
        return { ends: undefined, policy: { ...policy, byHand: { ...byHand, resumes } }, nextSeconds };
      }
      const seconds = (pausedUntilMs - now.getTime()) / 1_000;
      const outcome: Outcome = { stage: "paused", because: "the annotation sluice.dev/paused says so" };
      const againSeconds = seconds === Infinity ? undefined : seconds;
      return { ends: { outcome, running: undefined, againSeconds } };
    } catch (thrown) {
      return { ends: waiting({ stage: "refused", fault: asFault(thrown) }) };
    }
  }

  /**
   * A pass of a policy whose algorithm cannot be had, where something is to be done when that lasts. Seconds until it is;
   * undefined where nothing is to be done.
   */
  async #without(policy: Policy, fault: Fault): Promise<number | undefined> {
    if (policy.guardrails.fallback === undefined && policy.byHand.override.size === 0) return undefined;
    try {
      const iteration = await this.#pass(policy, { run: () => Promise.reject(fault) });
      return this.#fallbackSeconds(policy, iteration);
    } catch {
      // It cannot be remembered either: then nothing is done.
      return undefined;
    }
  }

  #fallbackSeconds(policy: Policy, iteration: Iteration): number | undefined {
    const ms = fallbackInMs(policy, iteration, this.#around.world.clock.now());
    return ms === undefined ? undefined : Math.max(1, ms / 1_000);
  }

  async #pass(policy: Policy, engine = this.#around.world.engine): Promise<Iteration> {
    const { time, observe } = this.#around;
    const startedMs = time.elapsedMs();
    const iteration = await iterate(policy, { ...this.#around.world, engine });
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

/** Others had the application until now: the policy was paused, or its target was somebody else's. */
const wasLeft = ({ status }: PolicyObject): boolean =>
  (status.conditions ?? []).some(
    ({ type, status: is, reason }) =>
      (type === "Paused" && is === "True") || (type === "ScalingActive" && reason === "TargetOwned"),
  );

type Handed =
  | { readonly ends: Attended }
  | { readonly ends: undefined; readonly policy: Policy; readonly nextSeconds: number };

interface Attended {
  readonly outcome: Outcome;
  readonly running: readonly RunningArtifact[] | undefined;
  readonly againSeconds: number | undefined;
  /** Whether that is the policy's interval, and not what something asks for. */
  readonly isRegular?: boolean;
}
