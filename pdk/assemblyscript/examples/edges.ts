import { answer, Plan, read } from "@sluice/pdk";

/** Gives every node what the nodes that feed it have together, within what can work in parallel. */
export function plan(): i32 {
  const topology = read().topology;
  const plan = new Plan();
  for (let i = 0; i < topology.nodes.length; i++) {
    const node = topology.nodes[i];
    let fed: f64 = 0;
    for (let j = 0; j < topology.edges.length; j++) {
      const edge = topology.edges[j];
      if (edge.to == node.name) fed += <f64>topology.node(edge.from).parallelism;
    }
    // Whoever nobody feeds stays as it is.
    if (fed > 0) plan.want(node.name, Math.min(fed, <f64>node.ceiling), "as much as feeds it");
  }
  return answer(plan);
}
