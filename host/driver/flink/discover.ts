import type { FlinkVertex, Policy } from "../../policy/index.ts";
import type { Topology, TopologyNode } from "../../topology/index.ts";
import { readSlots } from "./cluster.ts";
import { look, type Reach, type Seen } from "./look.ts";
import { inStep } from "./reactive.ts";
import { readShape, type Shape } from "./resources.ts";

/** The job's graph, its vertices by the policy's names. */
export async function discover(reach: Reach, policy: Policy): Promise<Topology> {
  const seen = await look(reach, policy);
  const shape = await readShape(reach, policy, seen.target);
  const found = { ...topologyOf(seen, shape), slots: await readSlots(seen.rest) };
  return seen.route.isReactive ? inStep(found, seen.target.taskManagers?.slotsPerPod ?? 1) : found;
}

function topologyOf({ job, named, route, target }: Seen, shape: Shape | undefined): Topology {
  const { isThere = true, ...instance } = shape ?? {};
  const names = new Map(named.map(({ vertex, name }) => [vertex.id, name]));
  const keyed = new Set(job.edges.filter((one) => one.shipStrategy === "HASH").map(({ to }) => to));
  // Where each node has slots of its own, nobody shares.
  const isShared = target.taskManagers?.slotMode !== "PerNode";
  const groups = [...new Set(named.map(({ vertex }) => vertex.slotGroup))];
  const isRunning = job.state === "RUNNING";
  const nodes = named.map(({ vertex, name, said }): TopologyNode => {
    const { parallelism, serving, maxParallelism, status, slotGroup } = vertex;
    const asked = route.asked.get(vertex.id) ?? parallelism;
    return {
      ...{ name, kind: "Vertex", parallelism: asked },
      ready: isRunning ? serving : 0,
      ...boundsOf(said, target.bounds),
      ceiling: maxParallelism,
      // Only records that come by key are spread by key group.
      ...(keyed.has(vertex.id) ? { alignTo: maxParallelism } : {}),
      // Flink's own ids of slot groups are others after each start.
      ...(slotGroup === undefined || !isShared
        ? {}
        : { slotGroup: `group-${groups.indexOf(slotGroup) + 1}` }),
      ...instance,
      attributes: { vertex: vertex.id, vertexName: vertex.name, status },
      settled: isRunning && isThere && parallelism === asked && serving === parallelism,
      revision: job.id,
    };
  });
  return {
    nodes,
    edges: job.edges.map(({ from, to, shipStrategy }) => ({
      from: names.get(from) ?? from,
      to: names.get(to) ?? to,
      ...(shipStrategy === undefined ? {} : { shipStrategy }),
    })),
    ...(job.runningSince === undefined ? {} : { runningSince: job.runningSince.toISOString() }),
    ...(isRunning ? {} : { unsteady: `The job ${job.name} is ${job.state}` }),
  };
}

/** A vertex has at least one instance. */
function boundsOf(said: FlinkVertex | undefined, bounds: FlinkVertex["bounds"]) {
  const { min, max } = said?.bounds ?? bounds;
  return { min: Math.max(1, min), max: Math.max(1, max) };
}
