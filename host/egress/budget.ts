import type { PolicyKey } from "../policy/index.ts";
import { denied } from "./denial.ts";
import type { Grant } from "./grant.ts";
import { LIMITS } from "./limits.ts";

interface Second {
  readonly second: number;
  requests: number;
  bytes: number;
}

/** Counts further bytes of a request; false once there are more than the policy may move in a minute. */
export type Meter = (bytes: number) => boolean;

/** What every policy has asked and moved in the last minute, second by second. */
export class Budgets {
  readonly #elapsedMs: () => number;
  readonly #spent = new Map<PolicyKey, Second[]>();
  #sweptAt = 0;

  constructor(elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs;
  }

  /** Counts one request and returns the meter of its bytes. Throws `EffectDenied`, to be tried again, if the budget is spent. */
  charge({ policy: { key }, requestsPerMinute, bytesPerMinute }: Grant): Meter {
    const { requests, bytes } = this.#sum(key);
    if (requests >= requestsPerMinute || bytes >= bytesPerMinute) {
      const what =
        requests >= requestsPerMinute ? `${requestsPerMinute} requests` : `${bytesPerMinute} bytes`;
      throw denied(`The policy's ${what} of a minute are spent`, {
        retry: true,
        retryAfterSeconds: this.#untilOldestLeaves(key),
        remedy: "Lengthen the interval, or have the budget raised.",
      });
    }
    this.#now(key).requests += 1;
    return (more) => {
      this.#now(key).bytes += more;
      return this.#sum(key).bytes <= bytesPerMinute;
    };
  }

  #sum(key: PolicyKey): { requests: number; bytes: number } {
    const from = this.#second() - LIMITS.budgetSeconds;
    const recent = (this.#spent.get(key) ?? []).filter(({ second }) => second > from);
    return {
      requests: recent.reduce((sum, one) => sum + one.requests, 0),
      bytes: recent.reduce((sum, one) => sum + one.bytes, 0),
    };
  }

  #now(key: PolicyKey): Second {
    this.#sweep();
    const second = this.#second();
    const seconds = (this.#spent.get(key) ?? []).filter((one) => one.second > second - LIMITS.budgetSeconds);
    const last = seconds.at(-1);
    const current = last?.second === second ? last : { second, requests: 0, bytes: 0 };
    if (current !== last) seconds.push(current);
    this.#spent.set(key, seconds);
    return current;
  }

  #untilOldestLeaves(key: PolicyKey): number {
    const from = this.#second() - LIMITS.budgetSeconds;
    const oldest = this.#spent.get(key)?.find(({ second }) => second > from);
    return oldest === undefined ? 1 : oldest.second - from;
  }

  /** Forgets policies that have asked nothing for a minute. */
  #sweep(): void {
    const from = this.#second() - LIMITS.budgetSeconds;
    if (this.#sweptAt > from) return;
    this.#sweptAt = this.#second();
    for (const [key, seconds] of this.#spent) {
      if ((seconds.at(-1)?.second ?? from) <= from) this.#spent.delete(key);
    }
  }

  #second(): number {
    return Math.floor(this.#elapsedMs() / 1_000);
  }
}
