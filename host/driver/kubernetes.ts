import { asFault, Fault } from "../fault/index.ts";
import type { Change, ChangeOutcome } from "../knowledge/index.ts";
import {
  fieldsOf,
  accountOf,
  type Cluster,
  type KubeObject,
  type Resource,
  type TenantApi,
} from "../kube/index.ts";
import type { Driver, Permit } from "../loop/index.ts";
import type { Policy, TargetNode } from "../policy/index.ts";
import { objectOf, type Topology, type TopologyNode } from "../topology/index.ts";
import { readBudgets, spareOf, type Budget } from "./disruption.ts";
import { isRolledOut, podTemplate, writeInstance } from "./instance.ts";
import { inOrder } from "./order.ts";
import { readScale, revisionOf, scaleIn, writeScale, type Scale } from "./scale.ts";
import type { Targets } from "./targets.ts";
import { troubleOf } from "./trouble.ts";
import { writerOf } from "./writer.ts";

/** Scales any kind with a scale subresource, with the rights of the policy's service account alone. */
export function kubernetesDriver(cluster: Cluster, targets?: Targets): Driver {
  const reach = { cluster, targets };
  return {
    rescaleScope: () => "node",
    discover: (policy) => discover(reach, policy),
    // One after the other: what became of each is stored before the next is written.
    order: (policy, changes) => inOrder(changes, policy.nodes).map((change) => [change]),
    scale: (policy, changes, permit) => scale(reach, policy, changes, permit),
    writer: (policy, node) => writer(cluster, policy, node),
    trouble: (policy, node, since) => trouble(cluster, policy, node, since),
  };
}

interface Reach {
  readonly cluster: Cluster;
  /** Copies of targets; without them every target is read as the policy's account. */
  readonly targets: Targets | undefined;
}

async function discover(reach: Reach, policy: Policy): Promise<Topology> {
  const { cluster } = reach;
  const api = cluster.as(accountOf(policy));
  const budgets = policy.respectDisruptionBudget ? await readBudgets(cluster, api) : undefined;
  const found = await Promise.allSettled(
    policy.nodes.map((node, at) => naming(at, () => discoverNode(reach, api, policy, node, budgets))),
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

async function discoverNode(
  { cluster, targets }: Reach,
  api: TenantApi,
  { guardrails }: Policy,
  node: TargetNode,
  budgets: readonly Budget[] | undefined,
): Promise<TopologyNode> {
  const resource = await scalable(cluster, node);
  const { name } = node.ref;
  const shapes = guardrails.resources !== undefined;
  // Which pods a disruption budget covers, and what they request, is not in the copies.
  const copy =
    budgets === undefined && !shapes ? await targets?.find(api.identity, resource, name) : undefined;
  const scaled = copy === undefined ? await readScale(api, resource, name) : scaleIn(copy);
  const read = () =>
    shapes ? api.get(resource, name) : readObject(api, resource, name, budgets !== undefined);
  const object = copy ?? (await read());
  const spare = budgets && spareOf(budgets, object);
  return {
    name: node.name,
    kind: node.ref.kind,
    parallelism: scaled.replicas,
    ...readyOf(resource, object, scaled, shapes),
    min: node.bounds.min,
    max: node.bounds.max,
    ...(shapes && object !== undefined ? podTemplate(node.container).read(object) : {}),
    attributes: node.attributes,
    revision: revisionOf(scaled),
    ...(spare === undefined ? {} : { spare }),
  };
}

/** Writes the changes one after the other; what fails is told for its node, and the others go on. */
async function scale(reach: Reach, policy: Policy, changes: readonly Change[], permit: Permit) {
  const { cluster } = reach;
  const api = cluster.as(accountOf(policy));
  const outcomes: ChangeOutcome[] = [];
  for (const change of changes) outcomes.push(await scaleNode(reach, api, policy, change, permit));
  return outcomes;
}

async function scaleNode(
  { cluster, targets }: Reach,
  api: TenantApi,
  policy: Policy,
  change: Change,
  permit: Permit,
): Promise<ChangeOutcome> {
  const { node: name, from, to, resources: reshape, revision } = change;
  try {
    const { node, at } = nodeOf(policy, name);
    const granted = await naming(at, async () => {
      const resource = await scalable(cluster, node);
      const object = { resource, name: node.ref.name };
      targets?.touched(api.identity, resource, node.ref.name);
      if (reshape !== undefined)
        await writeInstance(
          api,
          { ...object, uid: objectOf(revision), reshape },
          podTemplate(node.container),
          permit,
        );
      return from === to ? to : writeScale(api, { ...object, from, to, revision }, permit);
    });
    if (granted === to) return { node: name, outcome: "Scaled" };
    if (granted !== from) return { node: name, outcome: "Scaled", granted };
    throw new Fault(
      "AdmissionDenied",
      `The API server took ${to} and kept ${from}: a webhook changed it back`,
    );
  } catch (thrown) {
    const { code, sentence } = asFault(thrown);
    return { node: name, outcome: "Failed", code, message: sentence };
  }
}

/** The number of a node and whose it is, as far as its account may know it. */
async function writer(cluster: Cluster, policy: Policy, name: string) {
  try {
    const { node } = nodeOf(policy, name);
    const api = cluster.as(accountOf(policy));
    return await writerOf(api, await scalable(cluster, node), node.ref.name);
  } catch {
    // Nobody is named for what cannot be read.
    return undefined;
  }
}

/** Why a node's pods are not created, if its account may know it. */
async function trouble(cluster: Cluster, policy: Policy, name: string, since: Date) {
  try {
    const { node } = nodeOf(policy, name);
    const api = cluster.as(accountOf(policy));
    return await troubleOf(cluster, api, await scalable(cluster, node), node.ref.name, since);
  } catch {
    // It explains, and nothing is decided on it: what cannot be read is not known.
    return undefined;
  }
}

function nodeOf(policy: Policy, name: string): { readonly node: TargetNode; readonly at: number } {
  const at = policy.nodes.findIndex((one) => one.name === name);
  const node = policy.nodes[at];
  if (node === undefined) throw new Fault("Internal", `The target has no node ${name}`);
  return { node, at };
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

/** The object itself, for what it says beyond its scale; undefined where nothing is wanted of it or it may not be read. */
async function readObject(api: TenantApi, resource: Resource, name: string, always: boolean) {
  if (!always && !saysReady(resource)) return undefined;
  try {
    return await api.get(resource, name);
  } catch (thrown) {
    if (asFault(thrown).code === "Forbidden") return undefined;
    throw thrown;
  }
}

const saysReady = ({ apiVersion, kind }: Resource) => apiVersion === "apps/v1" && SAYS_READY.has(kind);

/**
 * How many replicas serve, where the object says it; otherwise how many exist. It is settled when these are all that are
 * asked for, and its controller has seen the last change; where what they request is changed too, when all have that.
 */
function readyOf(
  resource: Resource,
  object: KubeObject | undefined,
  { replicas, existing }: Scale,
  shapes: boolean,
) {
  if (object === undefined || !saysReady(resource)) return { ready: existing };
  const status = fieldsOf(object["status"]);
  const { readyReplicas = 0, observedGeneration = 0, replicas: all = 0 } = status;
  if (!Number.isSafeInteger(readyReplicas)) return { ready: existing };
  const ready = readyReplicas as number;
  const isSeen = Number(observedGeneration) >= (object.metadata.generation ?? 0);
  const hasShape = !shapes || isRolledOut(object);
  return { ready, settled: isSeen && hasShape && ready === replicas && all === replicas };
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
