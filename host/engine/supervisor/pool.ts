import { Sandbox } from "./sandbox.ts";

export interface PoolLimits {
  /** Processes that serve tenants at the same time. */
  readonly sandboxes: number;
  /** Pieces of work that may wait for a tenant: more is a backlog that will not be caught up with. */
  readonly waitingPerTenant: number;
  /** How long a piece of work waits at most for a process. */
  readonly waitMs: number;
}

/** After so many passes or modules a process is replaced: what a runtime may leak does not add up. */
const PASSES_A_LIFE = 10_000;
const MODULES_A_LIFE = 64;
/** A tenant that has had nothing to do for so long gives its process, some 60 MB, back. */
const IDLE_MS = 60_000;
const SWEEP_MS = 5_000;
/** How long a tenant keeps its process while others have none and wait: about ten times what a start costs. */
const SLICE_MS = 1_000;

interface Lane {
  sandbox: Sandbox | undefined;
  /** Since when it has that process. */
  sinceMs: number;
  readonly waiting: Turn[];
}
interface Turn {
  readonly go: (sandbox: Sandbox) => void;
  readonly late: NodeJS.Timeout;
}

/**
 * The sandboxes and whom they serve. A process serves one tenant for as long as it lives; a tenant has one at a time. One
 * more is kept started and unused, so that nobody waits for a start.
 */
export class Pool {
  readonly #limits: PoolLimits;
  readonly #lanes = new Map<string, Lane>();
  #spare: Sandbox | undefined;
  readonly #all = new Set<Sandbox>();
  readonly #sweep: NodeJS.Timeout;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
    this.#spare = this.#start();
    this.#sweep = setInterval(() => this.#dropIdle(), SWEEP_MS);
  }

  /** A sandbox of the tenant that nobody uses now; undefined if there was none in time. Give it back with `release`. */
  acquire(tenant: string): Promise<Sandbox | undefined> {
    const lane = this.#lanes.get(tenant) ?? { sandbox: undefined, sinceMs: 0, waiting: [] };
    this.#lanes.set(tenant, lane);
    if (lane.waiting.length >= this.#limits.waitingPerTenant) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const turn: Turn = {
        go: resolve,
        late: setTimeout(() => {
          const at = lane.waiting.indexOf(turn);
          if (at >= 0) lane.waiting.splice(at, 1);
          resolve(undefined);
        }, this.#limits.waitMs),
      };
      lane.waiting.push(turn);
      this.#serve();
    });
  }

  /** Takes a sandbox back after its work. */
  release(tenant: string, sandbox: Sandbox): void {
    const lane = this.#lanes.get(tenant);
    if (lane !== undefined && lane.sandbox === sandbox) this.#inUse.delete(sandbox);
    const worn = sandbox.passes >= PASSES_A_LIFE || sandbox.loaded.size >= MODULES_A_LIFE;
    if (worn || this.#mustYield(lane)) this.#retire(tenant, sandbox);
    // A tenant that comes back at once stands behind those who wait.
    if (lane !== undefined && this.#lanes.delete(tenant)) this.#lanes.set(tenant, lane);
    this.#serve();
  }

  /** Whether a tenant has had its slice while another waits for a process: a busy one must not keep the others out. */
  #mustYield(lane: Lane | undefined): boolean {
    if (lane === undefined || performance.now() - lane.sinceMs < SLICE_MS) return false;
    return [...this.#lanes.values()].some((one) => one.waiting.length > 0 && one.sandbox?.alive !== true);
  }

  /** Ends every process. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#closed = true;
    for (const sandbox of this.#all) sandbox.kill();
    await Promise.all([...this.#all].map((sandbox) => sandbox.ended));
  }

  readonly #inUse = new Set<Sandbox>();
  #closed = false;

  #serve(): void {
    for (const [tenant, lane] of this.#lanes) {
      if (lane.waiting.length === 0) continue;
      if (lane.sandbox?.alive !== true) {
        lane.sandbox = this.#adopt(tenant);
        lane.sinceMs = performance.now();
      }
      const { sandbox } = lane;
      if (sandbox === undefined || this.#inUse.has(sandbox)) continue;
      const turn = lane.waiting.shift();
      if (turn === undefined) continue;
      // From here on it is served: a start that takes long is not a wait.
      clearTimeout(turn.late);
      this.#inUse.add(sandbox);
      void sandbox.ready.then(() => turn.go(sandbox));
    }
  }

  /** A process for a tenant that has none: the spare, if the number allows one more. */
  #adopt(tenant: string): Sandbox | undefined {
    const serving = [...this.#lanes].filter(([one, lane]) => one !== tenant && lane.sandbox?.alive === true);
    if (serving.length >= this.#limits.sandboxes && !this.#evict(serving)) return undefined;
    const sandbox = this.#spare?.alive === true ? this.#spare : this.#start();
    this.#spare = this.#start();
    return sandbox;
  }

  /** Ends the process that has had nothing to do for longest. */
  #evict(serving: readonly (readonly [string, Lane])[]): boolean {
    const idle = serving.filter(
      ([, { sandbox, waiting }]) =>
        sandbox !== undefined && !this.#inUse.has(sandbox) && waiting.length === 0,
    );
    const [first] = idle.sort(
      ([, one], [, other]) => (one.sandbox?.idleSinceMs ?? 0) - (other.sandbox?.idleSinceMs ?? 0),
    );
    if (first === undefined) return false;
    const [tenant, { sandbox }] = first;
    if (sandbox !== undefined) this.#retire(tenant, sandbox);
    return true;
  }

  #retire(tenant: string, sandbox: Sandbox): void {
    const lane = this.#lanes.get(tenant);
    if (lane?.sandbox === sandbox) lane.sandbox = undefined;
    if (lane?.waiting.length === 0) this.#lanes.delete(tenant);
    sandbox.kill();
  }

  #dropIdle(): void {
    const before = performance.now() - IDLE_MS;
    for (const [tenant, { sandbox, waiting }] of this.#lanes) {
      if (waiting.length > 0 || (sandbox !== undefined && this.#inUse.has(sandbox))) continue;
      if (sandbox === undefined) this.#lanes.delete(tenant);
      else if (!sandbox.alive || sandbox.idleSinceMs < before) this.#retire(tenant, sandbox);
    }
  }

  #start(): Sandbox {
    const sandbox = new Sandbox();
    this.#all.add(sandbox);
    void sandbox.ended.then(() => {
      this.#all.delete(sandbox);
      this.#inUse.delete(sandbox);
      if (!this.#closed) this.#serve();
    });
    return sandbox;
  }
}
