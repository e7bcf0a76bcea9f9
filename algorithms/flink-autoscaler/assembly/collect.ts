import { log, Step } from "@sluice/pdk";
import { rounded } from "./arithmetic";
import { Graph } from "./graph";
import { Options } from "./options";
import {
  BUSY,
  GC,
  HEAP,
  HEAP_USAGE,
  IN,
  IN_PER_SECOND,
  LAG,
  LOAD,
  MANAGED,
  METASPACE,
  OBSERVED,
  OUT,
  Sample,
  SLOTS,
} from "./sample";
import { Series } from "./series";
import { Window } from "./window";

/** Makes one sample of what the sources say in this pass. */
export class Collector {
  private sources: Map<string, Series> = new Map();
  /** Vertices that have no usable busy time, or whose sources failed: they are left out of this pass. */
  readonly unknown: string[] = [];

  constructor(
    private readonly step: Step,
    private readonly graph: Graph,
    private readonly options: Options,
  ) {}

  /** The sample as it is kept: rounded, and without what the evaluation has no use for. `past` is the window before it. */
  sample(at: f64, past: Window): Sample {
    const sample = this.measure(at, past);
    for (let v = 0; v < this.graph.vertices.length; v++) {
      if (!this.isShared(v)) sample.set(v, OUT, NaN);
      if (this.options.aggregator != "AVG") sample.set(v, BUSY, NaN);
    }
    for (let i = 0; i < sample.figures.length; i++) sample.figures[i] = rounded(sample.figures[i]);
    for (let i = 0; i < sample.totals.length; i++) sample.totals[i] = rounded(sample.totals[i]);
    return sample;
  }

  /** The sample as it was measured; what a source processed while it had a backlog is remembered in `past`. */
  measure(at: f64, past: Window): Sample {
    const sample = new Sample(at, this.graph.vertices.length);
    for (let v = 0; v < this.graph.vertices.length; v++) {
      if (this.graph.vertices[v].finished) this.rest(sample, v);
      else this.vertex(sample, v, past);
    }
    this.job(sample);
    return sample;
  }

  /** Whether a vertex feeds one with several inputs: only there its output counts. */
  private isShared(v: i32): bool {
    const outputs = this.graph.vertices[v].outputs;
    for (let i = 0; i < outputs.length; i++) if (this.graph.vertices[outputs[i]].inputs.length > 1) return true;
    return false;
  }

  /** What has finished does nothing any more. */
  private rest(sample: Sample, v: i32): void {
    sample.set(v, IN, 0);
    sample.set(v, OUT, 0);
    sample.set(v, LOAD, 0);
    sample.set(v, BUSY, 0);
    sample.set(v, LAG, 0);
    this.unknown.push(this.graph.vertices[v].name);
  }

  private vertex(sample: Sample, v: i32, past: Window): void {
    const vertex = this.graph.vertices[v];
    const busy = this.busy(v);
    if (isNaN(busy)) this.leave(vertex.name, "busyTimeMsPerSecond");
    sample.set(v, LOAD, Math.max(0, busy) / 1000);
    sample.set(v, BUSY, this.sum("accumulatedBusyTime", v));
    sample.set(v, OUT, this.sum("numRecordsOut", v));
    sample.set(v, IN, this.sum("numRecordsIn", v));
    if (vertex.isSource) this.source(sample, v, vertex.name, past);
    else sample.set(v, IN_PER_SECOND, this.sum("numRecordsInPerSecond", v));
    if (isNaN(sample.get(v, IN))) this.leave(vertex.name, "numRecordsIn");
  }

