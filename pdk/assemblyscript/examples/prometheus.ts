import { answer, http, log, Plan, prometheus, read, Request } from "@sluice/pdk";

/** Asks for the rate of each node by a query that names it: what no source of the policy can do. */
export function plan(): i32 {
  const step = read();
  const base = step.config.text("prometheus");
  const plan = new Plan();
  const nodes = step.topology.nodes;
  const requests: Request[] = [];
  for (let i = 0; i < nodes.length; i++) {
    requests.push(prometheus.query(base, `sum(arrivals{operator="${nodes[i].name}"})`, step.time));
  }
  const answers = http.batch(requests);
  for (let i = 0; i < answers.length; i++) {
    const series = prometheus.vector(answers[i]);
    const name = nodes[i].name;
    if (series.length == 0 || !series[0].isNumber) log.warn(`${name}: nothing is known of it`);
    else plan.demand(name, series[0].number / 10);
  }
  return answer(plan);
}
