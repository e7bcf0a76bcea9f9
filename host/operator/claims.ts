import { fieldsOf, objectKey, type KubeObject } from "../kube/index.ts";
import type { PolicyKey } from "../policy/index.ts";
import { fieldsOfSpec, type PolicyObject } from "./object.ts";

declare const target: unique symbol;
/** An object that can be scaled: namespace, group, kind and name. */
export type TargetKey = string & { readonly [target]: true };

/** Somebody who scales a target besides a policy. */
export interface Rival {
  readonly kind: "ScalingPolicy" | "HorizontalPodAutoscaler";
  readonly name: string;
  /** The target, as `Deployment split`. */
  readonly of: string;
}

interface Claim {
  readonly key: PolicyKey;
  readonly name: string;
  /** Who was made first has the target; what was made in the same second is told apart by its uid. */
  readonly since: string;
}

/**
 * Who scales what: the targets that policies and HorizontalPodAutoscalers name. An autoscaler always has its target, and of
 * several policies the oldest: two that scale one object would fight.
 */
export class Claims {
  readonly #byTarget = new Map<TargetKey, Claim[]>();
  readonly #targets = new Map<PolicyKey, readonly TargetKey[]>();
  /** Those of each target, by key: two may name the same one. */
  readonly #autoscalers = new Map<TargetKey, Map<string, string>>();
  readonly #autoscaled = new Map<string, TargetKey>();
  readonly #tell: (key: PolicyKey) => void;

  /** `tell` is told of every policy for which something has changed. */
  constructor(tell: (key: PolicyKey) => void) {
    this.#tell = tell;
  }

  /** Takes a policy as it is now; undefined is gone. */
  policy(key: PolicyKey, object: PolicyObject | undefined): void {
    const before = this.#targets.get(key) ?? [];
    const now = object === undefined ? [] : targetsOf(object).map(([of]) => of);
    if (before.join() === now.join()) return;
    for (const one of before) this.#take(one, key);
    this.#targets.delete(key);
    if (object !== undefined && now.length > 0) {
      this.#targets.set(key, now);
      const claim = { key, name: object.name, since: `${object.createdAt} ${object.uid}` };
      for (const one of now)
        this.#byTarget.set(one, [...(this.#byTarget.get(one) ?? []), claim].sort(bySince));
    }
    for (const one of new Set([...before, ...now])) this.#concerns(one, key);
  }

  /** Takes a HorizontalPodAutoscaler as it is now; undefined is gone. */
  autoscaler(key: string, scales: AutoscalerTarget | undefined): void {
    const before = this.#autoscaled.get(key);
    if (before !== undefined) {
      const others = this.#autoscalers.get(before);
      others?.delete(key);
      if (others?.size === 0) this.#autoscalers.delete(before);
      this.#autoscaled.delete(key);
      this.#concerns(before);
    }
    if (scales === undefined) return;
    this.#autoscaled.set(key, scales.target);
    const all = this.#autoscalers.get(scales.target) ?? new Map<string, string>();
    this.#autoscalers.set(scales.target, all.set(key, scales.name));
    this.#concerns(scales.target);
  }

  /** Who has a target of the policy's, if it is not the policy itself. */
  rivalOf(object: PolicyObject): Rival | undefined {
    for (const [key, of] of targetsOf(object)) {
      const [autoscaler] = this.#autoscalers.get(key)?.values() ?? [];
      if (autoscaler !== undefined) return { kind: "HorizontalPodAutoscaler", name: autoscaler, of };
      const [first] = this.#byTarget.get(key) ?? [];
      if (first !== undefined && first.key !== object.key)
        return { kind: "ScalingPolicy", name: first.name, of };
    }
    return undefined;
  }

  #take(one: TargetKey, key: PolicyKey): void {
    const left = (this.#byTarget.get(one) ?? []).filter((claim) => claim.key !== key);
    if (left.length === 0) this.#byTarget.delete(one);
    else this.#byTarget.set(one, left);
  }

  #concerns(one: TargetKey, but?: PolicyKey): void {
    for (const { key } of this.#byTarget.get(one) ?? []) if (key !== but) this.#tell(key);
  }
}

const bySince = (one: Claim, other: Claim) =>
  one.since < other.since ? -1 : one.since > other.since ? 1 : 0;

/** The targets of a policy, as far as its spec can be understood; one that cannot is refused elsewhere. */
function targetsOf({ namespace, spec }: PolicyObject): (readonly [TargetKey, string])[] {
  const nodes = fieldsOfSpec(spec, "target", "kubernetes")["nodes"];
  const flink = fieldsOfSpec(spec, "target", "flink");
  const refs = [...(Array.isArray(nodes) ? nodes : []), flink["taskManagers"]].map(
    (node: unknown) => fieldsOf(node)["ref"],
  );
  return [...refs, jobOf(flink)].flatMap((ref) => {
    const { apiVersion, kind, name } = fieldsOf(ref);
    const key = keyOf(namespace, apiVersion, kind, name);
    return key === undefined ? [] : [[key, `${String(kind)} ${String(name)}`] as const];
  });
}

/** A Flink job as if it were an object: what it runs in, and its name or id. */
function jobOf({ jobManager, job }: Readonly<Record<string, unknown>>) {
  const { service, flinkDeployment, flinkSessionJob } = fieldsOf(jobManager);
  const { name } = fieldsOf(service ?? flinkDeployment ?? flinkSessionJob);
  if (typeof name !== "string") return undefined;
  const { name: jobName, id = jobName } = fieldsOf(job);
  const kind = flinkSessionJob === undefined ? "Flink job" : "FlinkSessionJob";
  return { apiVersion: "v1", kind, name: typeof id === "string" ? `${id} of ${name}` : name };
}

/** What a HorizontalPodAutoscaler scales. */
export interface AutoscalerTarget {
  readonly name: string;
  readonly target: TargetKey;
}

/** Undefined for one that scales nothing that can be understood. */
export function autoscalerTarget({ metadata, spec }: KubeObject): AutoscalerTarget | undefined {
  const { apiVersion, kind, name } = fieldsOf(fieldsOf(spec)["scaleTargetRef"]);
  const key = keyOf(metadata.namespace ?? "", apiVersion, kind, name);
  return key === undefined ? undefined : { name: metadata.name, target: key };
}

function keyOf(namespace: string, apiVersion: unknown, kind: unknown, name: unknown): TargetKey | undefined {
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string")
    return undefined;
  // The version of a group says nothing of which object it is.
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return `${group}/${kind}/${objectKey(namespace, name)}` as TargetKey;
}
