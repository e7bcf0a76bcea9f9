/** A capacity that differs by more than this share from what was remembered is another curve: the workload changed. */
const CHANGED: f64 = 0.2;
/** So far a curve may lead away from the answer of DS2; a fit of few noisy points may point anywhere. */
const FARTHEST: f64 = 2;
const SLACK: f64 = 1e-9;

/** What was measured of an operator: records a second, all instances together, at a number of instances; newest first. */
export class Curve {
  readonly instances: f64[] = [];
  readonly capacity: f64[] = [];
  /** p / c(p) = base + slope * (p - 1), of the curve through the measurements. */
  private base: f64 = NaN;
  private slope: f64 = NaN;

  /** Takes a measurement. One that contradicts what was remembered at the same number makes all others void. */
  measure(instances: f64, capacity: f64, most: i32): void {
    const known = this.instances.indexOf(instances);
    if (known >= 0) {
      const before = this.capacity[known];
      this.instances.splice(known, 1);
      this.capacity.splice(known, 1);
      if (Math.abs(capacity - before) > CHANGED * before) {
        this.instances.length = 0;
        this.capacity.length = 0;
      }
    }
    this.instances.unshift(instances);
    this.capacity.unshift(capacity);
    while (this.instances.length > most) {
      this.instances.pop();
      this.capacity.pop();
    }
  }

  /** How many measurements the curve goes through. */
  get size(): i32 {
    return this.instances.length;
  }

  /**
   * The least number of instances that process `demand`, where DS2 says `wanted`: by the curve, but never fewer than one
   * more than what was measured not to be enough, and never more than what was measured to be enough.
   */
  sufficient(demand: f64, wanted: f64): f64 {
    let least: f64 = 0;
    let most = Infinity;
    for (let i = 0; i < this.size; i++) {
      const instances = this.instances[i];
      if (this.capacity[i] < demand) least = Math.max(least, instances + 1);
      else most = Math.min(most, instances);
    }
    const now = this.instances[0];
    if (least > most) {
      // Two measurements contradict each other: the newest counts.
      least = this.capacity[0] < demand ? now + 1 : 0;
      most = this.capacity[0] < demand ? Infinity : now;
    }
    return Math.max(least, Math.min(most, this.fitted(demand, wanted)));
  }

  /** The number that the curve says; that of DS2 where there is no curve, or it never reaches the demand. */
  private fitted(demand: f64, wanted: f64): f64 {
    this.fit();
    const left = 1 - demand * this.slope;
    if (!(left > 0)) return wanted;
    const exact = (demand * (this.base - this.slope)) / left;
    if (!isFinite(exact)) return wanted;
    // Through two measurements a curve may run anywhere beyond them: half-way to it is still a step ahead of DS2.
    const isGuess = this.size == 2 && this.capacity[0] < demand;
    const needed = Math.ceil(isGuess ? (exact + wanted) / 2 : exact - SLACK * exact);
    return Math.min(wanted * FARTHEST, Math.max(Math.ceil(wanted / FARTHEST), needed));
  }

  /** Least squares of the relative error; NaN with fewer than two measurements, or where more instances do less. */
  private fit(): void {
    this.base = NaN;
    this.slope = NaN;
    if (this.size < 2) return;
    let weights: f64 = 0;
    let sumX: f64 = 0;
    let sumY: f64 = 0;
    let sumXX: f64 = 0;
    let sumXY: f64 = 0;
    for (let i = 0; i < this.size; i++) {
      const x = this.instances[i] - 1;
      const y = this.instances[i] / this.capacity[i];
      const weight = 1 / (y * y);
      weights += weight;
      sumX += weight * x;
      sumY += weight * y;
      sumXX += weight * x * x;
      sumXY += weight * x * y;
    }
    const slope = Math.max(0, (weights * sumXY - sumX * sumY) / (weights * sumXX - sumX * sumX));
    const base = (sumY - slope * sumX) / weights;
    if (!(base > 0 && slope < base)) return;
    this.base = base;
    this.slope = slope;
  }
}

/** A measurement in nine digits, which is more than it has. */
export function spelled(x: f64): string {
  const scale = 10 ** Math.floor(8 - Math.log10(x));
  const near = isFinite(scale) && scale > 0 ? Math.round(x * scale) / scale : x;
  return Math.floor(near) == near && near < 1e15 ? (<i64>near).toString() : near.toString();
}
