import { asFault, Fault } from "../fault/index.ts";
import {
  ClusterFault,
  Elector,
  fieldsOf,
  reflect,
  Sighting,
  type Cluster,
  type KubeObject,
  type LeaseTimes,
  type Resource,
  type Time,
} from "../kube/index.ts";
import type { PolicyKey } from "../policy/index.ts";
import { shardOf, weight } from "./rendezvous.ts";

/** The one place where the number of shards stands. */
const CONFIG = "sluice-shards";
const LABEL = "sluice.dev/lease";
/** A replica that was not heard of for so many times its lease is forgotten. */
const FORGOTTEN_TIMES = 10;

/** Which policies this replica works on: those of the shards whose Lease it holds. */
export interface Shards {
  readonly count: number;
  /** Those that are held now. */
  held(): readonly number[];
  shardOf(key: PolicyKey): number;
  /** Begins work on a policy, to be ended by what is returned; undefined where it is not this replica's, or about to go. */
  enter(key: PolicyKey): (() => void) | undefined;
  /** `NotLeader` unless the policy's Lease is held at this very moment. */
  mayWrite(key: PolicyKey): Fault | undefined;
  /** Grows with every replica that works on the policy's shard. */
  epochOf(key: PolicyKey): number;
  /** Something of a higher epoch was found: from the next renewal on this replica's is above it. */
  exceed(key: PolicyKey, epoch: number): void;
  /** Is told of every shard that comes and goes, first of those that are held already. */
  listen(listener: ShardListener): void;
  /** Ends after the signal was given and every Lease was given back, each as soon as its last policy is done with. */
  readonly ended: Promise<void>;
}

export interface ShardListener {
  readonly gained: (shard: number) => void;
  readonly lost: (shard: number) => void;
}

export interface ShardOptions {
  readonly cluster: Cluster;
  /** Where Leases and the number of shards are. */
  readonly namespace: string;
  /** Of this process alone, a DNS label. */
  readonly identity: string;
  /** How many shards there are to be, where the cluster has no number yet. */
  readonly shards: number;
  readonly times: LeaseTimes;
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
  readonly say: (message: string) => void;
}

/** Takes part in the work on all shards. Throws if the number of shards can neither be read nor written. */
export async function openShards(options: ShardOptions): Promise<Shards> {
  const count = await countOf(options);
  const resource = await options.cluster.resource("coordination.k8s.io/v1", "Lease");
  return new LeasedShards(options, resource, count);
}

/** The number that is in the cluster; the first replica of all writes its own. */
async function countOf({ cluster, namespace, shards, say }: ShardOptions): Promise<number> {
  const resource = await cluster.resource("v1", "ConfigMap");
  const place = { namespace, name: CONFIG };
  const read = async () => {
    const said = fieldsOf((await cluster.operator.get(resource, place))["data"])["shards"];
    const count = Number(said);
    if (Number.isInteger(count) && count >= 1 && count <= 1_024) return count;
    throw new Fault(
      "UsageInvalid",
      `The ConfigMap ${namespace}/${CONFIG} says there are ${String(said)} shards`,
      {
        remedy: "Stop all replicas, delete it, and start them again.",
      },
    );
  };
  const missing = (status: number) => (thrown: unknown) => {
    if (thrown instanceof ClusterFault && thrown.status === status) return undefined;
    throw thrown;
  };
  const known = await read().catch(missing(404));
  if (known === undefined) {
    const object = {
      ...{ apiVersion: "v1", kind: "ConfigMap", metadata: place },
      data: { shards: String(shards) },
    };
    await cluster.operator.create(resource, namespace, object).catch(missing(409));
  }
  const count = known ?? (await read());
  if (count !== shards) say(`there are ${count} shards, as ${namespace}/${CONFIG} says, not ${shards}`);
  return count;
}

class LeasedShards implements Shards {
  readonly count: number;
  readonly ended: Promise<void>;
  readonly #options: ShardOptions;
  readonly #resource: Resource;
  readonly #electors: readonly Elector[];
  readonly #self: Elector;
  /** The leases of all replicas, this one's included. */
  readonly #replicas = new Map<string, Sighting>();
  readonly #inWork = new Map<number, number>();
  /** Shards that are given up as soon as nothing of them is in work, and who waits for it. */
  readonly #leaving = new Map<number, () => void>();
  #listener: ShardListener | undefined;
  #cancel: () => void = () => undefined;

  constructor(options: ShardOptions, resource: Resource, count: number) {
    this.#options = options;
    this.#resource = resource;
    this.count = count;
    this.#electors = Array.from({ length: count }, (_, shard) =>
      this.#elector(`sluice-shard-${shard}`, "shard", (isHeld) => this.#changed(shard, isHeld)),
    );
    this.#self = this.#elector(`sluice-replica-${options.identity}`, "replica");
    this.#self.want();
    const { cluster, namespace, time, signal, onFault } = options;
    const leases = reflect({
      ...{ api: cluster.operator, resource, namespace, labelSelector: LABEL, time, signal, onFault },
      trim: (object) => object,
      onEvent: (key) => this.#see(key.slice(namespace.length + 1), leases.get(key)),
    });
    this.#balance();
    this.ended = new Promise<void>((resolve) => {
      const end = () => resolve(this.#end());
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    }).then(() => leases.ended);
  }

