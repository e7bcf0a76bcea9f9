import { answer, Fields, http, Plan, read } from "@sluice/pdk";

export function monitor(): i32 {
  const said = http.get(read().config.text("url"));
  return answer(new Fields().number("status", said.status).text("body", said.body));
}

export function analyze(): i32 {
  return answer(new Fields());
}

export function plan(): i32 {
  const step = read();
  const nodes = step.topology.nodes;
  const rates = step.source("rates");
  const plan = new Plan();
  for (let i = 0; i < nodes.length; i++) {
    const name = nodes[i].name;
    if (rates.has(name)) plan.want(name, Math.ceil(rates.sum(name) / 100));
  }
  return answer(plan);
}
