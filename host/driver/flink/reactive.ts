import { Fault } from "../../fault/index.ts";
import type { Job } from "../../flink/index.ts";
import { accountOf, type Cluster } from "../../kube/index.ts";
import type { Wanted } from "../../knowledge/index.ts";
import type { FlinkTarget, Policy } from "../../policy/index.ts";
import type { Topology, TopologyNode } from "../../topology/index.ts";
import { readScale, revisionOf, writeScale } from "../scale.ts";
import type { Asked } from "./requirements.ts";
import type { Route } from "./route.ts";
import { podsFor } from "./slots.ts";

/** By this attribute nodes are known that cannot be told a number of their own. */
const REACTIVE = { scheduler: "reactive" } as const;

/**
 * In reactive mode a job takes every slot that there is, with all its vertices: it is told another number by more or fewer
 * TaskManagers. Throws `TargetUnsuitable` where the policy does not name them, or names an object of the Flink operator.
 */
export async function reactiveRoute(
  cluster: Cluster,
  policy: Policy,
  { jobManager, taskManagers }: FlinkTarget,
  { vertices }: Job,
): Promise<Route> {
  if (!("service" in jobManager))
    throw unsuitable(
      "spec.target.flink.jobManager",
      "Name the JobManager's service and its TaskManagers, or take scheduler-mode out of the object.",
    );
  if (taskManagers === undefined)
    throw unsuitable(
      "spec.target.flink.taskManagers",
      "Name the object whose replicas are the TaskManagers.",
    );
  const { ref, slotsPerPod } = taskManagers;
  const api = cluster.as(accountOf(policy));
  const resource = await cluster.resource(ref.apiVersion, ref.kind);
  const scale = await readScale(api, resource, ref.name);
  const running = (pods: number): Asked =>
    new Map(vertices.map(({ id, maxParallelism }) => [id, Math.min(pods * slotsPerPod, maxParallelism)]));
  const podsOf = (after: Asked) => podsFor(Math.max(...after.values()), taskManagers);
  return {
    asked: running(scale.replicas),
    isReactive: true,
    // Whoever wants most has its way: what a vertex has beyond its own number is idle.
    granted: (after) => running(podsOf(after)),
    write: async (after, permit) => {
      const [from, to] = [scale.replicas, podsOf(after)];
      if (from === to) return;
      const change = { resource, name: ref.name, from, to, revision: revisionOf(scale) };
      await writeScale(api, change, permit);
    },
  };
}

const unsuitable = (field: string, remedy: string) =>
  new Fault("TargetUnsuitable", "In reactive mode the job takes every slot that there is", { field, remedy });

/** The topology of a job whose vertices all have the same number: it comes in whole TaskManagers, inside everybody's bounds. */
export function inStep(topology: Topology, slotsPerPod: number): Topology {
  const { nodes } = topology;
  const ceiling = Math.min(...nodes.map((node) => node.ceiling ?? Infinity));
  const min = Math.max(...nodes.map((node) => node.min));
  const max = Math.max(min, Math.min(...nodes.map((node) => node.max)));
  return {
    ...topology,
    nodes: nodes.map(({ alignTo: _alignTo, ...node }): TopologyNode => ({
      ...{ ...node, min, max },
      unit: slotsPerPod,
      ceiling: Math.max(slotsPerPod, Math.floor(ceiling / slotsPerPod) * slotsPerPod),
      attributes: { ...node.attributes, ...REACTIVE },
    })),
  };
}

/** What is wanted of vertices that all have the same number: what the most wanting of them does. Pure. */
export function jointWants({ nodes }: Topology, wanted: readonly Wanted[]): readonly Wanted[] {
  const [first] = wanted;
  if (first === undefined || nodes[0]?.attributes["scheduler"] !== REACTIVE.scheduler) return wanted;
  const most = wanted.reduce((one, other) => (other.parallelism > one.parallelism ? other : one), first);
  return nodes.map(({ name }) => ({
    ...(wanted.find(({ node }) => node === name) ?? { ...most, node: name }),
    parallelism: most.parallelism,
    ...(most.demand === undefined ? {} : { demand: most.demand }),
  }));
}
