/** Chance that is the same for the same seed, on every machine: a xorshift of 128 bits. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    // Four words that differ for every seed and are never all zero.
    this.#state = Uint32Array.from([seed, seed ^ 0x9e3779b9, 0x243f6a88, 0xb7e15162]);
    for (let warm = 0; warm < 20; warm += 1) this.word();
  }

  /** A number of 32 bits. */
  word(): number {
    const state = this.#state;
    let last = state[3] as number;
    const first = state[0] as number;
    state[3] = state[2] as number;
    state[2] = state[1] as number;
    state[1] = first;
    last ^= last << 11;
    last ^= last >>> 8;
    state[0] = last ^ first ^ (first >>> 19);
    return state[0];
  }

  /** A whole number from 0 to one below this. */
  below(end: number): number {
    return Math.floor((this.word() / 2 ** 32) * end);
  }

  /** Whether something that happens once in so many times happens now. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}
