import { log, Observation, Step } from "@sluice/pdk";
import { connect, Operator } from "./dataflow";
import { Settings } from "./settings";

/** In `nodes.<name>.outputPerInstance`: a source is to emit what it emits. */
const AS_OBSERVED: f64 = -1;

/** The dataflow with what was measured of it. A source that failed, and a rate below zero, leave their figures unknown. */
export function measured(step: Step, settings: Settings): Operator[] {
  const nodes = step.topology.nodes;
  const operators = new Array<Operator>(nodes.length);
  const places = new Map<string, i32>();
  for (let i = 0; i < nodes.length; i++) {
    operators[i] = new Operator(nodes[i].name, nodes[i].parallelism, nodes[i].ready);
    places.set(nodes[i].name, i);
  }
  const edges = step.topology.edges;
  for (let i = 0; i < edges.length; i++) connect(operators, places.get(edges[i].from), places.get(edges[i].to));

  const processing = step.source(settings.source("trueProcessing", "true-processing"));
  const output = step.source(settings.source("trueOutput", "true-output"));
  const emitted = optional(step, settings.source("observedOutput", "observed-output"));
  const arrivals = optional(step, settings.source("arrivals", "arrivals"));
  for (let i = 0; i < nodes.length; i++) {
    const operator = operators[i];
    operator.trueProcessing = rate(processing, operator.name);
    operator.trueOutput = rate(output, operator.name);
    if (emitted !== null) operator.observedOutput = rate(emitted, operator.name);
    feed(operator, arrivals);
    order(operator, settings);
    if (!operator.isSource && (isPartial(processing, operator) || isPartial(output, operator)))
      operator.trueProcessing = NaN;
    if (settings.forecast) expect(operator, step);
  }
  return operators;
}

/** Says where records come from: where the policy measures arrivals, no operator is a source that keeps its parallelism. */
function feed(operator: Operator, arrivals: Observation | null): void {
  const isFirst = operator.upstream.length == 0;
  operator.isSource = isFirst && arrivals === null;
  if (arrivals === null) return;
  if (isFirst || arrivals.has(operator.name)) operator.arrivals = rate(arrivals, operator.name);
}

/** A source can be told what it is to emit, instead of having it measured. */
function order(operator: Operator, settings: Settings): void {
  const ordered = settings.nodes.object(operator.name).number("outputPerInstance", Infinity);
  if (!operator.isSource || ordered == Infinity) return;
  operator.trueOutput =
    ordered == AS_OBSERVED ? operator.observedOutput : ordered * <f64>operator.parallelism;
}

/** What an earlier analyze step expects counts where it is more than what is measured. */
function expect(operator: Operator, step: Step): void {
  const forecast = step.analyze.object("nodes").object(operator.name).number("forecast", 0);
  if (operator.isSource) operator.trueOutput = Math.max(operator.trueOutput, forecast);
  else operator.arrivals = Math.max(operator.arrivals, forecast);
}

/** Whether only some of its instances have said something, or some that are gone: the sum would be of another number. */
function isPartial(source: Observation, operator: Operator): bool {
  const said = source.count(operator.name);
  if (said <= 1 || said == operator.ready) return false;
  log.warn(`${operator.name}: ${source.name} is of ${said} instances, and ${operator.ready} are ready`);
  return true;
}

/** The sum over the samples of a node, one an instance or one for all; NaN where there is none. */
function rate(source: Observation, node: string): f64 {
  if (!source.has(node)) return NaN;
  const sum = source.sum(node);
  if (sum >= 0) return sum;
  log.warn(`${node}: ${source.name} is below zero, which is no rate`);
  return NaN;
}

function optional(step: Step, name: string): Observation | null {
  return step.value.object("sources").has(name) ? step.source(name) : null;
}
