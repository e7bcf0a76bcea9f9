import type { Isolation } from "../engine.ts";
import { Blanks } from "./blanks.ts";
import { FairQueue, type Taken } from "./queue.ts";
import type { Sandbox } from "./sandbox.ts";

export interface PoolLimits {
  readonly isolation: Isolation;
  /** Processes that serve at the same time. */
  readonly sandboxes: number;
  /** Processes that are kept started and unused, besides. */
  readonly blanks: number;
  /** Pieces of work that may wait for a tenant: more is a backlog that will not be caught up with. */
  readonly waitingPerTenant: number;
  /** How long a piece of work waits at most for a process. */
  readonly waitMs: number;
}

/** After so much a process is replaced: what a runtime may leak does not add up, and no module that it compiled leaves it. */
const LIFE = { passes: 10_000, modules: 64, moduleBytes: 64 * 1_024 * 1_024 } as const;
/** A process that has had nothing to do for so long is ended, and its memory, some 80 MB, given back. */
const IDLE_MS = 60_000;
const SWEEP_MS = 5_000;
/**
 * How long a tenant keeps its process while another waits for one. It is as long as a start takes, so that at worst half of
 * the time goes into starts, and as long as one step may run, so that nobody waits much longer than for a long pass.
 */
const SLICE_MS = 250;

/** A sandbox that works for a tenant until it is given back. */
export interface Lease {
  readonly sandbox: Sandbox;
}

interface Turn {
  readonly modules: readonly string[];
  readonly go: (lease: Lease | undefined) => void;
  readonly late: NodeJS.Timeout;
}
/** Work that came past the queue, since nobody waited in it. */
const SPARE = Symbol("spare");

/** A process that serves. Whom it belongs to is the same for all where they are shared. */
interface Serving extends Lease {
  readonly owner: string;
  /** Since when it belongs to them. */
  readonly sinceMs: number;
  work: Taken<Turn> | typeof SPARE | undefined;
  /** What its process had used when it was given back last. */
  usedMs: number;
}

/**
 * The sandboxes and whom they serve. With `isolation: tenant` a tenant has one process at a time, keeps it while it has work,
 * and nobody has it afterwards. With `shared` any process serves anybody; what they compiled is kept apart by tenant even so.
 */
export class Pool {
  readonly #limits: PoolLimits;
  readonly #queue = new FairQueue<Turn>();
  readonly #serving = new Set<Serving>();
  readonly #blanks: Blanks;
  readonly #sweep: NodeJS.Timeout;
  #closed = false;

  constructor(limits: PoolLimits, start: () => Sandbox) {
    this.#limits = limits;
    this.#blanks = new Blanks(limits.blanks, () => this.#serve(), start);
    this.#sweep = setInterval(() => this.#tidy(), SWEEP_MS);
  }

