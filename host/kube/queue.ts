import { asFault, type Fault } from "../fault/index.ts";
import { jittered, type Time } from "./time.ts";

/** How the queue makes keys wait. */
const QUEUE_LIMITS = {
  backoffLeastMs: 5,
  backoffMostMs: 1_000_000,
  jitterShare: 0.1,
  // An alarm of the platform that is longer than 24 days rings at once.
  longestDelayMs: 24 * 3_600_000,
} as const;

export interface QueueOptions {
  readonly time: Time;
  /** Whose key it is; by default what stands before the slash, the namespace. */
  readonly tenantOf?: (key: string) => string;
}

/** Works on one key; the signal says that the queue is to end. */
export type Process = (key: string, signal: AbortSignal) => Promise<void>;

export interface RunOptions {
  /** Most keys in work at the same time. */
  readonly concurrency: number;
  /** Keys of one tenant that are taken in a row, before the next tenant has its turn. Default: 1. */
  readonly inARow?: number;
  readonly signal: AbortSignal;
  /** Told of every key whose work failed; the key comes back with a growing pause. */
  readonly onFault?: (key: string, fault: Fault) => void;
}

interface Alarm {
  readonly atMs: number;
  readonly cancel: () => void;
}

/**
 * Keys that wait for work. A key waits once however often it is added, is never in work twice at the same time, and is
 * never lost: one that is added while it is in work comes again. Tenants take turns, whatever the number of their keys, and
 * none has more than half of the work at the same time.
 */
export class WorkQueue {
  readonly #time: Time;
  readonly #tenantOf: (key: string) => string;
  /** Ready keys of each tenant with the time they became ready; tenants stand in the order of their turns. */
  readonly #ready = new Map<string, Map<string, number>>();
  readonly #inWork = new Set<string>();
  /** How many of them each tenant has. */
  readonly #share = new Map<string, number>();
  /** Keys that were taken in a row of the tenant whose turn it is. */
  #taken = 0;
  /** Keys that were added while they were in work. */
  readonly #again = new Set<string>();
  readonly #alarms = new Map<string, Alarm>();
  readonly #retries = new Map<string, number>();
  #wake: () => void = () => undefined;
  #ended = false;

  constructor({ time, tenantOf = namespaceOf }: QueueOptions) {
    this.#time = time;
    this.#tenantOf = tenantOf;
  }

  /** Keys that are ready and not in work. */
  get depth(): number {
    let depth = 0;
    for (const keys of this.#ready.values()) depth += keys.size;
    return depth;
  }

  /** Keys that become ready later. */
  get delayed(): number {
    return this.#alarms.size;
  }

  get inWork(): number {
    return this.#inWork.size;
  }

  /** How long the key that is ready longest has waited, 0 if none is. */
  get oldestMs(): number {
    let oldest = Infinity;
    for (const keys of this.#ready.values()) {
      for (const since of keys.values()) oldest = Math.min(oldest, since);
    }
    return oldest === Infinity ? 0 : this.#time.elapsedMs() - oldest;
  }

  /** How often in a row the key came back by `addRateLimited`. */
  retries(key: string): number {
    return this.#retries.get(key) ?? 0;
  }

  /** Makes the key ready now; one that is in work comes again when that ends. */
  add(key: string): void {
    if (this.#ended) return;
    if (this.#inWork.has(key)) {
      this.#again.add(key);
      return;
    }
    const tenant = this.#tenantOf(key);
    const keys = this.#ready.get(tenant) ?? new Map<string, number>();
    if (!keys.has(key)) keys.set(key, this.#time.elapsedMs());
    this.#ready.set(tenant, keys);
    this.#wake();
  }

  /** Makes the key ready after `ms`; of several such wishes the earliest holds. */
  addAfter(key: string, ms: number): void {
    if (this.#ended) return;
    if (!(ms > 0)) return this.add(key);
    const delayMs = Math.min(ms, QUEUE_LIMITS.longestDelayMs);
    const atMs = this.#time.elapsedMs() + delayMs;
    const set = this.#alarms.get(key);
    if (set !== undefined && set.atMs <= atMs) return;
    set?.cancel();
    const ring = () => {
      this.#alarms.delete(key);
      this.add(key);
    };
    this.#alarms.set(key, { atMs, cancel: this.#time.after(delayMs, ring) });
  }

  /** Makes the key ready after a pause that doubles with every call: 5 ms to 1000 s, give or take a tenth. */
  addRateLimited(key: string): void {
    const failures = this.retries(key);
    this.#retries.set(key, failures + 1);
    const doubledMs = Math.min(QUEUE_LIMITS.backoffLeastMs * 2 ** failures, QUEUE_LIMITS.backoffMostMs);
    this.addAfter(key, jittered(this.#time, doubledMs, QUEUE_LIMITS.jitterShare));
  }

  /** The key succeeded, or is gone: its next pause is the shortest again. What is ready or delayed stays so. */
  forget(key: string): void {
    this.#retries.delete(key);
  }

  /**
   * Works on keys until the signal is given, and ends when the last one is done. Work that fails does not end it. It runs
   * once: what still waits then is dropped, and what is added later is not taken.
   */
  async run(process: Process, options: RunOptions): Promise<void> {
    const { concurrency, inARow = 1, signal } = options;
    // A tenant whose work hangs leaves the other half to the others.
    const most = Math.ceil(concurrency / 2);
    const working = new Set<Promise<void>>();
    const wake = () => this.#wake();
    signal.addEventListener("abort", wake);
    while (!signal.aborted) {
      const key = working.size < concurrency ? this.#take(inARow, most) : undefined;
      if (key === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const work: Promise<void> = this.#work(key, process, options).finally(() => {
        working.delete(work);
        this.#wake();
      });
      working.add(work);
    }
    signal.removeEventListener("abort", wake);
    this.#end();
    await Promise.all(working);
  }

  #end(): void {
    this.#ended = true;
    for (const { cancel } of this.#alarms.values()) cancel();
    this.#alarms.clear();
    this.#ready.clear();
  }

  async #work(key: string, process: Process, { signal, onFault }: RunOptions): Promise<void> {
    const fault = await process(key, signal).then(() => undefined, asFault);
    this.#inWork.delete(key);
    this.#count(this.#tenantOf(key), -1);
    if (fault !== undefined) this.addRateLimited(key);
    if (this.#again.delete(key)) this.add(key);
    if (fault !== undefined) onFault?.(key, fault);
  }

  /** The next key of the tenant whose turn it is; one that has `most` in work is passed over. */
  #take(inARow: number, most: number): string | undefined {
    for (const [tenant, keys] of this.#ready) {
      const [key] = keys.keys();
      if (key === undefined || (this.#share.get(tenant) ?? 0) >= most) continue;
      keys.delete(key);
      this.#taken += 1;
      if (keys.size === 0 || this.#taken >= inARow) this.#endTurn(tenant, keys);
      this.#inWork.add(key);
      this.#count(tenant, 1);
      return key;
    }
    return undefined;
  }

  /** The tenant goes to the end of the line, if it has anything left to wait for. */
  #endTurn(tenant: string, keys: Map<string, number>): void {
    this.#taken = 0;
    this.#ready.delete(tenant);
    if (keys.size > 0) this.#ready.set(tenant, keys);
  }

  #count(tenant: string, by: number): void {
    const share = (this.#share.get(tenant) ?? 0) + by;
    if (share > 0) this.#share.set(tenant, share);
    else this.#share.delete(tenant);
  }
}

const namespaceOf = (key: string) => key.slice(0, Math.max(0, key.indexOf("/")));
