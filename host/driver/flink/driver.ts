import { accountOf } from "../../kube/index.ts";
import type { Driver } from "../../loop/index.ts";
import type { Policy } from "../../policy/index.ts";
import { troubleOf } from "../trouble.ts";
import { flinkTarget } from "./address.ts";
import { discover } from "./discover.ts";
import { look, type Reach } from "./look.ts";
import { PATIENCE, type Patience } from "./patience.ts";
import { jointWants } from "./reactive.ts";
import { sharedWants } from "./resources.ts";
import { scale } from "./scale.ts";

/** What the Flink driver is made of; without other words it waits as long as `PATIENCE` says. */
export type FlinkDriverOptions = Reach & Pick<Patience, "time"> & Partial<Patience>;

/**
 * Scales the vertices of a Flink job in the adaptive scheduler, or by an object of the Flink Kubernetes operator, and the
 * TaskManagers with them where the policy names their object.
 */
export function flinkDriver({ cluster, jobManagers: reached, ...patience }: FlinkDriverOptions): Driver {
  const reach = { cluster, jobManagers: reached };
  return {
    // Every change restarts the whole job from its last checkpoint.
    rescaleScope: () => "job",
    discover: (policy) => discover(reach, policy),
    meant: (_policy, topology, wanted) => sharedWants(jointWants(topology, wanted)),
    order: (_policy, changes) => (changes.length === 0 ? [] : [changes]),
    scale: (policy, changes, permit) => scale(reach, { ...PATIENCE, ...patience }, policy, changes, permit),
    writer: (policy, node) => writer(reach, policy, node),
    trouble: (policy, _node, since) => trouble(reach, policy, since),
  };
}

/** What a vertex is asked for, and by whom where an object says it. What was asked through Flink's own interface is nobody's. */
async function writer(reach: Reach, policy: Policy, node: string) {
  try {
    const { named, route } = await look(reach, policy);
    const vertex = named.find(({ name }) => name === node)?.vertex;
    const parallelism = vertex && route.asked.get(vertex.id);
    return parallelism === undefined
      ? undefined
      : { parallelism, ...(route.writer ?? { by: undefined, isOwn: false }) };
  } catch {
    // Nobody is named for what cannot be read.
    return undefined;
  }
}

/** Why TaskManagers are not created, if the account may know it. */
async function trouble({ cluster }: Reach, policy: Policy, since: Date) {
  try {
    const { taskManagers } = flinkTarget(policy);
    if (taskManagers === undefined) return undefined;
    const { apiVersion, kind, name } = taskManagers.ref;
    const api = cluster.as(accountOf(policy));
    return await troubleOf(cluster, api, await cluster.resource(apiVersion, kind), name, since);
  } catch {
    // It explains, and nothing is decided on it: what cannot be read is not known.
    return undefined;
  }
}
