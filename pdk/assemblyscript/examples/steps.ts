import { answer, fail, Fields, Plan, read } from "@sluice/pdk";

/** Monitor condenses what is seen; plan goes on from that. A step that cannot go on says why, and nothing is scaled. */
export function monitor(): i32 {
  const rates = read().source("rates");
  if (rates.total() < 0) fail("the rates are below zero: look at the query of the source");
  return answer(new Fields().number("rate", rates.total()));
}

export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    plan.want(step.topology.nodes[i].name, Math.ceil(step.monitor.number("rate") / 100));
  }
  return answer(plan);
}
