import { asFault, type Fault } from "../fault/index.ts";
import type { Api } from "./api.ts";
import { ClusterFault } from "./refusal.ts";
import { fieldsOf, type KubeObject, type Resource } from "./resource.ts";
import { jittered, type Time } from "./time.ts";

/** How long a lease holds. Holders that give up a third early may have clocks that run apart by half. */
export interface LeaseTimes {
  /** Others take a lease that they have seen unchanged for so long. */
  readonly durationMs: number;
  /** The holder believes in it for so long after it last asked successfully. */
  readonly renewMs: number;
  /** Between two attempts, to renew or to take. */
  readonly retryMs: number;
}

/** 15, 10 and 2 s, or in the same proportion: fewer than 2 s leave no time for a call. */
export const leaseTimes = (seconds = 15): LeaseTimes => ({
  durationMs: seconds * 1_000,
  renewMs: (seconds * 2_000) / 3,
  retryMs: (seconds * 2_000) / 15,
});

/** Attempts to give a lease back; after them it runs out by itself. */
const RELEASE_TRIES = 3;

/** What somebody else's lease says, and since when on our own clock: the times that are written in it mean nothing here. */
export class Sighting {
  readonly #time: Time;
  #sinceMs = 0;
  /** As the server has it; undefined where there is none, or it was never looked at. */
  object: KubeObject | undefined;

  constructor(time: Time) {
    this.#time = time;
  }

  see(object: KubeObject | undefined): void {
    if (object !== undefined && object.metadata.resourceVersion === this.object?.metadata.resourceVersion)
      return;
    this.object = object;
    this.#sinceMs = this.#time.elapsedMs();
  }

  /** Empty where nobody holds it. */
  get holder(): string {
    const { holderIdentity } = fieldsOf(this.object?.["spec"]);
    return typeof holderIdentity === "string" ? holderIdentity : "";
  }

  get transitions(): number {
    const { leaseTransitions } = fieldsOf(this.object?.["spec"]);
    return typeof leaseTransitions === "number" ? leaseTransitions : 0;
  }

  /** Whether its holder gave it up, or has not been heard of for its time and for ours. */
  isFree(leastMs: number): boolean {
    if (this.holder === "") return true;
    const { leaseDurationSeconds } = fieldsOf(this.object?.["spec"]);
    const saidMs = typeof leaseDurationSeconds === "number" ? leaseDurationSeconds * 1_000 : 0;
    return this.#time.elapsedMs() - this.#sinceMs >= Math.max(leastMs, saidMs);
  }
}

export interface ElectorOptions {
  readonly api: Pick<Api, "get" | "create" | "replace" | "delete">;
  /** How the cluster serves `coordination.k8s.io/v1` Leases. */
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of this very process: two that share it would both hold the lease. */
  readonly identity: string;
  readonly times: LeaseTimes;
  readonly time: Time;
  /** Told when it is held from now on, or no longer is. */
  readonly onChange?: (isHeld: boolean) => void;
  readonly onFault?: (fault: Fault) => void;
}

/**
 * One candidate for one Lease. Of all that run with the same times, at most one believes to hold it at any moment, as long
 * as no clock runs half as fast again as another: the holder counts from when it asked, everybody else from when they saw
 * the answer, each on a clock that nobody sets. A Lease that is edited or deleted by hand may be held twice until the next
 * attempt to renew it.
 */
