import { kubernetesDriver } from "../host/driver/index.ts";
import { Fault } from "../host/fault/index.ts";
import type { Iteration, Past } from "../host/knowledge/index.ts";
import { ClusterFault, type Cluster, type KubeObject, type Resource } from "../host/kube/index.ts";
import { iterate, type World } from "../host/loop/index.ts";
import type { Policy, TargetNode } from "../host/policy/index.ts";
import { policy } from "./builders.ts";

/** A write that the application took. */
export interface Written {
  readonly node: string;
  readonly from: number;
  readonly to: number;
  /** The decision that was open in knowledge when it was made. */
  readonly decision: string | undefined;
}

/** Where the process ends: at a step by its number from 1, before it has its effect or after, before the answer. */
export interface Death {
  readonly at: number;
  readonly when: "before" | "after";
}

interface Deployment {
  uid: string;
  version: number;
  replicas: number;
  ready: number | undefined;
  /** The field manager of the number. */
  by: string;
}

class Killed extends Error {}

/**
 * An application of Deployments and a knowledge that survive the operator, and an operator that ends at any numbered step:
 * every call of the API and every record is one. The driver is the real one.
 */
export class SagaBed {
  readonly app = new Map<string, Deployment>();
  readonly records = new Map<string, Iteration>();
  readonly writes: Written[] = [];
  /** Decisions that were still open when another pass was stored. */
  readonly overtaken: string[] = [];
  /** What the plan step wants. */
  wants: Record<string, number> = {};
  /** Is done as each step begins: what others do meanwhile. */
  meanwhile: (step: number) => void = () => undefined;
  /** Why a write of a node is refused. */
  readonly refuses = new Map<string, () => Error>();
  /** What a webhook makes of a number. */
  mutate: (node: string, replicas: number) => number = (_node, replicas) => replicas;
  mayWrite: World["mayWrite"];
  nowMs = Date.parse("2026-01-01T00:00:00Z");
  steps = 0;
  passes = 0;
  #death: Death | undefined;
  #dead = false;
  readonly #policy: Policy;

  constructor(nodes: Record<string, number>, rest: Partial<Policy> = {}) {
    const names = Object.keys(nodes);
    for (const [name, replicas] of Object.entries(nodes)) {
      this.app.set(name, { uid: `uid-${name}`, version: 1, replicas, ready: undefined, by: "kubectl" });
    }
    const target = (name: string, at: number): TargetNode => ({
      name,
      ref: { apiVersion: "apps/v1", kind: "Deployment", name },
      to: names.slice(at + 1, at + 2),
      bounds: { min: 1, max: 16 },
      attributes: {},
    });
    this.#policy = policy({ nodes: names.map(target), ...rest });
  }

  get nodes(): readonly TargetNode[] {
    return this.#policy.nodes;
  }

  /** A pass of the process that runs, or of a new one if it has ended; undefined if it ends within. */
  async pass(death?: Death, rest: Partial<Policy> = {}): Promise<Iteration | undefined> {
    this.steps = 0;
    this.#death = death;
    this.#dead = false;
    this.passes += 1;
    try {
      return await iterate({ ...this.#policy, ...rest }, this.#world());
    } catch (thrown) {
      if (this.#dead) return undefined;
      throw thrown;
    }
  }

  set(name: string, replicas: number, by = "kubectl"): void {
    const found = this.#find(name);
    if (found.replicas !== replicas) found.by = by;
    found.replicas = replicas;
    found.version += 1;
  }

  replicas(): Record<string, number> {
    return Object.fromEntries([...this.app].map(([name, { replicas }]) => [name, replicas]));
  }

  /** The passes that changed something, oldest first. */
  decisions(): Iteration[] {
    return [...this.records.values()].filter(({ decision }) => (decision?.changes.length ?? 0) > 0);
  }

  #step<T>(effect: () => T): T {
    if (this.#dead) throw new Killed("the process has ended");
    this.steps += 1;
    this.meanwhile(this.steps);
    const ends = this.#death?.at === this.steps ? this.#death.when : undefined;
    if (ends === "before") this.#end();
    if (ends === undefined) return effect();
    try {
      effect();
    } catch {
      // Nobody hears of the refusal either.
    }
    return this.#end();
  }

  #end(): never {
    this.#dead = true;
    throw new Killed("the process has ended");
  }

  #find(name: string): Deployment {
    const found = this.app.get(name);
    if (found === undefined) throw new ClusterFault("TargetNotFound", 404, `no ${name}`);
    return found;
  }

  #world(): World {
    return {
      clock: { now: () => new Date(this.nowMs) },
      driver: kubernetesDriver(this.#cluster()),
      sources: { observe: async () => ({}) },
      engine: {
        run: async () => {
          const nodes = Object.entries(this.wants).map(([name, parallelism]) => [name, { parallelism }]);
          const plan = JSON.stringify({ nodes: Object.fromEntries(nodes) as unknown });
          const rest = { carry: undefined, logs: [], cpuMs: 0, fuel: {}, journal: {}, bodies: new Map() };
          return { answers: { plan }, ...rest };
        },
      },
      store: {
        recall: async () => this.#step(() => this.#past()),
        remember: async (_policy, one) => this.#step(() => this.#remember(one)),
      },
      ...(this.mayWrite === undefined ? {} : { mayWrite: this.mayWrite }),
    };
  }

  #remember(one: Iteration): void {
    const open = this.#past().open;
    if (open !== undefined && open.id !== one.id) this.overtaken.push(open.id);
    this.records.set(one.id, structuredClone(one));
  }

