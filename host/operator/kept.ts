import type { Time } from "../kube/index.ts";

const KEPT_LIMITS = {
  // A pass asks at most eight times, and the next one seconds later; what was changed or taken away holds soon after.
  ms: 20_000,
  // Each of a few KiB; beyond that the oldest is read again.
  entries: 1_000,
} as const;

interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly stop: () => void;
}

/** What was read a short while ago. It is gone when its time is over, whether anybody asks or not. */
export class Kept<Value> {
  readonly #time: Time;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(time: Time) {
    this.#time = time;
  }

  /** What is kept under the key, or what is read now; who asks meanwhile waits for the same read. A failure is not kept. */
  get(key: string, read: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known.value;
    const value = read();
    const entry = { value, stop: this.#time.after(KEPT_LIMITS.ms, () => this.#drop(key, entry)) };
    this.#entries.set(key, entry);
    value.catch(() => this.#drop(key, entry));
    for (const [oldest, one] of this.#entries) {
      if (this.#entries.size <= KEPT_LIMITS.entries) break;
      this.#drop(oldest, one);
    }
    return value;
  }

  clear(): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }

  #drop(key: string, entry: Entry<Value>): void {
    entry.stop();
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}
