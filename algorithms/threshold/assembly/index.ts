import { answer, figure, log, Node, Observation, Plan, read, Value } from "@sluice/pdk";
import { isNear, needed } from "./threshold";

/** As many instances as the measured rate of each node needs at the configured rate an instance. */
export function plan(): i32 {
  const step = read();
  const rates = step.source(step.config.text("source", "rates"));
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) want(plan, step.topology.nodes[i], rates, step.config);
  return answer(plan);
}

function want(plan: Plan, node: Node, rates: Observation, config: Value): void {
  if (!rates.has(node.name)) {
    log.warn(`${node.name} is left as it is: ${rates.name} has no value for it${because(rates)}`);
    return;
  }
  const rate = rates.sum(node.name);
  if (rate < 0) {
    log.warn(`${node.name} is left as it is: ${rates.name} says ${figure(rate)}, which is no rate`);
    return;
  }
  const own = config.object("nodes").object(node.name);
  const target = own.number("targetPerInstance", config.number("targetPerInstance"));
  const tolerance = own.number("tolerance", config.number("tolerance", 0.1));
  const load = `${figure(rate)}/s at ${figure(target)}/s an instance`;
  const current = node.parallelism;
  if (isNear(rate, current, target, tolerance))
    plan.want(node.name, current, `${load} is within ${figure(tolerance * 100)} %`);
  else plan.want(node.name, needed(rate, target), load);
}

function because(rates: Observation): string {
  return rates.error.length == 0 ? "" : ` (${rates.error})`;
}
