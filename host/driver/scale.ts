import { asFault, Fault } from "../fault/index.ts";
import { ClusterFault, fieldsOf, type KubeObject, type Resource, type TenantApi } from "../kube/index.ts";

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

/** A rollout moves a Deployment's version a few times a second; three tries in a row get between. */
const CONFLICT_RETRIES = 3;

/** Reads the scale of a target, as the tenant. */
export async function readScale(api: TenantApi, resource: Resource, name: string): Promise<Scale> {
  const scale = await api.get(resource, name, "scale").catch((thrown: unknown) => {
    throw withoutReplicas(thrown, resource, name);
  });
  return understand(scale);
}

/**
 * Writes the new number. Where the target has moved it is read again: if only something else of it changed, as in a
 * rollout, the write is repeated on the new version; if the number itself changed or the object is another one, that is
 * a `Conflict` and the other's number stays.
 */
export async function writeScale(api: TenantApi, change: ScaleChange): Promise<void> {
  const { resource, name, from, to } = change;
  const [uid = "", decidedOn = ""] = change.revision.split("@");
  let resourceVersion = decidedOn;
  for (let tried = 0; ; tried += 1) {
    try {
      await api.replace(resource, name, scaleObject(api, name, { uid, resourceVersion }, to), "scale");
      return;
    } catch (thrown) {
      if (asFault(thrown).code !== "Conflict" || tried >= CONFLICT_RETRIES) throw thrown;
    }
    const now = await readScale(api, resource, name);
    if (now.uid !== uid) throw conflict(`${resource.kind} ${name} was made anew since the decision`);
    if (now.replicas === to) return;
    if (now.replicas !== from) {
      throw conflict(
        `Somebody set ${resource.kind} ${name} to ${now.replicas} while ${from} to ${to} was decided`,
      );
    }
    ({ resourceVersion } = now);
  }
}

/** The version that a decision names: another object of the same name is another revision. */
export const revisionOf = ({ uid, resourceVersion }: Scale): string => `${uid}@${resourceVersion}`;

function understand({ metadata, spec, status }: KubeObject): Scale {
  // The API server leaves out a zero.
  const replicas = fieldsOf(spec)["replicas"] ?? 0;
  const existing = fieldsOf(status)["replicas"] ?? 0;
  if (!Number.isSafeInteger(replicas) || !Number.isSafeInteger(existing)) {
    throw new Fault("ClusterUnavailable", "The API server sent a scale without numbers", { retry: true });
  }
  const { uid, resourceVersion } = metadata;
  return { replicas: replicas as number, existing: existing as number, uid, resourceVersion };
}

const scaleObject = (
  { identity }: TenantApi,
  name: string,
  version: { readonly uid: string; readonly resourceVersion: string },
  replicas: number,
) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata: { name, namespace: identity.namespace, ...version },
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
