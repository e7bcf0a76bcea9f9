import type { Random } from "../fuzz/random.ts";

/** What can happen to a call. */
type OfCall = "unreachable" | "overloaded" | "forbidden" | "answer lost";
type OfWatch = "cut" | "mute";

/** A time in which something goes wrong. */
interface Spell {
  /** One call in so many goes wrong; 0 is none. */
  readonly calls: number;
  readonly of: OfCall;
  readonly watches: number;
  readonly slowMs: number;
}
const CALM: Spell = { calls: 0, of: "unreachable", watches: 0, slowMs: 5 };

/** What goes wrong, by chance and by spells: the kinds of a real cluster's bad days. */
export class Trouble {
  readonly #random: Random;
  #spell = CALM;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Another spell begins, a calm one as often as not. */
  turn(): void {
    const random = this.#random;
    if (random.once(2)) return this.calm();
    this.#spell = {
      calls: random.pick([1, 2, 3, 10]),
      of: random.pick(["unreachable", "overloaded", "forbidden", "answer lost"]),
      watches: random.pick([0, 3, 20]),
      slowMs: random.pick([5, 50, 2_000]),
    };
  }

  calm(): void {
    this.#spell = CALM;
  }

  latencyMs(): number {
    return 1 + this.#random.below(this.#spell.slowMs);
  }

  ofCall(): OfCall | undefined {
    const { calls, of } = this.#spell;
    return calls > 0 && this.#random.once(calls) ? of : undefined;
  }

  ofWatch(): OfWatch | undefined {
    const { watches } = this.#spell;
    if (watches === 0 || !this.#random.once(watches)) return undefined;
    return this.#random.pick(["cut", "mute"]);
  }
}
