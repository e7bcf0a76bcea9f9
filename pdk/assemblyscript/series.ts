import { Observation } from "./observation";
import { Step } from "./step";
import { seconds } from "./text";

/** What a source said of a node at a time. */
export class Point {
  constructor(
    /** Seconds since 1970. */
    readonly time: f64,
    readonly value: f64,
  ) {}
}

/**
 * What a source said of a node in the passes that the policy offers as `history`, and now, oldest first. Passes in which it
 * had nothing to say of the node are left out.
 */
export function series(step: Step, source: string, node: string, spanSeconds: f64 = Infinity): Point[] {
  const now = seconds(step.time);
  const points: Point[] = [];
  const history = step.history;
  for (let i = history.length - 1; i >= 0; i--) {
    const past = history[i];
    if (now - past.seconds > spanSeconds || !past.hasSource(source)) continue;
    add(points, past.seconds, past.source(source), node);
  }
  add(points, now, step.source(source), node);
  return points;
}

/**
 * The same at even distances, the last one now, as methods that count in steps need it. A step without a value repeats the
 * one before. Empty where more than a tenth of the steps have none, or there are fewer than two.
 */
export function evenSeries(points: Point[], now: f64, everySeconds: f64): f64[] {
  if (points.length < 2) return [];
  const count = <i32>Math.round((now - points[0].time) / everySeconds) + 1;
  const values = new Array<f64>(count).fill(NaN);
  for (let i = 0; i < points.length; i++) {
    const at = count - 1 - <i32>Math.round((now - points[i].time) / everySeconds);
    values[at] = points[i].value;
  }
  let missing = 0;
  for (let i = 1; i < count; i++) {
    if (!isNaN(values[i])) continue;
    missing++;
    values[i] = values[i - 1];
  }
  return missing * 10 > count ? [] : values;
}

function add(points: Point[], time: f64, said: Observation, node: string): void {
  if (said.has(node)) points.push(new Point(time, said.sum(node)));
}
