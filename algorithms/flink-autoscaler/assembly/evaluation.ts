import { rounded, nearest } from "./arithmetic";
import { Graph, Vertex } from "./graph";
import { Options } from "./options";
import { BUSY, IN, IN_PER_SECOND, LAG, LOAD, OBSERVED, OUT } from "./sample";
import { Window } from "./window";

/** What the metric window says of one vertex, each figure as upstream keeps it. Rates are records a second. */
export class Evaluated {
  /** What is to be processed, as the sources are fed. */
  target: f64 = NaN;
  /** What is to be processed beside it, to work off the lag in the catch-up time. */
  catchUp: f64 = NaN;
  /** What all instances could process, were they always busy. */
  trueRate: f64 = NaN;
  load: f64 = NaN;
  lag: f64 = NaN;
  scaleUpBelow: f64 = NaN;
  scaleDownAbove: f64 = NaN;
}

/** Capacity for what arrives and what has to be caught up, with instances that are busy for no more than `utilization`. */
export function capacity(
  target: f64,
  catchUp: f64,
  utilization: f64,
  withRestart: bool,
  restartSeconds: f64,
  options: Options,
): f64 {
  if (isNaN(catchUp) || isNaN(target)) return NaN;
  const share = Math.min(1, Math.max(0, utilization));
  if (share == 0) return Infinity;
  const seconds = options.catchUpSeconds;
  const restart = !withRestart || seconds == 0 ? 0 : (target * restartSeconds) / seconds;
  const sum = catchUp + restart + target / share;
  return options.compat || isFinite(sum) ? nearest(sum) : sum;
}

/** Sets between which true rates a vertex stays as it is. While a backlog is worked off nothing is scaled down. */
export function setThresholds(seen: Evaluated, backlog: bool, restartSeconds: f64, options: Options): void {
  const upper = backlog ? 1.0 : options.upperUtilization;
  const lower = backlog ? 0.0 : options.lowerUtilization;
  seen.scaleUpBelow = rounded(capacity(seen.target, seen.catchUp, upper, false, restartSeconds, options));
  seen.scaleDownAbove = rounded(capacity(seen.target, seen.catchUp, lower, true, restartSeconds, options));
}

/** Milliseconds a second for which the instances were busy. */
export function busyTime(window: Window, vertex: i32, parallelism: i32, options: Options): f64 {
  if (options.aggregator == "AVG") return window.rate(vertex, BUSY) / <f64>parallelism;
  return window.average(vertex, LOAD) * 1000;
}

/** The rate that belongs to the busy time: taken the same way. */
export function inputRate(window: Window, vertex: i32, options: Options): f64 {
  const average = options.aggregator == "AVG" ? NaN : window.average(vertex, IN_PER_SECOND);
  return isFinite(average) ? average : window.rate(vertex, IN);
}

/** What the vertex could process: as its busy time says, or as was seen while it had a backlog where that is much less. */
export function trueRate(window: Window, vertex: i32, busy: f64, rate: f64, options: Options): f64 {
  const byBusyTime = rate == 0 ? Infinity : rate / (busy / 1000);
  const observed = window.average(vertex, OBSERVED, <f64>options.observedLeast);
  if (isNaN(observed)) return byBusyTime;
  if (!isFinite(byBusyTime)) return observed;
  return byBusyTime > observed * (1 + options.observedSwitch) ? observed : byBusyTime;
}

/** Whether a source is further behind than the threshold. */
export function hasBacklog(graph: Graph, window: Window, options: Options): bool {
  for (let v = 0; v < graph.vertices.length; v++) {
    if (!graph.vertices[v].isSource) continue;
    const rate = window.rate(v, IN);
    const known = window.last.get(v, LAG);
    const lag = isNaN(known) ? 0 : known;
    if (!isNaN(rate) && lag / rate > Math.floor(options.backlogLagMs / 1000)) return true;
  }
  return false;
}

/** Records that go from one vertex to another for each that the first one reads. */
export function outputRatio(graph: Graph, window: Window, from: i32, to: i32, options: Options): f64 {
  const input = window.rate(from, IN);
  // What is not known is not nothing: upstream takes it for 0 and scales down what comes after.
  if (isNaN(input) && !options.compat) return NaN;
  if (!(input > 0)) return 0;
  const edge = edgeRate(graph, window, from, to, options);
  if (isNaN(edge) && !options.compat) return NaN;
  return edge > 0 ? edge / input : 0;
}

