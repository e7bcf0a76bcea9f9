import type { Time } from "../../host/kube/index.ts";

/** Time that stands still until it is turned by hand; chance always throws the middle, so that jitter is none. */
export class HandTime implements Time {
  #nowMs = 0;
  readonly #alarms = new Set<{ atMs: number; ring: () => void }>();

  now = () => new Date(Date.UTC(2026, 0, 1) + this.#nowMs);
  elapsedMs = () => this.#nowMs;
  random = () => 0.5;

  after(ms: number, ring: () => void): () => void {
    const alarm = { atMs: this.#nowMs + ms, ring };
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }

  /** Lets `ms` pass; alarms ring in their order, those that they set included. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#alarms.delete(next);
      this.#nowMs = next.atMs;
      next.ring();
    }
    this.#nowMs = endMs;
  }

  get alarms(): number {
    return this.#alarms.size;
  }

  #next(untilMs: number) {
    const due = [...this.#alarms].filter(({ atMs }) => atMs <= untilMs);
    return due.toSorted((one, other) => one.atMs - other.atMs)[0];
  }
}