  #past(): Past {
    const known = [...this.records.values()].toSorted((one, other) => other.number - one.number);
    const memory = known.find((one) => one.memory !== undefined)?.memory;
    return {
      number: known[0]?.number ?? 0,
      carry: undefined,
      history: [],
      open: known.find(({ outcome }) => outcome === "Open"),
      ...(memory === undefined ? {} : { memory }),
    };
  }

  #cluster(): Cluster {
    const api = {
      get: async (_kind: Resource, name: string, sub?: string) =>
        this.#step(() => (sub === "scale" ? this.#scaleOf(name) : this.#objectOf(name))),
      replace: async (_kind: Resource, name: string, body: object) =>
        this.#step(() => this.#write(name, body)),
      list: async () => ({ items: [], resourceVersion: "1", continue: undefined }),
    };
    const resource = { namespaced: true, hasScale: true, plural: "deployments" };
    return {
      as: (identity: object) => ({ ...api, identity }),
      resource: async (apiVersion: string, kind: string) => ({ ...resource, apiVersion, kind }),
    } as unknown as Cluster;
  }

  #metadata(name: string) {
    const { uid, version } = this.#find(name);
    return { name, uid, resourceVersion: `${version}`, generation: version };
  }

  #scaleOf(name: string): KubeObject {
    const { replicas } = this.#find(name);
    const numbers = { spec: { replicas }, status: { replicas } };
    return { apiVersion: "autoscaling/v1", kind: "Scale", metadata: this.#metadata(name), ...numbers };
  }

  #objectOf(name: string): KubeObject {
    const { replicas, ready = replicas, version } = this.#find(name);
    const status = { replicas, readyReplicas: ready, observedGeneration: version };
    const fieldsV1 = { "f:spec": { "f:replicas": {} } };
    const managedFields = [{ manager: this.#find(name).by, time: "2026-01-01T00:00:00Z", fieldsV1 }];
    const metadata = { ...this.#metadata(name), managedFields };
    return { apiVersion: "apps/v1", kind: "Deployment", metadata, status };
  }

  #write(name: string, body: object): KubeObject {
    const found = this.#find(name);
    const { metadata, spec } = body as KubeObject & { spec: { replicas: number } };
    if (metadata.uid !== found.uid || metadata.resourceVersion !== `${found.version}`)
      throw new ClusterFault("Conflict", 409, "the object has been modified", { retry: true });
    const refusal = this.refuses.get(name)?.();
    if (refusal !== undefined) throw refusal;
    const to = this.mutate(name, spec.replicas);
    const decision = this.#past().open?.id;
    this.writes.push({ node: name, from: found.replicas, to, decision });
    this.set(name, to, "sluice");
    return this.#scaleOf(name);
  }
}

/** As the API server words them. */
export const REFUSALS = {
  webhook: () =>
    new ClusterFault("Forbidden", 403, 'admission webhook "x.example.com" denied the request: not today'),
  down: () => new ClusterFault("ClusterUnavailable", 503, "etcdserver: leader changed", { retry: true }),
  notLeader: new Fault("NotLeader", "the lease of shard 3 is another replica's", { retry: true }),
};
