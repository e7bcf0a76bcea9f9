import { Value } from "@sluice/pdk";

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

  /** Since when it waits, and then for each recommendation how long after, how many, and whether outside; without brackets. */
  get json(): string {
    const parts: string[] = [(<i64>this.since).toString()];
    for (let i = 0; i < this.at.length; i++) {
      parts.push((<i64>(this.at[i] - this.since)).toString());
      parts.push(this.parallelism[i].toString());
      parts.push(this.outside[i] ? "1" : "0");
    }
    return parts.join(",");
  }

  /** What `json` wrote, after the name. */
  static of(row: Value[]): Delay {
    const delay = new Delay(row[1].asNumber());
    for (let i = 2; i + 2 < row.length; i += 3) {
      delay.at.push(delay.since + row[i].asNumber());
      delay.parallelism.push(row[i + 1].asWhole());
      delay.outside.push(row[i + 2].asWhole() == 1);
    }
    return delay;
  }
}
