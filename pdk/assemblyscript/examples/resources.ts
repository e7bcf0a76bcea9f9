import { answer, figure, Plan, read, Shape } from "@sluice/pdk";

const MEBIBYTE: f64 = 1048576;

/** Half as much memory again for instances that use more than four fifths of what they have; as many as there are. */
export function plan(): i32 {
  const step = read();
  const used = step.source("memory");
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    // Where the policy lets nobody change it, or nothing is said of it, there is nothing to compare with.
    if (isNaN(node.memory) || !used.has(node.name)) continue;
    const share = used.sum(node.name) / (<f64>node.parallelism * node.memory);
    if (!(share > 0.8)) continue;
    const next = new Shape().memory(1.5 * node.memory);
    plan.want(node.name, node.parallelism, `${figure(100 * share)} % of ${figure(node.memory / MEBIBYTE)} MiB`, next);
  }
  return answer(plan);
}
