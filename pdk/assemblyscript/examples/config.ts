import { answer, fail, Plan, read } from "@sluice/pdk";

/** A default, a field that has to be there, a list, and what nodes have of their own. */
export function plan(): i32 {
  const step = read();
  const config = step.config;
  const spare = config.whole("spare", 1);
  if (spare < 0) fail("config.spare: less than nothing cannot be spare");
  const skipped = config.list("skip").map<string>((name) => name.asText());
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const name = step.topology.nodes[i].name;
    if (skipped.includes(name)) continue;
    const own = config.object("nodes").object(name);
    plan.want(name, own.number("instances", config.number("instances")) + <f64>spare);
  }
  return answer(plan);
}