  private source(sample: Sample, v: i32, name: string, past: Window): void {
    sample.set(v, IN, this.read(v));
    const pending = this.series("pendingRecords");
    const silent = pending !== null && pending.isSilent && !this.options.compat;
    if (silent) this.leave(name, "pendingRecords");
    const known = this.sum("pendingRecords", v);
    // A source without this metric has no lag; where nothing at all is heard of it, nobody knows.
    const lag = isNaN(known) && !silent ? 0 : known;
    sample.set(v, LAG, lag);
    const rate = this.rate(v);
    const seen = this.observed(v, rate, lag);
    const remembered = past.average(v, OBSERVED, <f64>this.options.observedLeast);
    sample.set(v, OBSERVED, isNaN(seen) && !isNaN(rate) ? remembered : seen);
  }

  /** Records that a source has read: some count them only at their operator, some only as they go out. */
  private read(v: i32): f64 {
    const counted = this.sum("numRecordsIn", v);
    if (counted > 0) return counted;
    const operator = this.sum("sourceNumRecordsIn", v);
    if (operator > 0) return operator;
    const out = this.sum("sourceNumRecordsOut", v);
    if (!isNaN(out)) return out;
    return isNaN(operator) ? counted : operator;
  }

  private rate(v: i32): f64 {
    const task = this.sum("numRecordsInPerSecond", v);
    if (task > 0) return task;
    const operator = this.sum("sourceNumRecordsInPerSecond", v);
    if (operator > 0) return operator;
    const out = this.sum("sourceNumRecordsOutPerSecond", v);
    if (!isNaN(out)) return Math.max(0, out);
    return isNaN(operator) ? Math.max(0, task) : Math.max(0, operator);
  }

  /** What the source can process, seen while it is kept busy by its lag; without any input there is no limit to see. */
  private observed(v: i32, rate: f64, lag: f64): f64 {
    if (isNaN(rate)) return NaN;
    if (rate == 0) return Infinity;
    if (!(lag >= Math.floor(this.options.observedLagMs / 1000) * rate)) return NaN;
    const held = this.mean("backPressuredTimeMsPerSecond", v);
    return held >= 1000 ? NaN : rate / (1 - held / 1000);
  }

  private job(sample: Sample): void {
    sample.totals[GC] = this.most("gcTimeMsPerSecond") / 1000;
    const used = this.most("heapUsed");
    sample.totals[HEAP_USAGE] = used / this.most("heapMax");
    sample.totals[HEAP] = used;
    sample.totals[MANAGED] = this.most("managedMemoryUsed");
    sample.totals[METASPACE] = this.most("metaspaceUsed");
    const slots = this.step.value.object("topology").object("slots");
    if (slots.has("total")) sample.totals[SLOTS] = slots.number("total") - slots.number("free");
  }

  private leave(name: string, source: string): void {
    if (this.unknown.includes(name)) return;
    const from = this.series(source);
    const why = from === null ? "the policy has no such source" : from.error;
    log.warn(`${name} is left out: ${source} has no value for it${why.length == 0 ? "" : ` (${why})`}`);
    this.unknown.push(name);
  }

  /** One figure for all instances of a vertex. */
  private busy(v: i32): f64 {
    const series = this.series("busyTimeMsPerSecond");
    if (series === null) return NaN;
    if (this.options.aggregator == "AVG") return series.mean(v);
    return this.options.aggregator == "MIN" ? series.least[v] : series.most[v];
  }

  private sum(source: string, v: i32): f64 {
    const series = this.series(source);
    return series === null ? NaN : series.sum[v];
  }

  private mean(source: string, v: i32): f64 {
    const series = this.series(source);
    return series === null ? NaN : series.mean(v);
  }

  /** The largest of the task managers' values, whatever they belong to. */
  private most(source: string): f64 {
    const series = this.series(source);
    return series === null ? NaN : series.largest;
  }

  /** The source that stands for one of Flink's metrics; null if the policy has none. */
  private series(metric: string): Series | null {
    if (this.sources.has(metric)) return this.sources.get(metric);
    const name = this.step.config.object("sources").text(metric, metric);
    if (!this.step.value.object("sources").has(name)) return null;
    const found = new Series(this.step.source(name), this.graph);
    this.sources.set(metric, found);
    return found;
  }
}
