import { answer, figure, log, Node, Plan, read, Step, Value } from "@sluice/pdk";
import { instancesFor, Traffic, waiting } from "./waiting";

/** As few instances as keep what a record waits and is worked on within each node's target. */
export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) want(plan, step, step.topology.nodes[i]);
  return answer(plan);
}

function want(plan: Plan, step: Step, node: Node): void {
  const own = step.config.object("nodes").object(node.name);
  const rate = measured(step, node, step.config.text("source", "rates"));
  const service = serviceOf(step, node, own);
  if (isNaN(rate) || isNaN(service)) return;
  if (rate == 0) return plan.want(node.name, 0, "nothing arrives");
  const target = number(step, own, "latencySeconds", NaN);
  const traffic = new Traffic(rate, service, number(step, own, "arrivalVariance", 1), number(step, own, "serviceVariance", 1));
  const count = instancesFor(traffic, target);
  if (count == 0)
    return log.warn(`${node.name} is left as it is: one record takes ${figure(service)} s, and ${figure(target)} s are allowed`);
  const wait = waiting(traffic, count);
  plan.want(
    node.name,
    count,
    `${figure(rate)}/s at ${figure(service)} s each wait ${figure(wait)} s: within ${figure(target)} s`,
  );
}

/** Seconds a record, from a source or from the config. */
function serviceOf(step: Step, node: Node, own: Value): f64 {
  const source = step.config.text("serviceSource", "");
  if (source == "") return number(step, own, "serviceSeconds", NaN);
  const seconds = measured(step, node, source);
  if (seconds > 0 || isNaN(seconds)) return seconds;
  log.warn(`${node.name} is left as it is: ${source} says that a record takes no time`);
  return NaN;
}

/** What a source says of a node; NaN, with a line in the log, where it says nothing or less than nothing. */
function measured(step: Step, node: Node, source: string): f64 {
  const said = step.source(source);
  if (!said.has(node.name)) {
    log.warn(`${node.name} is left as it is: ${source} has no value for it`);
    return NaN;
  }
  const value = said.sum(node.name);
  if (value >= 0) return value;
  log.warn(`${node.name} is left as it is: ${source} says ${figure(value)}`);
  return NaN;
}

/** A setting of the node's own, or of all nodes. Fails where neither is there and there is no default. */
function number(step: Step, own: Value, name: string, preset: f64): f64 {
  return own.has(name) ? own.number(name) : step.config.number(name, preset);
}