  held = (): readonly number[] =>
    [...this.#electors.keys()].filter((shard) => this.#electors[shard]?.isHeld());
  shardOf = (key: PolicyKey): number => shardOf(key, this.count);
  epochOf = (key: PolicyKey): number => this.#of(key).epoch;
  exceed = (key: PolicyKey, epoch: number): void => this.#of(key).exceed(epoch);

  mayWrite(key: PolicyKey): Fault | undefined {
    if (this.#of(key).isHeld()) return undefined;
    return new Fault("NotLeader", `The lease of shard ${this.shardOf(key)} is not held`, { retry: true });
  }

  enter(key: PolicyKey): (() => void) | undefined {
    const shard = this.shardOf(key);
    if (!this.#of(key).isHeld() || this.#leaving.has(shard)) return undefined;
    this.#inWork.set(shard, this.#working(shard) + 1);
    return () => {
      this.#inWork.set(shard, this.#working(shard) - 1);
      if (this.#working(shard) === 0) this.#leaving.get(shard)?.();
    };
  }

  listen(listener: ShardListener): void {
    this.#listener = listener;
    for (const shard of this.held()) listener.gained(shard);
  }

  #of = (key: PolicyKey): Elector => this.#electors[this.shardOf(key)] as Elector;
  #working = (shard: number): number => this.#inWork.get(shard) ?? 0;

  #elector(name: string, role: string, onChange: (isHeld: boolean) => void = () => undefined): Elector {
    const { cluster, namespace, identity, times, time, onFault } = this.#options;
    const where = {
      api: cluster.leases,
      resource: this.#resource,
      namespace,
      name,
      labels: { [LABEL]: role },
    };
    return new Elector({ ...where, identity, times, time, onFault, onChange });
  }

  #see(name: string, object: KubeObject | undefined): void {
    const shard = /^sluice-shard-(\d+)$/.exec(name)?.[1];
    if (shard !== undefined) this.#electors[Number(shard)]?.see(object);
    else if (object === undefined) this.#replicas.delete(name);
    else {
      const sighting = this.#replicas.get(name) ?? new Sighting(this.#options.time);
      sighting.see(object);
      this.#replicas.set(name, sighting);
    }
    // Renewals come all the time; only a lease that is given up is worth another look at once.
    if (object === undefined || fieldsOf(object["spec"])["holderIdentity"] === "") this.#balance();
  }

  #changed(shard: number, isHeld: boolean): void {
    if (isHeld) this.#listener?.gained(shard);
    else this.#listener?.lost(shard);
  }

  /** Takes free shards up to this replica's share, and gives up what is above it, one at a time. */
  #balance(): void {
    const { time, times, signal, identity } = this.#options;
    this.#cancel();
    if (signal.aborted) return;
    this.#cancel = time.after(times.retryMs, () => this.#balance());
    const share = Math.ceil(this.count / this.#alive());
    const shards = [...this.#electors.entries()].filter(([shard]) => !this.#leaving.has(shard));
    const mine = shards.filter(([, { isWanted }]) => isWanted);
    // Somebody else was faster.
    for (const [, elector] of mine) {
      const isTaken = elector.sighting.holder !== identity && !elector.sighting.isFree(times.durationMs);
      if (isTaken && !elector.isHeld()) void elector.release();
    }
    const kept = shards.filter(([, { isWanted }]) => isWanted).sort(this.#byWeight);
    const [above] = kept.slice(share);
    if (above !== undefined && this.#leaving.size === 0) void this.#leave(above[0]);
    const free = shards.filter(
      ([, { isWanted, sighting }]) => !isWanted && sighting.isFree(times.durationMs),
    );
    for (const [, elector] of free.sort(this.#byWeight).slice(0, Math.max(0, share - kept.length)))
      elector.want();
  }

  /** Each replica has an order of its own, so that few go for the same shard. */
  #byWeight = ([one]: readonly [number, Elector], [other]: readonly [number, Elector]): number =>
    weight(this.#options.identity, other) - weight(this.#options.identity, one);

  #alive(): number {
    const { times, cluster, namespace, identity, onFault } = this.#options;
    let others = 0;
    for (const [name, sighting] of this.#replicas) {
      if (name === `sluice-replica-${identity}`) continue;
      if (!sighting.isFree(times.durationMs)) others += 1;
      else if (sighting.isFree(times.durationMs * FORGOTTEN_TIMES)) {
        this.#replicas.delete(name);
        const gone = cluster.operator.delete(
          this.#resource,
          { namespace, name },
          sighting.object?.metadata.uid,
        );
        void gone.catch((thrown: unknown) => onFault(asFault(thrown)));
      }
    }
    return 1 + others;
  }

  async #leave(shard: number): Promise<void> {
    if (this.#working(shard) > 0) await new Promise<void>((resolve) => this.#leaving.set(shard, resolve));
    else this.#leaving.set(shard, () => undefined);
    await this.#electors[shard]?.release();
    this.#leaving.delete(shard);
  }

  async #end(): Promise<void> {
    this.#cancel();
    await Promise.all([...this.#electors.keys()].map((shard) => this.#leave(shard)));
    await this.#self.end();
    const { cluster, namespace, identity } = this.#options;
    const name = `sluice-replica-${identity}`;
    // If it stays, the others forget it after a while.
    await cluster.leases.delete(this.#resource, { namespace, name }).catch(() => undefined);
  }
}
