import { Fault, type FaultCode } from "../fault/index.ts";
import type { Clock } from "../loop/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import { SupervisorEnded } from "./ended.ts";

/** How often a pass may cost a process or a deadline before the algorithm is left alone, and for how long then. */
const BREAKER = {
  faults: 3,
  leastSeconds: 30,
  mostSeconds: 3_600,
  /** A record is 200 bytes; a cluster with more policies that all fail forgets the oldest of them. */
  policies: 10_000,
} as const;

/** Faults that cost a process, or the time of one. Others are verdicts: they end a pass, and cost no more than it. */
const COSTLY: ReadonlySet<string> = new Set([
  "DeadlineExceeded",
  "MemoryExceeded",
  "FuelExhausted",
  "SandboxLost",
]);

/** What a policy's algorithm has cost lately. */
interface Cost {
  /** The policy's generation and its digests: after a change of either the past says nothing. */
  readonly running: string;
  readonly faults: number;
  /** How often it was left alone since it last succeeded. */
  readonly openings: number;
  readonly untilMs: number;
  readonly last: FaultCode;
}

/**
 * Keeps algorithms that fault at a cost again and again from costing more. After three such faults in a row a policy's
 * algorithm is not run for 30 s; then one pass is tried, and if that faults too the pause is twice as long, up to an hour.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #records = new Map<PolicyKey, Cost>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `BreakerOpen` while the policy's algorithm is to be left alone. */
  check(policy: Policy, digests: readonly string[]): void {
    const record = this.#recordOf(policy, digests);
    if (record === undefined) return;
    const leftMs = record.untilMs - this.#clock.now().getTime();
    if (leftMs <= 0) return;
    const until = new Date(record.untilMs).toISOString();
    throw new Fault(
      "BreakerOpen",
      `The algorithm is not run until ${until}: its last ${record.faults} passes cost too much, the last one with ${record.last}`,
      { retry: true, retryAfterSeconds: Math.ceil(leftMs / 1_000) },
    );
  }

  /** A pass came to its end: what was before counts no more. */
  succeeded({ key }: Policy): void {
    this.#records.delete(key);
  }

  /** A pass faulted. Faults that cost nothing leave the count as it is: an algorithm that alternates gains nothing by it. */
  failed(policy: Policy, digests: readonly string[], { code, cause }: Fault): void {
    // All that were running then lost their pass: it is no algorithm's doing that can be told.
    if (!COSTLY.has(code) || cause instanceof SupervisorEnded) return;
    const before = this.#recordOf(policy, digests);
    const faults = (before?.faults ?? 0) + 1;
    const opens = faults >= BREAKER.faults;
    const openings = (before?.openings ?? 0) + (opens ? 1 : 0);
    const seconds = Math.min(BREAKER.leastSeconds * 2 ** (openings - 1), BREAKER.mostSeconds);
    const untilMs = opens ? this.#clock.now().getTime() + seconds * 1_000 : 0;
    // Deleted first, so that those that faulted longest ago stand in front.
    this.#records.delete(policy.key);
    this.#records.set(policy.key, {
      running: runningOf(policy, digests),
      faults,
      openings,
      untilMs,
      last: code,
    });
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= BREAKER.policies) break;
      this.#records.delete(oldest);
    }
  }

  /** How many policies it knows something of. */
  get size(): number {
    return this.#records.size;
  }

  #recordOf(policy: Policy, digests: readonly string[]): Cost | undefined {
    const record = this.#records.get(policy.key);
    return record?.running === runningOf(policy, digests) ? record : undefined;
  }
}

const runningOf = ({ uid, generation }: Policy, digests: readonly string[]) =>
  [uid, generation, ...digests].join(" ");
