/** One operator of the dataflow: what was measured of it, and what DS2 makes of that. NaN is "not known" everywhere. */
export class Operator {
  /** Places of the operators that send to it and that it sends to. */
  readonly upstream: i32[] = [];
  readonly downstream: i32[] = [];
  /** Records a second, all instances together, while they neither wait for input nor for output. */
  trueProcessing: f64 = NaN;
  trueOutput: f64 = NaN;
  /** Records a second that a source really emitted. */
  observedOutput: f64 = NaN;
  /** Records a second from outside the dataflow; 0 where none are expected. */
  arrivals: f64 = 0;
  /** A source of DS2: it has a rate that is asked of it, and keeps its parallelism. */
  isSource: bool = false;
  /** Records a second that should reach it, and that it passes on when it keeps up. */
  target: f64 = NaN;
  output: f64 = NaN;
  /** The number of instances that just keep up, unrounded. */
  optimal: f64 = NaN;
  /** Why nothing can be said of it; empty if something can. */
  unknown: string = "";

  constructor(
    readonly name: string,
    /** What it has been told to have. */
    readonly parallelism: i32,
    /** How many of its instances serve: those that its rates were measured of. */
    readonly ready: i32,
  ) {}

  /** Records a second of one instance. */
  get perInstance(): f64 {
    return this.trueProcessing / <f64>this.ready;
  }
}

/** Records flow from one operator to the other; twice the same edge is one. */
export function connect(operators: Operator[], from: i32, to: i32): void {
  if (operators[from].downstream.includes(to)) return;
  operators[from].downstream.push(to);
  operators[to].upstream.push(from);
}

/** Walks the dataflow from its sources to its sinks and gives every operator its target, its optimum and its output. */
export function evaluate(operators: Operator[]): void {
  const waiting = new Array<i32>(operators.length);
  const ready: i32[] = [];
  for (let i = 0; i < operators.length; i++) {
    operators[i].unknown = "it is on a loop of edges, or behind one: DS2 has no answer for loops";
    waiting[i] = operators[i].upstream.length;
    if (waiting[i] == 0) ready.push(i);
  }
  for (let next = 0; next < ready.length; next++) {
    const operator = operators[ready[next]];
    operator.unknown = "";
    if (operator.isSource) offer(operator);
    else size(operator, operators);
    for (let i = 0; i < operator.downstream.length; i++) {
      const to = operator.downstream[i];
      if (--waiting[to] == 0) ready.push(to);
    }
  }
}

function offer(source: Operator): void {
  source.target = source.trueOutput;
  source.output = source.trueOutput;
  if (isNaN(source.output)) source.unknown = "nothing says how many records a second it is to emit";
}

function size(operator: Operator, operators: Operator[]): void {
  let target = operator.arrivals;
  for (let i = 0; i < operator.upstream.length; i++) {
    const from = operators[operator.upstream[i]];
    if (isNaN(from.output)) operator.unknown = `what ${from.name} will send is not known`;
    target += from.output;
  }
  operator.target = target;
  if (isNaN(target)) {
    if (operator.unknown.length == 0) operator.unknown = "what arrives at it is not known";
    return;
  }
  if (!(operator.trueProcessing > 0) || operator.ready == 0) {
    operator.unknown =
      operator.ready == 0 ? "none of its instances is ready" : "nothing says what one of its instances can process";
    return;
  }
  const optimal = target / operator.perInstance;
  if (!isFinite(optimal)) {
    operator.unknown = "its rates are beyond all numbers";
    return;
  }
  operator.optimal = optimal;
  // The real optimum and not the rounded one: what is provided on top does not leak downstream.
  operator.output = operator.trueOutput * (optimal / <f64>operator.ready);
}

/** How many times more is offered to a source than it emits, at worst; 0 where that is not known. */
export function sourceRatio(operators: Operator[]): f64 {
  let worst: f64 = 0;
  for (let i = 0; i < operators.length; i++) {
    const source = operators[i];
    if (!source.isSource || !(source.observedOutput > 0)) continue;
    const ratio = source.trueOutput / source.observedOutput;
    if (isFinite(ratio) && ratio > worst) worst = ratio;
  }
  return worst;
}

/** The optimum as whole instances, with a share of it on top. */
export function provision(optimal: f64, scalingFactor: f64): f64 {
  return Math.ceil(optimal * (1 + scalingFactor));
}
