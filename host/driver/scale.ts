import { Fault } from "../fault/index.ts";
import type { Permit } from "../loop/index.ts";
import { ClusterFault, fieldsOf, type KubeObject, type Resource, type TenantApi } from "../kube/index.ts";
import { objectOf } from "../topology/index.ts";
import { onLatest } from "./latest.ts";

/** What the scale subresource of a target says. */
export interface Scale {
  /** What is asked for. */
  readonly replicas: number;
  /** What exists, ready or not. */
  readonly existing: number;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** A change of one target's scale, on the condition that it still is what was decided on. */
export interface ScaleChange {
  readonly resource: Resource;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly revision: string;
}

/** Reads the scale of a target, as the tenant. */
export async function readScale(api: TenantApi, resource: Resource, name: string): Promise<Scale> {
  const scale = await api.get(resource, name, "scale").catch((thrown: unknown) => {
    throw withoutReplicas(thrown, resource, name);
  });
  return scaleIn(scale);
}

/**
 * Writes the new number, on the version that was just read, and answers what is there then: an admission webhook may have
 * made another number of it. Where the number is there already, nothing is written. Where it is neither that nor the old
 * one, or the object was made anew, that is a `Conflict` and what is there stays. Where only something else of the target
 * moves in between, as in a rollout, it is read and written again. The permit is asked before every write.
 */
export async function writeScale(api: TenantApi, change: ScaleChange, permit: Permit): Promise<number> {
  const { resource, name, to } = change;
  return onLatest(async () => {
    const now = await readScale(api, resource, name);
    if (isThere(change, now)) return { isThere: to };
    return {
      write: async () =>
        scaleIn(await api.replace(resource, name, scaleObject(api, name, now, to), "scale")).replicas,
    };
  }, permit);
}

/** Whether the new number is there already. Throws `Conflict` unless the old one is, on the same object. */
function isThere({ resource, name, from, to, revision }: ScaleChange, now: Scale): boolean {
  if (now.uid !== objectOf(revision))
    throw conflict(`${resource.kind} ${name} was made anew since the decision`);
  if (now.replicas === to) return true;
  if (now.replicas === from) return false;
  throw conflict(
    `Somebody set ${resource.kind} ${name} to ${now.replicas} while ${from} to ${to} was decided`,
  );
}

/** The version that a decision names: another object of the same name is another revision. */
export const revisionOf = ({ uid, resourceVersion }: Scale): string => `${uid}@${resourceVersion}`;

/** The numbers of a scale, or of an object that has them where a scale has. Throws `ClusterUnavailable` where they are none. */
export function scaleIn({ metadata, spec, status }: KubeObject): Scale {
  // The API server leaves out a zero.
  const replicas = fieldsOf(spec)["replicas"] ?? 0;
  const existing = fieldsOf(status)["replicas"] ?? 0;
  if (!isCount(replicas) || !isCount(existing)) {
    throw new Fault("ClusterUnavailable", "The API server sent a scale without numbers", { retry: true });
  }
  const { uid, resourceVersion } = metadata;
  return { replicas, existing, uid, resourceVersion };
}

/** What a server that lies may say is no number of replicas either: nothing below 0. */
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const scaleObject = (
  { identity }: TenantApi,
  name: string,
  { uid, resourceVersion }: Scale,
  replicas: number,
) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata: { name, namespace: identity.namespace, uid, resourceVersion },
  spec: { replicas },
});

/** A custom resource without a number has no scale; the API server calls that an error of its own. */
function withoutReplicas(thrown: unknown, { kind }: Resource, name: string): unknown {
  const isThat =
    thrown instanceof ClusterFault &&
    thrown.status === 500 &&
    /replicas.* does not exist/.test(thrown.message);
  if (!isThat) return thrown;
  const remedy = "Set the field of the object that its scale subresource reads, spec.replicas mostly.";
  return new Fault("TargetNotFound", `${kind} ${name} says no number of replicas`, { remedy });
}

const conflict = (message: string) => new Fault("Conflict", message, { retry: true });
