import { Point } from "@sluice/pdk";

/** The straight line through points that is nearest to them in the sum of squares (Gauss, Legendre). */
export class Line {
  constructor(
    /** At the time `origin`. */
    readonly height: f64,
    readonly slope: f64,
    readonly origin: f64,
  ) {}

  at(time: f64): f64 {
    return this.height + this.slope * (time - this.origin);
  }
}

/** Null where the points have no two times. */
export function lineThrough(points: Point[]): Line | null {
  const count = <f64>points.length;
  if (points.length < 2) return null;
  let time: f64 = 0;
  let value: f64 = 0;
  const origin = points[points.length - 1].time;
  for (let i = 0; i < points.length; i++) {
    time += points[i].time - origin;
    value += points[i].value;
  }
  time /= count;
  value /= count;
  let both: f64 = 0;
  let spread: f64 = 0;
  for (let i = 0; i < points.length; i++) {
    const away = points[i].time - origin - time;
    both += away * (points[i].value - value);
    spread += away * away;
  }
  if (spread == 0) return null;
  const slope = both / spread;
  return new Line(value - slope * time, slope, origin);
}
