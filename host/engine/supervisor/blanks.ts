import type { Sandbox } from "./sandbox.ts";

/** After a process that could not be started, the next is tried so much later, doubling to the longest. */
const RETRY_LEAST_MS = 50;
const RETRY_MOST_MS = 5_000;
/** A start takes 0.2 s. One that takes longer than this does not count: something holds it up, and others are not to wait. */
const SLOW_MS = 3_000;

/**
 * Processes that are started and have served nobody yet, so that nobody waits for a start. Only as many as are kept start at
 * the same time: the other cores are left to passes.
 */
export class Blanks {
  readonly #kept: number;
  readonly #start: () => Sandbox;
  readonly #onReady: () => void;
  readonly #ready: Sandbox[] = [];
  /** When each of those that are starting began to. */
  readonly #starting = new Map<Sandbox, number>();
  #retryMs = RETRY_LEAST_MS;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  /** Keeps so many; `onReady` is told of each one that can be taken. */
  constructor(kept: number, onReady: () => void, start: () => Sandbox) {
    this.#kept = kept;
    this.#onReady = onReady;
    this.#start = start;
    this.#fill();
  }

  get ready(): number {
    return this.#ready.filter((one) => one.alive).length;
  }

  /** One that is ready, if there is one; another takes its place. */
  take(): Sandbox | undefined {
    const taken = this.#ready.find((one) => one.alive);
    if (taken !== undefined) this.#ready.splice(this.#ready.indexOf(taken), 1);
    this.#fill();
    return taken;
  }

  /** Ends them all. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const all = [...this.#ready, ...this.#starting.keys()];
    for (const sandbox of all) sandbox.kill();
    await Promise.all(all.map((sandbox) => sandbox.ended));
  }

  #fill(): void {
    if (this.#closed || this.#retry !== undefined) return;
    const before = performance.now() - SLOW_MS;
    const starting = [...this.#starting.values()].filter((sinceMs) => sinceMs >= before).length;
    for (let missing = this.#kept - this.#ready.length - starting; missing > 0; missing -= 1) this.#begin();
  }

  #begin(): void {
    let sandbox: Sandbox;
    try {
      sandbox = this.#start();
    } catch {
      // No more handles, or no more processes: it passes.
      return this.#later();
    }
    this.#starting.set(sandbox, performance.now());
    const slow = setTimeout(() => this.#fill(), SLOW_MS + 1);
    void sandbox.ready.then((ready) => {
      clearTimeout(slow);
      this.#starting.delete(sandbox);
      if (this.#closed) return;
      if (!ready) return this.#later();
      this.#retryMs = RETRY_LEAST_MS;
      this.#ready.push(sandbox);
      this.#onReady();
    });
    void sandbox.ended.then(() => {
      const at = this.#ready.indexOf(sandbox);
      if (at >= 0) this.#ready.splice(at, 1);
      this.#fill();
    });
  }

  #later(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#fill();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
  }
}
