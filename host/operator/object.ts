import { fieldsOf, type KubeObject } from "../kube/index.ts";
import { policyKey, type PolicyKey, type ScalingPolicyStatus } from "../policy/index.ts";

/** What is kept of a `ScalingPolicy` while it is watched: its managed fields alone would double the memory. */
export interface PolicyObject {
  readonly key: PolicyKey;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** When it was made, RFC 3339. */
  readonly createdAt: string;
  /** Of this copy. */
  readonly resourceVersion: string;
  /** Those of Sluice: what is asked of the policy by hand. */
  readonly annotations: Readonly<Record<string, string>>;
  /** It was deleted, and something is still to be done for it. */
  readonly isDeleted: boolean;
  /** It stays until what ran before it has been brought back. */
  readonly isKept: boolean;
  readonly spec: unknown;
  readonly status: ScalingPolicyStatus;
}

export function trimPolicy(object: KubeObject): PolicyObject {
  const { namespace = "", name, uid, generation = 0, resourceVersion } = object.metadata;
  // A checkpoint is read when it is needed, from the cluster itself.
  const { checkpoint: _checkpoint, ...status } = fieldsOf(object["status"]);
  return {
    key: policyKey(namespace, name),
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace,
    name,
    uid,
    generation,
    createdAt: String(object.metadata["creationTimestamp"] ?? ""),
    resourceVersion,
    isDeleted: object.metadata.deletionTimestamp !== undefined,
    isKept: finalizersOf(object).includes(RESTORE),
    annotations: own(object.metadata.annotations),
    spec: object["spec"],
    status,
  };
}

/** The finalizer of a policy with `ownership.onDelete: Restore`. */
export const RESTORE = "sluice.dev/restore";

export const finalizersOf = ({ metadata }: KubeObject): readonly unknown[] =>
  Array.isArray(metadata["finalizers"]) ? (metadata["finalizers"] as unknown[]) : [];

const PREFIX = "sluice.dev/";
/** What most policies have; one object for all of them. */
const NONE: Readonly<Record<string, string>> = {};

function own(annotations: Readonly<Record<string, string>> = NONE): Readonly<Record<string, string>> {
  const found = Object.entries(annotations).filter(([name]) => name.startsWith(PREFIX));
  return found.length === 0 ? NONE : Object.fromEntries(found);
}

/** The fields at a place of a spec; what is no object has none. */
export const fieldsOfSpec = (spec: unknown, ...path: readonly string[]): Readonly<Record<string, unknown>> =>
  path.reduce((at, name) => fieldsOf(at[name]), fieldsOf(spec));

/** The policy as the parser reads it. */
export const manifestOf = ({ apiVersion, kind, namespace, name, uid, generation, spec }: PolicyObject) => ({
  apiVersion,
  kind,
  metadata: { namespace, name, uid, generation },
  spec,
});
