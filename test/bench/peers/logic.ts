/**
 * The logic of the bench in AssemblyScript: an instance for every hundred records a second. The same as in `rates.py`, and
 * every step reads its whole input, as each of the peers does.
 */
export const LOGIC = `
import { answer, Fields, Plan, read } from "@sluice/pdk";

export function monitor(): i32 {
  return answer(new Fields().number("total", read().source("rates").total()));
}

export function analyze(): i32 {
  return answer(new Fields().number("total", read().source("rates").total()));
}

export function plan(): i32 {
  const step = read();
  const rates = step.source("rates");
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const name = step.topology.nodes[i].name;
    plan.want(name, Math.max(1, Math.ceil(rates.sum(name) / 100)));
  }
  return answer(plan);
}
`;
