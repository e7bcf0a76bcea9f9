import { answer, evenSeries, figure, Plan, read, seconds, series } from "@sluice/pdk";

/** Plans for where the rate of the last ten minutes will be in one more, if it goes on as it went. */
export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const name = step.topology.nodes[i].name;
    const rates = evenSeries(series(step, "rates", name, 600), seconds(step.time), 60);
    // Too few passes, or too many in which nothing was said: that is no data.
    if (rates.length < 2) continue;
    const slope = (rates[rates.length - 1] - rates[0]) / <f64>(rates.length - 1);
    const soon = Math.max(0, rates[rates.length - 1] + slope);
    plan.demand(name, soon / 100, `${figure(soon)}/s in a minute`);
  }
  return answer(plan);
}
