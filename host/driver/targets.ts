import type { Fault } from "../fault/index.ts";
import {
  fieldsOf,
  objectKey,
  reflect,
  type Cluster,
  type KubeObject,
  type Reflector,
  type Resource,
  Reviews,
  type TenantIdentity,
  type Time,
} from "../kube/index.ts";

/** A kind of target that the operator keeps copies of. */
export interface TargetKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Copies of the targets of all policies, so that a pass in which nothing changes asks nothing. */
export interface Targets {
  /**
   * The target as its account may know it: undefined where there is no copy, or none that is fresh, or where the account may
   * not read it itself. Then it is to be read as the account.
   */
  find(account: TenantIdentity, resource: Resource, name: string): Promise<KubeObject | undefined>;
  /** The target is about to be written: its copy counts again when it has moved. */
  touched(account: TenantIdentity, resource: Resource, name: string): void;
  /** How well each kind is heard. */
  readonly informers: readonly { readonly kind: string; readonly copies: Reflector<KubeObject> }[];
  /** Ends after the signal was given; never rejects. */
  readonly ended: Promise<void>;
}

interface Options {
  readonly cluster: Cluster;
  readonly kinds: readonly TargetKind[];
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
}

/** Bookmarks come about once a minute: a server that is silent for longer is not heard. */
const FRESH_MS = 120_000;

/** Follows the targets of a cluster with the operator's own rights until the signal is given. */
export async function followTargets({ cluster, kinds, time, signal, onFault }: Options): Promise<Targets> {
  const copies = new Map<string, Reflector<KubeObject>>();
  for (const { apiVersion, kind } of kinds) {
    const resource = await cluster.resource(apiVersion, kind);
    copies.set(
      nameOf(resource),
      reflect({
        ...{ api: cluster.operator, resource, trim: trimTarget, time, signal, onFault },
        onEvent: () => undefined,
      }),
    );
  }
  const reviews = new Reviews(cluster, time);
  /** The version of a copy when its target was last written. */
  const written = new Map<string, string>();
  const isFresh = ({ figures, hasSynced }: Reflector<KubeObject>) =>
    hasSynced() && time.elapsedMs() - figures.lastHeardMs < FRESH_MS;
  return {
    async find(account, resource, name) {
      const kept = copies.get(nameOf(resource));
      if (kept === undefined || !isFresh(kept)) return undefined;
      if (!(await reviews.mayGet(account, resource))) return undefined;
      const copy = kept.get(objectKey(account.namespace, name));
      const key = `${nameOf(resource)} ${account.namespace}/${name}`;
      if (copy !== undefined && written.get(key) === copy.metadata.resourceVersion) return undefined;
      written.delete(key);
      // A kind that keeps its number elsewhere, or an object that has none yet: no number is not zero.
      return fieldsOf(copy?.["spec"])["replicas"] === undefined ? undefined : copy;
    },
    touched(account, resource, name) {
      const copy = copies.get(nameOf(resource))?.get(objectKey(account.namespace, name));
      const key = `${nameOf(resource)} ${account.namespace}/${name}`;
      if (copy !== undefined) written.set(key, copy.metadata.resourceVersion);
    },
    informers: [...copies].map(([kind, one]) => ({ kind, copies: one })),
    ended: Promise.all([...copies.values()].map((one) => one.ended)).then(() => undefined),
  };
}

const nameOf = ({ apiVersion, kind }: TargetKind) => `${apiVersion}/${kind}`;

/** What is kept of a target: its numbers. Everything else would be a hundred times as much. */
function trimTarget({ apiVersion, kind, metadata, ...rest }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, generation } = metadata;
  const { replicas } = fieldsOf(rest["spec"]);
  const { replicas: existing, readyReplicas, observedGeneration } = fieldsOf(rest["status"]);
  return {
    ...{ apiVersion, kind },
    metadata: {
      ...{ name, uid, resourceVersion },
      ...(namespace === undefined ? {} : { namespace }),
      ...(generation === undefined ? {} : { generation }),
    },
    spec: { replicas },
    status: { replicas: existing, readyReplicas, observedGeneration },
  };
}
