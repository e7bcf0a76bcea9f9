import { asFault, Fault } from "../../fault/index.ts";
import { unavailable } from "../../flink/index.ts";
import { fieldsOf, accountOf, type KubeObject, type Resource, type TenantApi } from "../../kube/index.ts";
import type { Permit } from "../../loop/index.ts";
import type { Policy, TaskManagers } from "../../policy/index.ts";
import { readScale, revisionOf, writeScale } from "../scale.ts";
import { readSlots, readTaskManagers, slotsOfOthers, type TaskManager } from "./cluster.ts";
import type { Reach, Seen } from "./look.ts";
import { within, type Patience } from "./patience.ts";
import type { Asked } from "./requirements.ts";
import { podsFor, slotsFor } from "./slots.ts";

/** Pods with a lower cost are deleted first. */
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const IDLE_COST = "-1000";
const MOST_PODS = 1_000;
const FIELD = "spec.target.flink.taskManagers.ref";

/** The object whose replicas are a job's TaskManagers, and how many it needs. */
export interface Fleet {
  readonly api: TenantApi;
  readonly resource: Resource;
  readonly name: string;
  readonly replicas: number;
  readonly revision: string;
  /** Selects its pods. */
  readonly selector: string;
  /** What the job is to have, and the other jobs of the cluster have. */
  readonly slots: number;
  /** Pods that have so many slots. */
  readonly pods: number;
}

/** The TaskManagers of the policy, and how many there have to be for these numbers. */
export async function readFleet(
  { cluster }: Reach,
  policy: Policy,
  { rest, job }: Seen,
  after: Asked,
  taskManagers: TaskManagers,
): Promise<Fleet> {
  const { ref, slotMode } = taskManagers;
  const api = cluster.as(accountOf(policy));
  const slots = slotsFor(job.vertices, after, slotMode) + (await slotsOfOthers(rest, job.id));
  try {
    const resource = await cluster.resource(ref.apiVersion, ref.kind);
    const [scale, { status }] = await Promise.all([
      readScale(api, resource, ref.name),
      api.get(resource, ref.name, "scale"),
    ]);
    const selector = fieldsOf(status)["selector"];
    return {
      ...{ api, resource, name: ref.name, slots, pods: podsFor(slots, taskManagers) },
      ...{ replicas: scale.replicas, revision: revisionOf(scale) },
      selector: typeof selector === "string" ? selector : "",
    };
  } catch (thrown) {
    const { code, message, remedy, retry } = asFault(thrown);
    throw new Fault(code, message, { remedy, retry, field: FIELD, cause: thrown });
  }
}

/** Adds the TaskManagers that are missing, and waits for their slots. Throws `TargetUnavailable` if they do not come. */
export async function grow(fleet: Fleet, { rest }: Seen, patience: Patience, permit: Permit): Promise<void> {
  const { api, resource, name, replicas: from, pods: to, revision, slots } = fleet;
  if (to > from) await writeScale(api, { resource, name, from, to, revision }, permit);
  let total = 0;
  const areThere = async () => ({ total } = await readSlots(rest)).total >= slots;
  if (await within(patience, patience.slotsMs, areThere)) return;
  throw unavailable(
    `${slots} slots are needed and ${total} are there, with ${Math.max(from, to)} TaskManagers asked of ${resource.kind} ${name}`,
  );
}

/** Takes away TaskManagers that are too many, of them only idle ones: a busy one would restart the job. */
export async function shrink(
  fleet: Fleet,
  { rest }: Seen,
  patience: Patience,
  permit: Permit,
): Promise<void> {
  const { api, resource, name, replicas: from, pods, revision, selector } = fleet;
  if (pods >= from) return;
  let idle: string[] = [];
  const areIdle = async () => {
    const { items } = await api.list(POD, { labelSelector: selector, limit: MOST_PODS });
    idle = idleOf(items, await readTaskManagers(rest), resource.kind);
    return idle.length >= from - pods;
  };
  // Flink keeps a slot that is free again for its slot.idle.timeout.
  const areAll = await within(patience, patience.settleMs, areIdle);
  const to = Math.max(pods, from - idle.length);
  for (const pod of resource.kind === "StatefulSet" ? [] : idle.slice(0, from - to)) {
    const denied = permit();
    if (denied !== undefined) throw denied;
    await api.patch(POD, pod, "merge", { metadata: { annotations: { [DELETION_COST]: IDLE_COST } } });
  }
  if (to < from) await writeScale(api, { resource, name, from, to, revision }, permit);
  if (!areAll) throw unavailable(`${to - pods} TaskManagers of ${resource.kind} ${name} are not idle yet`);
}

const POD: Resource = { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true, hasScale: false };

/**
 * Names of the pods that may go: those whose TaskManager has all its slots free, and those that have none and are not
 * Ready. Of a StatefulSet the highest ordinals go first, so it ends at the first that is busy. Pure.
 */
export function idleOf(pods: readonly KubeObject[], known: readonly TaskManager[], kind: string): string[] {
  const leaves = pods.filter(({ metadata }) => metadata["deletionTimestamp"] === undefined);
  const idle = new Set(
    leaves.filter((pod) => isIdle(pod, leaves, known)).map(({ metadata }) => metadata.name),
  );
  if (kind !== "StatefulSet") return [...idle];
  const downwards = leaves
    .map(({ metadata }) => metadata.name)
    .toSorted((one, other) => ordinalOf(other) - ordinalOf(one));
  const busy = downwards.findIndex((pod) => !idle.has(pod));
  return busy === -1 ? downwards : downwards.slice(0, busy);
}

const ordinalOf = (pod: string) => Number(pod.slice(pod.lastIndexOf("-") + 1));

/** A TaskManager is called by its pod's name (`taskmanager.resource-id`), or by its address and a port. */
function isIdle(pod: KubeObject, pods: readonly KubeObject[], known: readonly TaskManager[]): boolean {
  const address = addressOf(pod);
  const isAlone = address !== undefined && pods.filter((one) => addressOf(one) === address).length === 1;
  const own = known.find(({ id }) => id === pod.metadata.name || (isAlone && id.startsWith(`${address}:`)));
  return own === undefined ? !isReady(pod) : own.isIdle;
}

function addressOf({ status }: KubeObject): string | undefined {
  const address = fieldsOf(status)["podIP"];
  return typeof address === "string" && address !== "" ? address : undefined;
}

function isReady({ status }: KubeObject): boolean {
  const { conditions } = fieldsOf(status);
  return (Array.isArray(conditions) ? conditions : [])
    .map(fieldsOf)
    .some((one) => one["type"] === "Ready" && one["status"] === "True");
}
