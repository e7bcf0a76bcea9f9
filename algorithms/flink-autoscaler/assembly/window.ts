import { Sample } from "./sample";

/** The samples of the metric window, in the order in which they were taken. */
export class Window {
  constructor(readonly samples: Sample[]) {}

  get last(): Sample {
    return this.samples[this.samples.length - 1];
  }

  /** Growth a second from the first sample that knows a counter to the last; NaN if not two do. */
  rate(vertex: i32, figure: i32): f64 {
    let first = NaN;
    let firstAt: f64 = 0;
    let last = NaN;
    let lastAt: f64 = 0;
    for (let i = 0; i < this.samples.length; i++) {
      const value = this.samples[i].get(vertex, figure);
      if (isNaN(value)) continue;
      if (isNaN(first)) {
        first = value;
        firstAt = this.samples[i].at;
      } else {
        last = value;
        lastAt = this.samples[i].at;
      }
    }
    return isNaN(last) ? NaN : (1000 * (last - first)) / Math.max(lastAt - firstAt, 1);
  }

  /** Mean of what is known and finite; infinite if nothing else is known, NaN with fewer than `least`. */
  average(vertex: i32, figure: i32, least: f64 = 1): f64 {
    const mean = new Mean();
    for (let i = 0; i < this.samples.length; i++)
      mean.add(this.samples[i].get(vertex, figure), this.samples[i].weight);
    return mean.of(least);
  }

  /** The same for a figure of the whole job. */
  total(figure: i32): f64 {
    const mean = new Mean();
    for (let i = 0; i < this.samples.length; i++) mean.add(this.samples[i].totals[figure], this.samples[i].weight);
    return mean.of(1);
  }
}

class Mean {
  private sum: f64 = 0;
  private count: f64 = 0;
  private infinite: bool = false;

  add(x: f64, weight: f64): void {
    if (isNaN(x)) return;
    if (!isFinite(x)) {
      this.infinite = true;
      return;
    }
    this.sum += x * weight;
    this.count += weight;
  }

  of(least: f64): f64 {
    if (this.count == 0) return this.infinite ? Infinity : NaN;
    return this.count < least ? NaN : this.sum / this.count;
  }
}
