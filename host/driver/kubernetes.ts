import { asFault, Fault } from "../fault/index.ts";
import type { Change, ChangeOutcome } from "../knowledge/index.ts";
import { fieldsOf, serviceAccount, type Cluster, type Resource, type TenantApi } from "../kube/index.ts";
import type { Driver } from "../loop/index.ts";
import type { Policy, TargetNode } from "../policy/index.ts";
import type { Topology, TopologyNode } from "../topology/index.ts";
import { inOrder } from "./order.ts";
import { readScale, revisionOf, writeScale, type Scale } from "./scale.ts";

/** Scales any kind with a scale subresource, with the rights of the policy's service account alone. */
export function kubernetesDriver(cluster: Cluster): Driver {
  return {
    discover: (policy) => discover(cluster, policy),
    scale: (policy, changes) => scale(cluster, policy, changes),
  };
}

async function discover(cluster: Cluster, policy: Policy): Promise<Topology> {
  const api = cluster.as(serviceAccount(policy.namespace, policy.serviceAccountName));
  const found = await Promise.allSettled(
    policy.nodes.map((node, at) => naming(at, () => discoverNode(cluster, api, node))),
  );
  const nodes = found.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  return {
    nodes,
    edges: policy.nodes.flatMap(({ name, to }) => to.map((next) => ({ from: name, to: next }))),
  };
}

async function discoverNode(cluster: Cluster, api: TenantApi, node: TargetNode): Promise<TopologyNode> {
  const resource = await scalable(cluster, node);
  const scaled = await readScale(api, resource, node.ref.name);
  return {
    name: node.name,
    kind: node.ref.kind,
    parallelism: scaled.replicas,
    ready: await readReady(api, resource, node.ref.name, scaled),
    min: node.bounds.min,
    max: node.bounds.max,
    attributes: node.attributes,
    revision: revisionOf(scaled),
  };
}

/** Writes the changes one after the other; what fails is told for its node, and the others go on. */
async function scale(cluster: Cluster, policy: Policy, changes: readonly Change[]): Promise<ChangeOutcome[]> {
  const api = cluster.as(serviceAccount(policy.namespace, policy.serviceAccountName));
  const outcomes = new Map<Change, ChangeOutcome>();
  for (const change of inOrder(changes, policy.nodes)) {
    outcomes.set(change, await scaleNode(cluster, api, policy, change));
  }
  return changes.flatMap((change) => outcomes.get(change) ?? []);
}

async function scaleNode(
  cluster: Cluster,
  api: TenantApi,
  policy: Policy,
  change: Change,
): Promise<ChangeOutcome> {
  try {
    const at = policy.nodes.findIndex(({ name }) => name === change.node);
    const node = policy.nodes[at];
    if (node === undefined) throw new Fault("Internal", `The target has no node ${change.node}`);
    await naming(at, async () => {
      const resource = await scalable(cluster, node);
      await writeScale(api, { ...change, resource, name: node.ref.name });
    });
    return { node: change.node, outcome: "Scaled" };
  } catch (thrown) {
    const { code, sentence } = asFault(thrown);
    return { node: change.node, outcome: "Failed", code, message: sentence };
  }
}

/** The resource of a node's kind. Throws `TargetNotFound` for a kind that cannot be scaled. */
async function scalable(cluster: Cluster, { ref }: TargetNode): Promise<Resource> {
  const resource = await cluster.resource(ref.apiVersion, ref.kind);
  const problem = !resource.namespaced
    ? "is in no namespace"
    : !resource.hasScale
      ? "has no scale subresource"
      : undefined;
  if (problem === undefined) return resource;
  const remedy = "Name a kind that can be scaled, such as a Deployment or a StatefulSet.";
  throw new Fault("TargetNotFound", `A ${ref.kind} of ${ref.apiVersion} ${problem}`, { remedy });
}

/** These say themselves how many of their pods are ready. */
const SAYS_READY: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "ReplicaSet"]);

/** How many replicas serve, where the kind says it and the account may read it; otherwise how many exist. */
async function readReady(
  api: TenantApi,
  resource: Resource,
  name: string,
  { existing }: Scale,
): Promise<number> {
  if (resource.apiVersion !== "apps/v1" || !SAYS_READY.has(resource.kind)) return existing;
  try {
    const { status } = await api.get(resource, name);
    const ready = fieldsOf(status)["readyReplicas"] ?? 0;
    return Number.isSafeInteger(ready) ? (ready as number) : existing;
  } catch (thrown) {
    if (asFault(thrown).code === "Forbidden") return existing;
    throw thrown;
  }
}

/** Does something for a node of the policy; a failure names the field that led to it. */
async function naming<T>(at: number, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    const { code, message, remedy, retry, retryAfterSeconds, cause, field } = asFault(thrown);
    throw new Fault(code, message, {
      field: field ?? `spec.target.kubernetes.nodes[${at}].ref`,
      remedy,
      retry,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      cause: cause ?? thrown,
    });
  }
}
