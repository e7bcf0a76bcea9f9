import { Fault } from "../../host/fault/index.ts";
import type { Engine } from "../../host/loop/index.ts";
import type { Policy } from "../../host/policy/index.ts";
import type { Random } from "../fuzz/random.ts";
import type { Life, World } from "./time.ts";

/** What an algorithm answers when it does not work as it should. */
const WRONG_PLANS = [
  "",
  "no JSON",
  '{"nodes":{"elsewhere":{"parallelism":3}}}',
  '{"nodes":{"n0":{"parallelism":-1}}}',
  '{"nodes":{"n0":{"parallelism":1e400}}}',
  '{"nodes":{"n0":{"parallelism":0}}}',
  '{"nodes":{"n0":{"parallelism":2147483647}}}',
  '{"nodes":{}}',
];

/** The load of every application, and an algorithm that knows what it needs; both have bad days. */
export class Load {
  readonly #random: Random;
  readonly #wanted = new Map<string, number>();
  /** One pass in so many goes wrong; 0 is none. */
  #wrong = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  wanted(key: string): number {
    return this.#wanted.get(key) ?? 1;
  }

  /** The load of one node changes. */
  turn(key: string, most: number): void {
    this.#wanted.set(key, 1 + this.#random.below(most));
  }

  goWrong(oneIn: number): void {
    this.#wrong = oneIn;
  }

  plan({ key, nodes }: Policy): string {
    if (this.#wrong > 0 && this.#random.once(this.#wrong)) return this.#badDay();
    const wants = nodes.map(({ name }) => [name, { parallelism: this.wanted(`${key}/${name}`) }]);
    return JSON.stringify({ nodes: Object.fromEntries(wants) });
  }

  #badDay(): string {
    if (this.#random.once(2)) return this.#random.pick(WRONG_PLANS);
    throw new Fault(this.#random.pick(["SandboxLost", "DeadlineExceeded", "GuestTrapped"]), "it went wrong");
  }
}

/** The engine of one life: an answer takes a while, and may be that of a bad day. */
export const engineOf = (world: World, load: Load, life: Life): Engine => ({
  run: (policy) =>
    life.answered(
      world.sleep(1 + world.random.below(20)).then(() => ({
        answers: { plan: load.plan(policy) },
        ...{ carry: undefined, logs: [], cpuMs: 1, fuel: {}, journal: {}, bodies: new Map() },
      })),
    ),
});
