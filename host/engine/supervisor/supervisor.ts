import type { Readable, Writable } from "node:stream";
import { LIMITS } from "../../tenant/index.ts";
import { encodeFrame, FrameReader, type Frame } from "../frame.ts";
import type { StepLimits, Trouble, Work } from "../message.ts";
import { Modules } from "./modules.ts";
import { Pool, type PoolLimits } from "./pool.ts";
import type { Worked } from "./sandbox.ts";

/** What the operator asks: a piece of work for a tenant, under a number that the answer carries. */
interface Order {
  readonly id: number;
  readonly tenant: string;
  readonly work: Work;
}

/** Serves one operator over a pair of streams until its end closes. */
export class Supervisor {
  readonly #pool: Pool;
  readonly #modules = new Modules();
  readonly #output: Writable;
  /** Modules that were asked for and have not come yet. */
  readonly #awaited = new Map<string, ((came: Uint8Array | Trouble) => void)[]>();

  constructor(input: Readable, output: Writable, limits: PoolLimits) {
    this.#pool = new Pool(limits);
    this.#output = output;
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

  close(): Promise<void> {
    return this.#pool.close();
  }

  #hear({ header, body }: Frame): void {
    const { module } = header as { module?: { tenant: string; digest: string; fault?: Trouble } };
    if (module === undefined) return void this.#serve(header as unknown as Order, body);
    const { tenant, digest, fault } = module;
    const came = fault ?? Buffer.from(body);
    if (came instanceof Uint8Array) this.#modules.put(tenant, digest, came);
    const key = `${tenant} ${digest}`;
    const waiting = this.#awaited.get(key) ?? [];
    this.#awaited.delete(key);
    for (const tell of waiting) tell(came);
  }

  async #serve({ id, tenant, work }: Order, body: Uint8Array): Promise<void> {
    const digests = work.do === "pass" ? work.steps.map((step) => step.digest) : [work.digest];
    // Held from here on: while this waits for a sandbox, others may push it out of the cache.
    const modules = new Map<string, Uint8Array>();
    for (const digest of new Set(digests)) {
      const found = await this.#have(tenant, digest);
      if (!(found instanceof Uint8Array)) return this.#answer(id, unserved(found));
      modules.set(digest, found);
    }
    const sandbox = await this.#pool.acquire(tenant);
    if (sandbox === undefined) return this.#answer(id, unserved(BUSY));
    for (const [digest, bytes] of modules) if (!sandbox.loaded.has(digest)) sandbox.load(digest, bytes);
    this.#answer(id, await sandbox.run(work, body, work.do === "pass" ? work.limits : NO_STEP));
    this.#pool.release(tenant, sandbox);
  }

  /** A module's bytes, asked of the operator if they are not here; or why they cannot be had. */
  #have(tenant: string, digest: string): Promise<Uint8Array | Trouble> {
    const held = this.#modules.get(tenant, digest);
    if (held !== undefined) return Promise.resolve(held);
    const key = `${tenant} ${digest}`;
    return new Promise((resolve) => {
      const waiting = this.#awaited.get(key);
      this.#awaited.set(key, [...(waiting ?? []), resolve]);
      if (waiting === undefined) this.#output.write(encodeFrame({ need: { tenant, digest } }));
    });
  }

  #answer(id: number, { body, ...worked }: Worked): void {
    this.#output.write(encodeFrame({ id, ...worked }, body));
  }
}

const NOTHING = new Uint8Array();
const unserved = (fault: Trouble): Worked => ({
  answer: { fault },
  body: NOTHING,
  cpuMs: 0,
  used: { cpuMs: 0, wallMs: 0 },
});
const NO_STEP: StepLimits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
const BUSY: Trouble = { code: "EngineBusy", message: "No sandbox was free in time", retry: true };
