import type { KubeObject, Resource } from "../../host/kube/index.ts";
import { ClusterFault } from "../../host/kube/index.ts";
import type { WatchEvent } from "../../host/kube/watch.ts";
import type { World } from "./time.ts";

type Mutable = { -readonly [Field in keyof KubeObject]: KubeObject[Field] } & {
  spec?: { replicas?: number };
};

/** One write to a scale subresource, as an audit log has it. */
export interface ScaleWrite {
  readonly atMs: number;
  readonly by: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
}

const SCALING_POLICY: Resource = {
  apiVersion: "sluice.dev/v1alpha1",
  kind: "ScalingPolicy",
  plural: "scalingpolicies",
  namespaced: true,
  hasScale: false,
};
const DEPLOYMENT: Resource = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
  hasScale: true,
};
export const RESOURCES = [SCALING_POLICY, DEPLOYMENT];

/** So many changes are remembered for watches; who asks for older ones gets a 410, as after a compaction. */
const REMEMBERED = 200;

/**
 * The part of an API server that Sluice uses, in memory: versions, uids, generations, optimistic locking, watches. What it
 * leaves out is tested on the real one; what it has here behaves as that does (test/kube*.test.ts).
 */
export class Server {
  readonly writes: ScaleWrite[] = [];
  readonly #world: World;
  readonly #objects = new Map<string, Mutable>();
  #changes: { readonly version: number; readonly event: Extract<WatchEvent, { object: unknown }> }[] = [];
  #version = 0;
  #uids = 0;
  readonly #listeners = new Set<() => void>();

  constructor(world: World) {
    this.#world = world;
  }

  get version(): number {
    return this.#version;
  }

  create({ apiVersion, kind }: Resource, namespace: string, name: string, rest: object): void {
    this.#uids += 1;
    const metadata = { name, namespace, uid: `uid-${this.#uids}`, resourceVersion: "", generation: 1 };
    this.#store("ADDED", { apiVersion, kind, metadata, ...structuredClone(rest) });
  }

  get(resource: Resource, namespace: string, name: string): KubeObject {
    return structuredClone(this.#held(resource, namespace, name));
  }

  list(resource: Resource): KubeObject[] {
    return structuredClone([...this.#objects.values()].filter(({ kind }) => kind === resource.kind));
  }

  /** Changes a spec as its owner would: a new generation. */
  edit(
    resource: Resource,
    namespace: string,
    name: string,
    change: (spec: Record<string, unknown>) => void,
  ): void {
    const object = structuredClone(this.#held(resource, namespace, name));
    change(object.spec as Record<string, unknown>);
    this.#store("MODIFIED", {
      ...object,
      metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 },
    });
  }

  /** What a rollout does a few times a second: another version, and nothing else. */
  touch(resource: Resource, namespace: string, name: string): void {
    this.#store("MODIFIED", structuredClone(this.#held(resource, namespace, name)));
  }

  delete(resource: Resource, namespace: string, name: string): void {
    const object = this.#held(resource, namespace, name);
    this.#objects.delete(keyOf(object));
    this.#tell("DELETED", structuredClone(object));
  }

  has(resource: Resource, namespace: string, name: string): boolean {
    return this.#objects.has(`${resource.kind}/${namespace}/${name}`);
  }

  scale(resource: Resource, namespace: string, name: string): KubeObject {
    const { metadata, spec } = this.#held(resource, namespace, name);
    const replicas = spec?.replicas ?? 0;
    return {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { ...metadata },
      spec: { replicas },
      status: { replicas },
    };
  }

  /** Writes a scale if the object is still the one that was read. */
  writeScale(resource: Resource, namespace: string, name: string, wanted: KubeObject, by: string): void {
    const object = structuredClone(this.#held(resource, namespace, name));
    const { uid, resourceVersion, generation = 0 } = object.metadata;
    const { uid: readUid, resourceVersion: readVersion } = wanted.metadata;
    if (uid !== readUid || resourceVersion !== readVersion) throw conflict(name);
    const from = object.spec?.replicas ?? 0;
    const to = (wanted["spec"] as { replicas: number }).replicas;
    this.writes.push({ atMs: this.#world.nowMs, by, target: `${namespace}/${name}`, from, to });
    this.#store("MODIFIED", {
      ...object,
      spec: { ...object.spec, replicas: to },
      metadata: { ...object.metadata, generation: generation + 1 },
    });
  }

  writeStatus(resource: Resource, namespace: string, name: string, status: unknown): KubeObject {
    const object = structuredClone(this.#held(resource, namespace, name));
    this.#store("MODIFIED", { ...object, status: structuredClone(status) });
    return this.get(resource, namespace, name);
  }

  /** What happened to a kind after a version. Throws a 410 for one that is forgotten. */
  since(resource: Resource, version: number): { readonly events: WatchEvent[]; readonly version: number } {
    const oldest = this.#changes[0]?.version ?? this.#version + 1;
    if (version + 1 < oldest)
      throw new ClusterFault("ClusterUnavailable", 410, "too old resource version", { retry: true });
    const events = this.#changes.filter(
      (one) => one.version > version && one.event.object.kind === resource.kind,
    );
    return { events: events.map(({ event }) => structuredClone(event)), version: this.#version };
  }

  /** Forgets what happened so far, as a compaction does. */
  compact(): void {
    this.#changes = [];
  }

  /** Resolves with the next change of anything. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      const listen = () => {
        this.#listeners.delete(listen);
        resolve();
      };
      this.#listeners.add(listen);
    });
  }

  #held({ kind }: Resource, namespace: string, name: string): Mutable {
    const object = this.#objects.get(`${kind}/${namespace}/${name}`);
    if (object === undefined) throw new ClusterFault("TargetNotFound", 404, `${kind} ${name} not found`);
    return object;
  }

  #store(type: "ADDED" | "MODIFIED", object: Mutable): void {
    const stored = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version + 1) },
    };
    this.#objects.set(keyOf(stored), stored);
    this.#tell(type, structuredClone(stored));
  }

  #tell(type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject): void {
    this.#version += 1;
    const told = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#changes.push({ version: this.#version, event: { type, object: told } });
    if (this.#changes.length > REMEMBERED) this.#changes.shift();
    for (const listener of this.#listeners) listener();
  }
}

const keyOf = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
const conflict = (name: string) =>
  new ClusterFault("Conflict", 409, `the object ${name} has been modified`, { retry: true });
