import { Fields, Value } from "@sluice/pdk";

/** A scale-down that waits: since when, and what was recommended meanwhile, always less than before. */
export class Delay {
  private at: f64[] = [];
  private parallelism: i32[] = [];
  private outside: bool[] = [];

  constructor(readonly since: f64) {}

  /** What was recommended lately and is not more than this can never be the most of the window again. */
  recommend(at: f64, parallelism: i32, outside: bool): void {
    while (this.parallelism.length > 0 && this.parallelism[this.parallelism.length - 1] <= parallelism) {
      this.at.pop();
      this.parallelism.pop();
      this.outside.pop();
    }
    this.at.push(at);
    this.parallelism.push(parallelism);
    this.outside.push(outside);
  }

  /** Forgets what was recommended before the window. */
  forget(before: f64): void {
    while (this.at.length > 1 && this.at[0] < before) {
      this.at.shift();
      this.parallelism.shift();
      this.outside.shift();
    }
  }

  /** The most that was recommended. */
  get most(): i32 {
    return this.parallelism[0];
  }

  /** Whether the vertex was outside its bounds when that was recommended. */
  get isOutside(): bool {
    return this.outside[0];
  }

  get length(): i32 {
    return this.at.length;
  }

  /** The older half of what is remembered becomes half as fine: the window ends a little later for it, never earlier. */
  thin(): void {
    for (let i = 1; i < this.at.length - 1; i++) {
      this.at.splice(i, 1);
      this.parallelism.splice(i, 1);
      this.outside.splice(i, 1);
    }
  }

  get fields(): Fields {
    const parts = new Array<string>(this.at.length);
    for (let i = 0; i < parts.length; i++) {
      const after = (<i64>(this.at[i] - this.since)).toString();
      parts[i] = `[${after},${this.parallelism[i]},${this.outside[i] ? 1 : 0}]`;
    }
    return new Fields().number("since", this.since).raw("recommended", `[${parts.join(",")}]`);
  }

  static of(value: Value): Delay {
    const delay = new Delay(value.number("since"));
    const entries = value.list("recommended");
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i].asList();
      delay.at.push(delay.since + entry[0].asNumber());
      delay.parallelism.push(entry[1].asWhole());
      delay.outside.push(entry[2].asWhole() == 1);
    }
    return delay;
  }
}
