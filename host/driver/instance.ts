import { Fault } from "../fault/index.ts";
import { fieldsOf, type KubeObject, type Resource, type TenantApi } from "../kube/index.ts";
import type { Permit } from "../loop/index.ts";
import { quantity } from "../policy/index.ts";
import {
  hasShape,
  spellAmount,
  takenBack,
  type Dimension,
  type Reshape,
  type Resources,
} from "../topology/index.ts";
import { onLatest } from "./latest.ts";

/** What an instance has, and what of it can be changed. */
export interface Instance {
  readonly resources: Resources;
  readonly adjustable: readonly Dimension[];
}

/** An object whose instances are to have something else, on the condition that they have what was decided on. */
export interface InstanceChange {
  readonly resource: Resource;
  readonly name: string;
  readonly reshape: Reshape;
  /** Of another object of the same name it is another one; undefined takes any. */
  readonly uid: string | undefined;
}

/** Where a kind of object says what its instances have. */
export interface Form {
  /** Undefined where the object says nothing of instances. */
  read(object: KubeObject): Instance | undefined;
  /** The fields to merge into the object so that they have the new resources. */
  patch(object: KubeObject, reshape: Reshape): object;
}

type Fields = Readonly<Record<string, unknown>>;

/** By this annotation a pod says which of its containers does the work. */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";
/** Of these, pods that are there keep what they were made with. */
const NO_ROLLOUT: ReadonlySet<string> = new Set(["ReplicaSet", "ReplicationController", "Job"]);

/**
 * What the pods of an object request, where it rolls out a template. What has only a limit requests that, as Kubernetes has
 * it. A limit keeps its ratio to what is requested. Throws `TargetUnsuitable` where it is not clear which container is meant.
 */
export const podTemplate = (container: string | undefined): Form => ({
  read(object) {
    const at = containerAt(object, container);
    return at && { resources: requestsOf(at.container), adjustable: ["cpu", "memory"] };
  },
  patch(object, reshape) {
    const at = containerAt(object, container);
    return at === undefined ? {} : patchOf(at, reshape);
  },
});

/**
 * Writes what instances are to have, on the version that was just read. Where they have it already, nothing is written. Where
 * they have neither that nor what was decided on, or the object was made anew, that is a `Conflict`. The permit is asked
 * before every write.
 */
export async function writeInstance(
  api: TenantApi,
  { resource, name, reshape, uid: known }: InstanceChange,
  form: Form,
  permit: Permit,
): Promise<void> {
  await onLatest(async () => {
    const now = await api.get(resource, name);
    const { uid, resourceVersion } = now.metadata;
    if (known !== undefined && known !== uid)
      throw conflict(`${resource.kind} ${name} was made anew since the decision`);
    const { resources } = form.read(now) ?? {};
    if (hasShape(resources, reshape)) return { isThere: now };
    if (resources === undefined || !hasShape(resources, takenBack(reshape)))
      throw conflict(`Somebody gave ${resource.kind} ${name} other resources while a change was decided`);
    const body = { metadata: { uid, resourceVersion }, ...form.patch(now, reshape) };
    return { write: () => api.patch(resource, name, "merge", body) };
  }, permit);
}

/** Whether all pods that an object asks for have its template, as far as they come to have it by themselves. */
export function isRolledOut({ kind, metadata, ...rest }: KubeObject): boolean {
  const { updateStrategy, paused, replicas = 1 } = fieldsOf(rest["spec"]);
  const { type = "RollingUpdate", rollingUpdate } = fieldsOf(updateStrategy);
  const isPartial = type !== "RollingUpdate" || Boolean(fieldsOf(rollingUpdate)["partition"]);
  const rolls = kind === "Deployment" ? paused !== true : kind === "StatefulSet" && !isPartial;
  const { observedGeneration, updatedReplicas = 0, replicas: all = 0 } = fieldsOf(rest["status"]);
  const isSeen = Number(observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return !rolls || (isSeen && updatedReplicas === replicas && all === replicas);
}

interface Found {
  readonly at: number;
  readonly container: Fields;
  readonly all: readonly Fields[];
}

function containerAt({ kind, metadata, ...rest }: KubeObject, named: string | undefined): Found | undefined {
  const template = fieldsOf(fieldsOf(rest["spec"])["template"]);
  const { containers } = fieldsOf(template["spec"]);
  if (NO_ROLLOUT.has(kind) || !Array.isArray(containers)) return undefined;
  const all = containers.map(fieldsOf);
  const said = named ?? fieldsOf(fieldsOf(template["metadata"])["annotations"])[DEFAULT_CONTAINER];
  const at = said === undefined && all.length === 1 ? 0 : all.findIndex((one) => one["name"] === said);
  const container = all[at];
  if (container !== undefined) return { at, container, all };
  const names = all.map((one) => String(one["name"])).join(", ");
  const which =
    said === undefined ? `${all.length} containers: ${names}` : `no container ${String(said)}, but ${names}`;
  throw new Fault("TargetUnsuitable", `${kind} ${metadata.name} has ${which}`, {
    remedy: "Name the container whose resources are to be changed, or leave guardrails.resources out.",
  });
}

function requestsOf({ resources }: Fields): Resources {
  const { requests, limits } = fieldsOf(resources);
  const read = (name: "cpu" | "memory") => amount(fieldsOf(requests)[name]) ?? amount(fieldsOf(limits)[name]);
  const [cpu, memory] = [read("cpu"), read("memory")];
  return {
    ...(cpu === undefined ? {} : { cpu: Math.round(cpu * 1_000) / 1_000 }),
    ...(memory === undefined ? {} : { memory: Math.round(memory) }),
  };
}

/** A quantity, which may be written as a number. */
const amount = (value: unknown): number | undefined =>
  typeof value === "string" || typeof value === "number" ? quantity(String(value)) : undefined;

/** A list is replaced as a whole: what others change of it meanwhile is a conflict of the version. */
function patchOf({ at, container, all }: Found, { from, to }: Reshape): object {
  const has = requestsOf(container);
  const { requests, limits } = fieldsOf(container["resources"]);
  const [wants, most] = [{ ...fieldsOf(requests) }, { ...fieldsOf(limits) }];
  for (const name of ["cpu", "memory"] as const) {
    if (from[name] === undefined && to[name] === undefined) continue;
    const [now, next, limit] = [has[name], to[name], amount(most[name])];
    if (next === undefined) delete wants[name];
    else wants[name] = spellAmount(name, next);
    if (next !== undefined && limit !== undefined)
      most[name] = spellAmount(name, Math.max(next, now === undefined ? limit : limit * (next / now)));
  }
  const resources = { ...fieldsOf(container["resources"]), requests: wants, limits: most };
  const containers = all.map((one, index) => (index === at ? { ...one, resources } : one));
  return { spec: { template: { spec: { containers } } } };
}

const conflict = (message: string) => new Fault("Conflict", message, { retry: true });