  /** A sandbox that nobody uses now, for a tenant's work with these modules; undefined if there was none in time. */
  acquire(tenant: string, modules: readonly string[]): Promise<Lease | undefined> {
    if (this.#closed || this.#queue.waiting(tenant) >= this.#limits.waitingPerTenant)
      return Promise.resolve(undefined);
    return new Promise((go) => {
      const late = setTimeout(() => {
        this.#queue.remove(tenant, turn);
        go(undefined);
      }, this.#limits.waitMs);
      const turn: Turn = { modules, go, late };
      this.#queue.push(tenant, turn);
      this.#serve();
    });
  }

  /**
   * A sandbox for work that nobody is to wait for, if there is one now: while nobody waits, a process that the tenant keeps
   * for such work, or one more if fewer run than may. It is taken away, and the work with it, as soon as somebody needs it.
   */
  spare(tenant: string, modules: readonly string[]): Lease | undefined {
    if (this.#closed || this.#queue.first(performance.now()) !== undefined) return undefined;
    const owner = spareOwner(tenant);
    const isOwn = [...this.#serving].some((one) => one.owner === owner);
    const room = this.#serving.size < this.#limits.sandboxes && this.#blanks.ready > 0;
    const serving = isOwn ? this.#free(owner, modules) : room ? this.#adopt(owner) : undefined;
    if (serving !== undefined) serving.work = SPARE;
    return serving;
  }

  /** Takes a sandbox back after its work. */
  release(lease: Lease): void {
    const serving = lease as Serving;
    const { work, sandbox } = serving;
    if (work === undefined) return;
    serving.work = undefined;
    const usedMs = sandbox.processMs();
    if (work !== SPARE) this.#queue.charge(work, usedMs - serving.usedMs, performance.now());
    serving.usedMs = usedMs;
    if (!sandbox.alive || isWorn(sandbox) || this.#mustYield(serving)) this.#retire(serving);
    this.#serve();
  }

  /** Ends every process. What waits is not served any more. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#closed = true;
    const all = [...this.#serving].map(({ sandbox }) => sandbox);
    for (const sandbox of all) sandbox.kill();
    await Promise.all([...all.map((sandbox) => sandbox.ended), this.#blanks.close()]);
  }

  #serve(): void {
    while (!this.#closed) {
      const taken = this.#queue.take(performance.now(), this.#offer());
      if (taken === undefined) return;
      const { modules, late, go } = taken.item;
      clearTimeout(late);
      const serving =
        this.#free(this.#ownerFor(taken.tenant), modules) ?? this.#adopt(this.#ownerFor(taken.tenant));
      if (serving === undefined) {
        // Not reached while an offer is kept; a lost turn would be worse than one that is refused.
        this.#queue.charge(taken, 0, performance.now());
        go(undefined);
        continue;
      }
      serving.work = taken;
      go(serving);
    }
  }

  /** Whom there is a process for now: those that have a free one, and, if one more can be had, those that have none. */
  #offer(): (tenant: string) => boolean {
    const free = new Set<string>();
    const owners = new Set<string>();
    for (const { owner, work, sandbox } of this.#serving) {
      if (work === undefined && sandbox.alive) free.add(owner);
      owners.add(owner);
    }
    const room =
      this.#blanks.ready > 0 && (this.#serving.size < this.#limits.sandboxes || this.#least() !== undefined);
    const many = this.#limits.isolation === "shared";
    return (tenant) => {
      const owner = this.#ownerFor(tenant);
      return free.has(owner) || (room && (many || !owners.has(owner)));
    };
  }

  /** A free process of the owner's: the one that has most of the modules already. */
  #free(owner: string, modules: readonly string[]): Serving | undefined {
    const known = ({ sandbox }: Serving) => modules.filter((one) => sandbox.loaded.has(one)).length;
    let best: Serving | undefined;
    for (const one of this.#serving) {
      if (one.owner !== owner || one.work !== undefined || !one.sandbox.alive) continue;
      if (best === undefined || known(one) > known(best)) best = one;
    }
    return best;
  }

  /** A blank for an owner, in place of the process that is missed least if the number is reached. */
  #adopt(owner: string): Serving | undefined {
    const least = this.#serving.size < this.#limits.sandboxes ? undefined : this.#least();
    if (least !== undefined) this.#retire(least);
    const sandbox = this.#blanks.take();
    if (sandbox === undefined) return undefined;
    const serving: Serving = {
      sandbox,
      owner,
      sinceMs: performance.now(),
      work: undefined,
      usedMs: sandbox.processMs(),
    };
    this.#serving.add(serving);
    void sandbox.ended.then(() => {
      this.#serving.delete(serving);
      this.#serve();
    });
    return serving;
  }

  /** A process for what is to spare, or else the one that has had nothing to do for longest. */
  #least(): Serving | undefined {
    const spare = [...this.#serving].filter(({ owner }) => isSpare(owner));
    return spare.find(({ work }) => work === undefined) ?? this.#idle() ?? spare[0];
  }

  /** The process that has had nothing to do for longest, of those whose owner has nothing to do. */
  #idle(): Serving | undefined {
    let longest: Serving | undefined;
    for (const one of this.#serving) {
      if (one.work !== undefined || this.#queue.waiting(one.owner) > 0) continue;
      if (longest === undefined || one.sandbox.idleSinceMs < longest.sandbox.idleSinceMs) longest = one;
    }
    return longest;
  }

  /** Whether an owner has had its slice, and it is the turn of another, for whom a blank is ready. */
  #mustYield({ owner, sinceMs }: Serving): boolean {
    const nowMs = performance.now();
    if (nowMs - sinceMs < SLICE_MS || this.#blanks.ready === 0) return false;
    const owners = new Set([...this.#serving].map((one) => one.owner));
    const next = this.#queue.first(nowMs, (tenant) => {
      const theirs = this.#ownerFor(tenant);
      return theirs === owner || !owners.has(theirs);
    });
    return next !== undefined && this.#ownerFor(next) !== owner;
  }

  #retire(serving: Serving): void {
    this.#serving.delete(serving);
    if (serving.work === SPARE) serving.sandbox.giveWay();
    else serving.sandbox.kill();
  }

  #tidy(): void {
    const nowMs = performance.now();
    for (const serving of this.#serving)
      if (serving.work === undefined && serving.sandbox.idleSinceMs < nowMs - IDLE_MS) this.#retire(serving);
    this.#queue.forget(nowMs);
  }

  #ownerFor(tenant: string): string {
    return this.#limits.isolation === "tenant" ? tenant : "";
  }
}

/** Who has the processes for a tenant's work that nobody waits for: no tenant has a space in its name. */
const spareOwner = (tenant: string) => `${tenant} spare`;
const isSpare = (owner: string) => owner.endsWith(" spare");

const isWorn = ({ passes, loaded, loadedBytes }: Sandbox) =>
  passes >= LIFE.passes || loaded.size >= LIFE.modules || loadedBytes >= LIFE.moduleBytes;
