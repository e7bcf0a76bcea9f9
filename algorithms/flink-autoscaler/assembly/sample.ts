import { Fields, Value } from "@sluice/pdk";

/** What a sample has of every vertex, and how it is called in the answers of the steps. */
export const IN = 0;
export const LOAD = 1;
export const IN_PER_SECOND = 2;
export const LAG = 3;
export const OBSERVED = 4;
export const OUT = 5;
export const BUSY = 6;
export const FIGURES = 7;
export const COLUMNS: string[] = [
  "recordsIn",
  "load",
  "recordsInPerSecond",
  "lag",
  "observedRate",
  "recordsOut",
  "busyTime",
];

/** What a sample has of the whole job. */
export const GC = 0;
export const HEAP_USAGE = 1;
export const HEAP = 2;
export const MANAGED = 3;
export const METASPACE = 4;
export const SLOTS = 5;
export const TOTALS = 6;
export const TOTAL_COLUMNS: string[] = ["gcPressure", "heapUsage", "heapUsed", "managedUsed", "metaspaceUsed", "slotsUsed"];

/** What was measured at one instant, or, as one, at several that followed each other. What is not known is NaN. */
export class Sample {
  /** Row by row what is known of each vertex. */
  readonly figures: StaticArray<f64>;
  readonly totals: StaticArray<f64> = new StaticArray<f64>(TOTALS);
  /** As JSON, once it is known. */
  private spelled: string = "";

  constructor(
    /** Milliseconds since 1970; of several, the first. */
    readonly at: f64,
    vertices: i32,
    /** How many it stands for. */
    public weight: f64 = 1,
  ) {
    this.figures = new StaticArray<f64>(vertices * FIGURES);
    this.figures.fill(NaN);
    this.totals.fill(NaN);
  }

  get(vertex: i32, figure: i32): f64 {
    return this.figures[vertex * FIGURES + figure];
  }

  set(vertex: i32, figure: i32, value: f64): void {
    this.figures[vertex * FIGURES + figure] = value;
  }

  /** One sample for this one and the next: counters as at its beginning, levels as their mean. */
  with(next: Sample, vertices: i32): Sample {
    const both = new Sample(this.at, vertices, this.weight + next.weight);
    for (let i = 0; i < this.figures.length; i++) {
      const figure = i % FIGURES;
      const counts = figure == IN || figure == OUT || figure == BUSY || figure == LAG;
      both.figures[i] = counts
        ? this.figures[i]
        : mean(this.figures[i], this.weight, next.figures[i], next.weight);
    }
    for (let i = 0; i < TOTALS; i++) both.totals[i] = mean(this.totals[i], this.weight, next.totals[i], next.weight);
    return both;
  }

  /** A row for each vertex, and one of the job; what is not known is -1, what has no end -2. */
  get json(): string {
    const spelled = this.spelled;
    if (spelled.length > 0) return spelled;
    const vertices = this.figures.length / FIGURES;
    const rows = new Array<string>(vertices);
    for (let v = 0; v < vertices; v++) rows[v] = row(this.figures, v * FIGURES, FIGURES);
    const fields = new Fields().number("at", this.at);
    if (this.weight != 1) fields.number("weight", this.weight);
    this.spelled = fields.raw("vertices", `[${rows.join(",")}]`).raw("job", row(this.totals, 0, TOTALS)).json;
    return this.spelled;
  }

  static of(value: Value, vertices: i32): Sample {
    const sample = new Sample(value.number("at"), vertices, value.number("weight", 1));
    const rows = value.list("vertices");
    for (let v = 0; v < min(rows.length, vertices); v++) fill(sample.figures, v * FIGURES, rows[v].asList(), FIGURES);
    fill(sample.totals, 0, value.list("job"), TOTALS);
    sample.spelled = value.json;
    return sample;
  }
}

function mean(a: f64, weight: f64, b: f64, other: f64): f64 {
  if (isNaN(a) || (!isFinite(a) && !isNaN(b))) return b;
  if (isNaN(b) || !isFinite(b)) return a;
  return (a * weight + b * other) / (weight + other);
}

function row(figures: StaticArray<f64>, from: i32, length: i32): string {
  const parts = new Array<string>(length);
  for (let i = 0; i < length; i++) parts[i] = json(figures[from + i]);
  while (parts.length > 0 && parts[parts.length - 1] == "-1") parts.pop();
  return `[${parts.join(",")}]`;
}

function fill(figures: StaticArray<f64>, from: i32, row: Value[], length: i32): void {
  for (let i = 0; i < min(row.length, length); i++) figures[from + i] = figureOf(row[i]);
}

/** A figure as JSON, which knows neither NaN nor the infinite: no figure here is below 0, so -1 is unknown and -2 without end. */
export function json(x: f64): string {
  if (isNaN(x)) return "-1";
  if (!isFinite(x)) return "-2";
  if (Math.floor(x) == x && Math.abs(x) < 9e15) return (<i64>x).toString();
  const near = Math.round(x * 1000);
  // What was rounded to three decimals is spelled by whole numbers, which takes a tenth of the time.
  if (!(near / 1000 == x && near > 0 && near < 9e15)) return x.toString();
  const thousandths = <i64>near;
  return (thousandths / 1000).toString() + decimals(<i32>(thousandths % 1000));
}

function decimals(thousandths: i32): string {
  const all = "." + (1000 + thousandths).toString().substring(1);
  return thousandths % 100 == 0 ? all.substring(0, 2) : thousandths % 10 == 0 ? all.substring(0, 3) : all;
}

/** What `json` wrote. */
export function figureOf(entry: Value): f64 {
  const number = entry.asNumber();
  return number >= 0 ? number : number == -1 ? NaN : Infinity;
}