/** Records a second from one vertex to another. */
export function edgeRate(graph: Graph, window: Window, from: i32, to: i32, options: Options): f64 {
  const inputs = graph.vertices[to].inputs;
  if (inputs.length == 1) return window.rate(to, IN);
  let others: f64 = 0;
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i] == from) continue;
    others += graph.vertices[inputs[i]].outputs.length == 1 ? window.rate(inputs[i], OUT) : NaN;
  }
  if (!isNaN(others)) return window.rate(to, IN) - others;
  return options.compat ? window.rate(from, OUT) : sharedRate(graph, window, from, to);
}

/**
 * Where an input writes to several vertices, its own count says nothing of one edge. What it cannot have written to those
 * that read from it alone is left for the others, and the vertex's input is shared out among its inputs in proportion.
 */
function sharedRate(graph: Graph, window: Window, from: i32, to: i32): f64 {
  const inputs = graph.vertices[to].inputs;
  let sum: f64 = 0;
  for (let i = 0; i < inputs.length; i++) sum += leftOver(graph, window, inputs[i]);
  if (isNaN(sum)) return window.rate(from, OUT);
  if (sum == 0) return window.rate(to, IN) / <f64>inputs.length;
  return (window.rate(to, IN) * leftOver(graph, window, from)) / sum;
}

function leftOver(graph: Graph, window: Window, vertex: i32): f64 {
  let left = window.rate(vertex, OUT);
  const outputs = graph.vertices[vertex].outputs;
  for (let i = 0; i < outputs.length; i++)
    if (graph.vertices[outputs[i]].inputs.length == 1) left -= window.rate(outputs[i], IN);
  return Math.max(0, left);
}

/** Evaluates every vertex, those that feed it before it. */
export class Evaluation {
  readonly vertices: Evaluated[] = [];
  readonly backlog: bool;

  constructor(
    private readonly graph: Graph,
    private readonly window: Window,
    private readonly restartSeconds: f64,
    private readonly options: Options,
  ) {
    this.backlog = hasBacklog(graph, window, options);
    for (let v = 0; v < graph.vertices.length; v++) this.vertices.push(this.evaluate(v));
  }

  private evaluate(v: i32): Evaluated {
    const vertex = this.graph.vertices[v];
    const seen = new Evaluated();
    if (vertex.isSource) this.feed(seen, v);
    else this.pass(seen, v, vertex);
    const busy = busyTime(this.window, v, vertex.parallelism, this.options);
    const rate = inputRate(this.window, v, this.options);
    seen.trueRate = rounded(trueRate(this.window, v, busy, rate, this.options));
    seen.load = rounded(busy / 1000);
    seen.lag = rounded(this.window.last.get(v, LAG));
    setThresholds(seen, this.backlog, this.restartSeconds, this.options);
    return seen;
  }

  /** What the outside offers to a source: what it reads and what its lag grows by. */
  private feed(seen: Evaluated, v: i32): void {
    const offered = this.window.rate(v, IN) + this.window.rate(v, LAG);
    seen.target = rounded(isNaN(offered) ? NaN : Math.max(0, offered));
    const known = this.window.last.get(v, LAG);
    const lag = isNaN(known) && this.options.compat ? 0 : known;
    const seconds = this.options.catchUpSeconds;
    seen.catchUp = rounded(seconds == 0 ? 0 : lag / seconds);
  }

  private pass(seen: Evaluated, v: i32, vertex: Vertex): void {
    let target: f64 = 0;
    let catchUp: f64 = 0;
    for (let i = 0; i < vertex.inputs.length; i++) {
      // Only on a loop an input comes later: what goes round is not counted.
      if (vertex.inputs[i] >= v) continue;
      const ratio = outputRatio(this.graph, this.window, vertex.inputs[i], v, this.options);
      const input = this.emitted(vertex.inputs[i]);
      target += input.target * ratio;
      catchUp += input.catchUp * ratio;
    }
    seen.target = rounded(target);
    seen.catchUp = rounded(catchUp);
  }

  /** What an input can hand on: all that it is to process, and no more than it can ever have the instances for. */
  private emitted(v: i32): Evaluated {
    const seen = this.vertices[v];
    const vertex = this.graph.vertices[v];
    const most = this.options.compat || vertex.parallelism == 0 ? Infinity : this.most(vertex);
    const reach = (seen.trueRate / <f64>vertex.parallelism) * most;
    if (!(seen.target + seen.catchUp > reach)) return seen;
    const capped = new Evaluated();
    capped.target = Math.min(seen.target, reach);
    capped.catchUp = Math.min(seen.catchUp, reach - capped.target);
    return capped;
  }

  private most(vertex: Vertex): f64 {
    if (this.options.excludedVertices.includes(vertex.name)) return <f64>vertex.parallelism;
    const bound = min(vertex.max, this.options.vertexMax);
    return <f64>min(vertex.maxParallelism, max(vertex.parallelism, bound));
  }
}
