import type { Time } from "../../host/kube/index.ts";
import type { Random } from "../fuzz/random.ts";

interface Alarm {
  readonly atMs: number;
  readonly order: number;
  readonly ring: () => void;
  isCancelled: boolean;
}

/** Simulated time: it stands still while anything is at work, and then jumps to the next alarm. */
export class World {
  readonly random: Random;
  #nowMs = Date.UTC(2026, 0, 1);
  #order = 0;
  /** Sorted by when they ring, the next one last. */
  readonly #alarms: Alarm[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Rings once after `ms`, unless the returned function is called before. */
  after(ms: number, ring: () => void): () => void {
    this.#order += 1;
    const alarm: Alarm = {
      atMs: this.#nowMs + Math.max(0, ms),
      order: this.#order,
      ring,
      isCancelled: false,
    };
    let [low, high] = [0, this.#alarms.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#alarms[middle];
      if (other !== undefined && other.atMs > alarm.atMs) low = middle + 1;
      else high = middle;
    }
    this.#alarms.splice(low, 0, alarm);
    return () => void (alarm.isCancelled = true);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets time pass until then: everything that an alarm sets off is done before the next one rings. */
  async run(untilMs: number): Promise<void> {
    for (;;) {
      await quiet();
      const next = this.#alarms.at(-1);
      if (next === undefined || next.atMs > untilMs) break;
      this.#alarms.pop();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      if (!next.isCancelled) next.ring();
    }
    this.#nowMs = untilMs;
  }
}

/** Nothing here waits for a machine, so when the promises are done everything is. */
const quiet = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One life of a program: after its death none of its alarms rings and none of its calls is answered. */
export class Life implements Time {
  readonly #world: World;
  #isOver = false;
  /** By so much its clock is wrong. */
  readonly #offMs: number;

  constructor(world: World, offMs = 0) {
    this.#world = world;
    this.#offMs = offMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }
  end(): void {
    this.#isOver = true;
  }

  now = (): Date => new Date(this.#world.nowMs + this.#offMs);
  elapsedMs = (): number => this.#world.nowMs;
  random = (): number => this.#world.random.below(1_000_000) / 1_000_000;
  after = (ms: number, ring: () => void): (() => void) =>
    this.#world.after(ms, () => {
      if (!this.#isOver) ring();
    });

  /** What is answered to a life that is over by then is answered to nobody. */
  answered<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => (this.#isOver ? undefined : resolve(value)),
        (thrown: unknown) => (this.#isOver ? undefined : reject(thrown as Error)),
      );
    });
  }
}