export class Elector {
  readonly sighting: Sighting;
  readonly #options: ElectorOptions;
  #heldUntilMs = -Infinity;
  #told = false;
  #epoch = 0;
  #isWanted = false;
  #isEnded = false;
  #underway: Promise<void> | undefined;
  #cancel: () => void = () => undefined;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.sighting = new Sighting(options.time);
  }

  /** Whether it is held beyond doubt now: false as soon as it might not be, even if no answer said so. */
  isHeld(): boolean {
    return this.#isWanted && this.#options.time.elapsedMs() < this.#heldUntilMs;
  }

  /** How often the lease changed hands when this one took it: grows with every holder. */
  get epoch(): number {
    return this.#epoch;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** From now on takes the lease when it is free, and renews it. */
  want(): void {
    if (this.#isWanted || this.#isEnded) return;
    this.#isWanted = true;
    void this.#attempt();
  }

  /** What a watch shows; a lease that is given up is taken at once. */
  see(object: KubeObject | undefined): void {
    // A watch lags behind our own writes; while it is held they know better.
    if (this.#underway !== undefined || this.isHeld()) return;
    this.sighting.see(object);
    if (this.#isWanted && this.sighting.holder === "") void this.#attempt();
  }

  /** Holds it in an epoch above that one from the next renewal on: for where a lease was deleted and counts anew. */
  exceed(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch + 1);
  }

  /** Does not believe in it from now on, and gives it back so that another takes it at once. Never throws. */
  async release(): Promise<void> {
    this.#isWanted = false;
    this.#lose();
    while (this.#underway !== undefined) await this.#underway;
    await this.#act(() => this.#giveBack());
  }

  /** Gives it back for good. */
  async end(): Promise<void> {
    this.#isEnded = true;
    await this.release();
  }

  #attempt(): Promise<void> {
    return this.#act(() => this.#try());
  }

  /** One act at a time; who comes meanwhile waits for the one under way, and the next attempt is set after each. */
  #act(act: () => Promise<void>): Promise<void> {
    this.#cancel();
    this.#underway ??= act()
      .catch((thrown: unknown) => this.#fault(thrown))
      .then(() => {
        this.#underway = undefined;
        this.#tell();
        if (!this.#isWanted) return;
        const { time, times } = this.#options;
        this.#cancel();
        this.#cancel = time.after(jittered(time, times.retryMs, 0.1), () => void this.#attempt());
      });
    return this.#underway;
  }

  async #giveBack(): Promise<void> {
    this.#lose();
    for (let tries = 0; tries < RELEASE_TRIES; tries += 1) {
      if (this.sighting.holder !== this.#options.identity) return;
      try {
        return await this.#write("");
      } catch (thrown) {
        this.#fault(thrown);
      }
    }
  }

  async #try(): Promise<void> {
    const { identity, times } = this.#options;
    this.#tell();
    const believed = this.sighting.holder === identity && this.sighting.object !== undefined;
    if (!believed) await this.#look();
    const isOurs = this.sighting.holder === identity;
    if (!isOurs && !this.sighting.isFree(times.durationMs)) return this.#lose();
    if (this.#isWanted) await this.#write(identity);
  }

  async #look(): Promise<void> {
    const { api, resource, namespace, name } = this.#options;
    try {
      this.sighting.see(await api.get(resource, { namespace, name }));
    } catch (thrown) {
      if (!(thrown instanceof ClusterFault) || thrown.status !== 404) throw thrown;
      this.sighting.see(undefined);
    }
  }

  /** Writes on the condition that the lease is as it was seen; the time of holding begins before the call. */
  async #write(holder: string): Promise<void> {
    const { api, resource, namespace, name, time, times, identity } = this.#options;
    const askedMs = time.elapsedMs();
    const seen = this.sighting;
    const isNew = holder !== "" && seen.holder !== identity;
    const epoch = isNew
      ? Math.max(seen.transitions + 1, this.#epoch)
      : Math.max(seen.transitions, this.#epoch);
    const lease = this.#lease(holder, isNew, epoch);
    try {
      const written =
        seen.object === undefined
          ? await api.create(resource, namespace, lease)
          : await api.replace(resource, { namespace, name }, lease);
      seen.see(written as KubeObject);
    } catch (thrown) {
      const isMoved = thrown instanceof ClusterFault && (thrown.status === 409 || thrown.status === 404);
      if (!isMoved) throw thrown;
      // Somebody else wrote, or this one did and never heard: the next look tells.
      await this.#look();
      if (seen.holder !== identity) this.#lose();
      throw thrown;
    }
    if (holder === "") return;
    this.#epoch = epoch;
    this.#heldUntilMs = askedMs + times.renewMs;
  }

  #lease(holder: string, isNew: boolean, epoch: number): object {
    const { resource, namespace, name, labels = {}, time, times } = this.#options;
    const before = this.sighting.object;
    const now = microTime(time.now());
    const { acquireTime } = fieldsOf(before?.["spec"]);
    const version = before === undefined ? {} : { resourceVersion: before.metadata.resourceVersion };
    return {
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata: { namespace, name, labels, ...version },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: Math.ceil(times.durationMs / 1_000),
        acquireTime: isNew || acquireTime === undefined ? now : acquireTime,
        renewTime: now,
        leaseTransitions: epoch,
      },
    };
  }

  #lose(): void {
    this.#heldUntilMs = -Infinity;
    this.#tell();
  }

  #tell(): void {
    const isHeld = this.isHeld();
    if (isHeld === this.#told) return;
    this.#told = isHeld;
    this.#options.onChange?.(isHeld);
  }

  #fault(thrown: unknown): void {
    // That another was faster is how an election goes.
    if (!(thrown instanceof ClusterFault) || thrown.status !== 409) this.#options.onFault?.(asFault(thrown));
  }
}

/** A `MicroTime`: the API server takes no fewer than six digits. */
const microTime = (at: Date): string => `${at.toISOString().slice(0, -1)}000Z`;
