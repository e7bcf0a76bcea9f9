import { Fields, Step, Value } from "@sluice/pdk";
import { Curve, spelled } from "./curve";
import { Operator } from "./dataflow";
import { Settings } from "./settings";

/** The one field of the carry that is DS2's; those beside it are of other algorithms and are handed on. */
const KEY = "ds2";
/** Of the 16 KiB that may be carried, as much as leaves room for others; without the curves 100 nodes always fit. */
const MOST_BYTES = 12_288;
const MOST_POINTS = 8;

/** What DS2 knows from earlier passes: a window is a pass in which something could be measured. */
export class Memory {
  /** Windows that are still to be ignored. */
  warmingUp: i32;
  /** Windows since the last change in which there was an answer, as far as they are waited for. */
  answers: i32;
  /** By how much all operators are corrected; 1 is not at all. */
  correction: f64;
  private readonly curves: Curve[] = [];

  constructor(
    step: Step,
    private readonly operators: Operator[],
    settings: Settings,
  ) {
    const carried = step.carry.object(KEY);
    this.warmingUp = carried.whole("warmingUp", 0);
    this.answers = carried.whole("answers", 0);
    this.correction = isFinite(settings.targetRateRatio) ? carried.number("correction", 1) : 1;
    const known = carried.object("nodes");
    let changed = carried.has("nodes") && known.keys().length != operators.length;
    for (let i = 0; i < operators.length; i++) {
      const parts = known.text(operators[i].name, "").split(" ");
      this.curves.push(settings.fitted ? curveOf(parts) : new Curve());
      if (carried.has("nodes") && parts[0] != operators[i].parallelism.toString()) changed = true;
    }
    if (changed) {
      this.warmingUp = settings.warmUp;
      this.answers = 0;
    }
  }

  /** The curve of the operator at that place. */
  curve(place: i32): Curve {
    return this.curves[place];
  }

  /** How many measurements of each operator there is room for. */
  get points(): i32 {
    return max(2, min(MOST_POINTS, 400 / max(1, this.operators.length)));
  }

  /** What the next pass should be given. */
  carry(step: Step): Fields {
    const mine = new Fields().number("warmingUp", this.warmingUp).number("answers", this.answers);
    if (this.correction != 1) mine.number("correction", this.correction);
    const nodes = this.nodes(true);
    mine.object("nodes", nodes.json.length <= MOST_BYTES ? nodes : this.nodes(false));
    const others = step.analyze.has("carry") ? step.analyze.object("carry") : step.carry;
    return beside(others).object(KEY, mine);
  }

  private nodes(withCurves: bool): Fields {
    const nodes = new Fields();
    for (let i = 0; i < this.operators.length; i++) {
      const parts = [this.operators[i].parallelism.toString()];
      const curve = this.curves[i];
      for (let j = 0; withCurves && j < curve.size; j++) {
        parts.push(`${<i64>curve.instances[j]}:${spelled(curve.capacity[j])}`);
      }
      nodes.text(this.operators[i].name, parts.join(" "));
    }
    return nodes;
  }
}

/** The fields of other algorithms, as they were. */
function beside(others: Value): Fields {
  const fields = new Fields();
  const keys = others.keys();
  for (let i = 0; i < keys.length; i++) if (keys[i] != KEY) fields.copy(keys[i], others.field(keys[i]));
  return fields;
}

/** Reads `24 24:6885000 21:6376500`: the parallelism, and what was measured, newest first. */
function curveOf(parts: string[]): Curve {
  const curve = new Curve();
  for (let i = parts.length - 1; i > 0; i--) {
    const colon = parts[i].indexOf(":");
    const instances = parseFloat(parts[i].substring(0, colon));
    const capacity = parseFloat(parts[i].substring(colon + 1));
    if (instances > 0 && capacity > 0) curve.measure(instances, capacity, MOST_POINTS);
  }
  return curve;
}
