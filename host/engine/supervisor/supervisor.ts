import type { Readable, Writable } from "node:stream";
import { LIMITS } from "../../tenant/index.ts";
import type { Isolation } from "../engine.ts";
import { encodeFrame, FrameReader, type Frame } from "../frame.ts";
import {
  memoryPagesOf,
  type Order,
  type StepLimits,
  type Trouble,
  type Walls,
  type Work,
} from "../message.ts";
import { admittedKey, moduleKey, type Modules } from "./modules.ts";
import type { Lease, Pool } from "./pool.ts";
import { BUSY, type Worked } from "./sandbox.ts";

/** What all operators that a supervisor serves have in common. */
interface Around {
  readonly pool: Pool;
  readonly modules: Modules;
  readonly walls: Walls;
  readonly isolation: Isolation;
}

/** Serves one operator over a pair of streams until its end closes. Several share the pool and the modules. */
export class Supervisor {
  readonly #pool: Pool;
  readonly #modules: Modules;
  readonly #isolation: Isolation;
  readonly #output: Writable;
  /** Modules that were asked for and have not come yet. */
  readonly #awaited = new Map<string, ((came: Uint8Array | Trouble) => void)[]>();
  #closed = false;

  constructor(input: Readable, output: Writable, around: Around) {
    this.#pool = around.pool;
    this.#modules = around.modules;
    this.#isolation = around.isolation;
    this.#output = output;
    output.write(encodeFrame({ walls: around.walls }));
    const reader = new FrameReader();
    input.on("data", (piece: Buffer) => {
      try {
        for (const frame of reader.take(piece)) this.#hear(frame);
      } catch {
        // Whoever speaks like this is no operator.
        input.destroy();
      }
    });
  }

  /** The operator is gone: what it still waits for is not begun. */
  close(): void {
    this.#closed = true;
    for (const tell of [...this.#awaited.values()].flat()) tell(GONE);
    this.#awaited.clear();
  }

  #hear({ header, body }: Frame): void {
    const { module } = header as { module?: { tenant: string; digest: string; fault?: Trouble } };
    if (module === undefined) return void this.#serve(header as unknown as Order, body);
    const { tenant, digest, fault } = module;
    const came = fault ?? Buffer.from(body);
    if (came instanceof Uint8Array) this.#modules.put(tenant, digest, came);
    const key = moduleKey(tenant, digest);
    const waiting = this.#awaited.get(key) ?? [];
    this.#awaited.delete(key);
    for (const tell of waiting) tell(came);
  }

  async #serve({ id, tenant, work, spare }: Order, body: Uint8Array): Promise<void> {
    const digests = work.do === "pass" ? work.steps.map((step) => step.digest) : [work.digest];
    // Held from here on: while this waits for a sandbox, others may push it out of the cache.
    const modules = new Map<string, Uint8Array>();
    for (const digest of new Set(digests)) {
      const found = await this.#have(tenant, digest);
      if (!(found instanceof Uint8Array)) return this.#answer(id, unserved(found));
      modules.set(this.#keyOf(tenant, digest, work), found);
    }
    const lease = await this.#lease(tenant, [...modules.keys()], spare);
    if (lease === undefined) return this.#answer(id, unserved(BUSY));
    const { sandbox } = lease;
    if (!this.#closed) {
      for (const [module, bytes] of modules) if (!sandbox.loaded.has(module)) sandbox.load(module, bytes);
      const limits = work.do === "pass" ? work.limits : NO_STEP;
      const keyed = keyedWork(work, (digest) => this.#keyOf(tenant, digest, work));
      this.#answer(id, await sandbox.run(keyed, body, limits));
    }
    this.#pool.release(lease);
  }

  /** What a sandbox knows a module by: one that two tenants have is two, unless they share their processes. */
  #keyOf(tenant: string, digest: string, work: Work): string {
    const owner = this.#isolation === "shared" ? this.#modules.firstOf(tenant, digest) : tenant;
    return admittedKey(owner, digest, memoryPagesOf(work));
  }

  async #lease(tenant: string, modules: readonly string[], spare = false): Promise<Lease | undefined> {
    if (this.#closed) return undefined;
    return spare ? this.#pool.spare(tenant, modules) : this.#pool.acquire(tenant, modules);
  }

  /** A module's bytes, asked of the operator if they are not here; or why they cannot be had. */
  #have(tenant: string, digest: string): Promise<Uint8Array | Trouble> {
    const held = this.#modules.get(tenant, digest);
    if (held !== undefined) return Promise.resolve(held);
    const key = moduleKey(tenant, digest);
    return new Promise((resolve) => {
      const waiting = this.#awaited.get(key);
      this.#awaited.set(key, [...(waiting ?? []), resolve]);
      if (waiting === undefined) this.#output.write(encodeFrame({ need: { tenant, digest } }));
    });
  }

  #answer(id: number, { body, ...worked }: Worked): void {
    if (!this.#closed) this.#output.write(encodeFrame({ id, ...worked }, body));
  }
}

/** The work as a sandbox is asked it: a module that has two limits is two modules there. */
function keyedWork(work: Work, keyOf: (digest: string) => string): Work {
  if (work.do !== "pass") return { ...work, digest: keyOf(work.digest) };
  return {
    ...work,
    steps: work.steps.map(({ step, digest }) => ({ step, digest: keyOf(digest) })),
  };
}

const NOTHING = new Uint8Array();
const unserved = (fault: Trouble): Worked => ({
  answer: { fault, parts: [] },
  body: NOTHING,
  cpuMs: 0,
  used: { cpuMs: 0, wallMs: 0 },
});
const NO_STEP: StepLimits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
const GONE: Trouble = { code: "SandboxLost", message: "The operator ended", retry: true };
