import { spawn, type ChildProcess } from "node:child_process";
import { connect } from "node:net";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { asFault, Fault, type Problem } from "../fault/index.ts";
import type { Journal } from "../knowledge/index.ts";
import type { PassAnswers } from "../loop/index.ts";
import type { TenantKey } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";
import { readInspection, readProblems } from "./answer.ts";
import type { Perform } from "./effects.ts";
import { SupervisorEnded } from "./ended.ts";
import { encodeFrame, FrameReader, type Frame } from "./frame.ts";
import { recall, type Recorded } from "./journal.ts";
import {
  joinParts,
  splitParts,
  type Answer,
  type Inspection,
  type Order,
  type Parts,
  type StepLimits,
  type StepModule,
  type StretchUse,
  type Trouble,
  type Walls,
  type Work,
} from "./message.ts";
import { runRounds, type Question } from "./rounds.ts";

/** Whether tenants share processes. */
export type Isolation = "tenant" | "shared";

export interface EngineOptions {
  /** The bytes of a tenant's module. Throws a fault if they cannot be had. */
  readonly modules: (tenant: TenantKey, digest: string) => Promise<Uint8Array>;
  /** Sandbox processes at the same time. Default 8. */
  readonly sandboxes?: number;
  /** Processes that are kept started and unused besides. Default 1. */
  readonly blanks?: number;
  /** Whether a process serves one tenant for as long as it lives, which is the default, or any tenant. */
  readonly isolation?: Isolation;
  /** The socket of a supervisor that runs already, in another container; it was told the three itself. Without it one is started. */
  readonly socket?: string;
  /** Told which walls stand, whenever a supervisor has found out. */
  readonly onWalls?: (walls: Walls) => void;
}

/** A pass as the engine makes it: the steps in their order, and what they are shown, each as JSON text. */
export interface PassOrder {
  readonly tenant: TenantKey;
  readonly steps: readonly StepModule[];
  readonly texts: Readonly<Record<string, string>>;
  readonly limits: StepLimits;
  /** Runs only on what is to spare: `EngineBusy` at once where there is nothing, and also later, if others need it. */
  readonly spare?: boolean | undefined;
  /** Has the effects that steps ask for. Without it, asking for one ends the pass with `EffectDenied`. */
  readonly effects?: Perform | undefined;
}

/** Runs algorithms in sandbox processes. Every method throws a `Fault` and nothing else. */
export interface SandboxEngine {
  /** All steps of a pass in one round trip, and in one more for every effect. */
  pass(order: PassOrder): Promise<PassAnswers>;
  /** Runs a pass again as it was, with nothing asked of the world. `Nondeterministic` if it asks for something else. */
  replay(order: Omit<PassOrder, "effects">, recorded: Recorded): Promise<PassAnswers>;
  /** What a module says of itself; `ArtifactInvalid` if it is no algorithm. */
  inspect(module: LookedAt): Promise<Inspection>;
  /** What is wrong with a config (JSON text) by the schema inside the module. */
  checkConfig(module: LookedAt & { readonly config: string }): Promise<readonly Problem[]>;
  /** Ends the supervisor and every sandbox. */
  close(): Promise<void>;
}

/** A tenant's module, under the limits that it is to run under. */
export interface LookedAt {
  readonly tenant: TenantKey;
  readonly digest: string;
  /** Default 256, of 64 KiB. */
  readonly memoryPages?: number;
  /** Only on what is to spare. */
  readonly spare?: boolean;
}

/** Starts a supervisor, or connects to one, and returns the engine. A supervisor that ends is started again. */
export function startEngine(options: EngineOptions): Promise<SandboxEngine> {
  // Node opens a debugger on this signal, and a sandbox of the same user can send it: with a listener it does not.
  if (process.listenerCount("SIGUSR1") === 0) process.on("SIGUSR1", () => undefined);
  const link = new Link(options);
  const ask = async (tenant: TenantKey, work: Work, body?: Uint8Array, spare?: boolean) => {
    const { parts, body: said, ...rest } = await link.ask({ tenant, work, spare }, body);
    // Of a pass there is more to say than why it ended; of other work there is not.
    if (rest.fault !== undefined && work.do !== "pass") throw rest.fault;
    return { texts: splitParts(parts, said), ...rest };
  };
  const run = (order: PassOrder, recorded?: Journal): Promise<PassAnswers> => {
    const once = ({ texts, ...question }: Question) => {
      const { parts, body } = joinParts(texts);
      return ask(order.tenant, { do: "pass", ...question, parts }, body, order.spare);
    };
    return runRounds({ ...order, recorded }, once);
  };
  return Promise.resolve({
    pass: (order) => run(order),
    replay: async ({ tenant, steps, texts, limits }, recorded) =>
      run({ tenant, steps, texts, limits }, recall(recorded)),
    async inspect({ tenant, digest, memoryPages, spare }) {
      const asked = await ask(tenant, { do: "inspect", digest, memoryPages }, undefined, spare);
      return readInspection(asked.texts["inspection"]);
    },
    async checkConfig({ tenant, digest, memoryPages, spare, config }) {
      const { parts, body } = joinParts({ config });
      const asked = await ask(tenant, { do: "config", digest, memoryPages, parts }, body, spare);
      return readProblems(asked.texts["problems"]);
    },
    close: () => link.close(),
  } satisfies SandboxEngine);
}

interface Reply {
  readonly parts: Parts;
  readonly suspended: boolean;
  /** Why the work ended early; the parts are those until then. */
  readonly fault: Fault | undefined;
  readonly body: Uint8Array;
  readonly cpuMs: number;
  readonly used: StretchUse;
}
/** What the supervisor says of a piece of work. */
interface Heard {
  readonly id: number;
  readonly answer: Answer;
  readonly cpuMs: number;
  readonly used: StretchUse;
}
interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (fault: Fault) => void;
}
interface Wire {
  readonly output: Writable;
  readonly end: () => Promise<void>;
}

// The same signal opens no debugger here either.
const OPTIONS = ["--no-warnings", "--disable-sigusr1"];
const PROGRAM = fileURLToPath(new URL("./supervisor/main.ts", import.meta.url));

/** The connection to a supervisor, and the work that it has not answered yet. */
class Link {
  readonly #options: EngineOptions;
  readonly #pending = new Map<number, Pending>();
  #wire: Wire | undefined;
  #last = 0;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#wire = this.#open();
  }

  ask(asked: Omit<Order, "id">, body?: Uint8Array): Promise<Reply> {
    if (this.#closed) return Promise.reject(new Fault("SandboxLost", "The engine is closed"));
    this.#wire ??= this.#open();
    const { output } = this.#wire;
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      try {
        output.write(encodeFrame({ id, ...asked } satisfies Order, body));
      } catch (thrown) {
        this.#pending.delete(id);
        reject(new Fault("InputTooLarge", `The input of a pass is too long: ${asFault(thrown).message}`));
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#wire?.end();
  }

  #open(): Wire {
    const { socket, sandboxes = 8, blanks = 1, isolation = "tenant" } = this.#options;
    if (socket !== undefined) {
      const stream = connect(socket);
      this.#listen(stream, stream);
      return { output: stream, end: async () => void stream.destroy() };
    }
    // A token-less process: no environment, and no argument but how many and for whom.
    const told = { sandboxes, blanks, isolation };
    const flags = Object.entries(told).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const child = spawn(process.execPath, [...OPTIONS, PROGRAM, ...flags], {
      env: {},
      cwd: "/",
      stdio: ["pipe", "pipe", "inherit"],
      // Ctrl-C is for the operator, which ends its supervisor when it has ended its work.
      detached: true,
    });
    const { stdin, stdout } = piped(child);
    this.#listen(stdout, stdin);
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    // A sandbox in an endless loop does not notice that its supervisor died: the whole group goes with it.
    child.on("exit", () => endGroup(child.pid));
    child.on("error", () => this.#lost(child.stdin));
    return {
      output: stdin,
      end: () => {
        stdin.end();
        return ended;
      },
    };
  }

  #listen(input: Readable, output: Writable): void {
    const reader = new FrameReader();
    const lost = () => this.#lost(output);
    input.on("data", (piece: Buffer) => {
      try {
        for (const frame of reader.take(piece)) this.#hear(frame, output);
      } catch {
        output.destroy();
        lost();
      }
    });
    input.on("close", lost);
    input.on("error", lost);
    output.on("error", lost);
  }

  #hear({ header, body }: Frame, output: Writable): void {
    if ("need" in header)
      return void this.#give(header["need"] as { tenant: TenantKey; digest: string }, output);
    if ("walls" in header) return this.#options.onWalls?.(header["walls"] as Walls);
    const { id, answer, cpuMs, used } = header as unknown as Heard;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending === undefined || "started" in answer) return;
    const suspended = "suspended" in answer;
    const fault = "fault" in answer ? faultOf(answer.fault) : undefined;
    const parts = suspended ? answer.suspended : "fault" in answer ? answer.parts : answer.done;
    // The frame is a view of what arrived: it is copied out before the next piece comes.
    pending.resolve({ parts, suspended, fault, body: Buffer.from(body), cpuMs, used });
  }

  async #give({ tenant, digest }: { tenant: TenantKey; digest: string }, output: Writable): Promise<void> {
    try {
      const bytes = await this.#options.modules(tenant, digest);
      // The sandbox would say the same, after megabytes had been copied from one process to the next.
      if (bytes.length > LIMITS.moduleBytes) throw tooLong(bytes.length);
      output.write(encodeFrame({ module: { tenant, digest } }, bytes));
    } catch (thrown) {
      const { code, message, retry } = asFault(thrown);
      output.write(encodeFrame({ module: { tenant, digest, fault: { code, message, retry } } }));
    }
  }

  /** The supervisor behind this wire is gone, or never came. */
  #lost(output: Writable | null): void {
    if (this.#wire === undefined || this.#wire.output !== output) return;
    this.#wire = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    const ended = "The supervisor of the sandboxes ended";
    for (const { reject } of pending)
      reject(new Fault("SandboxLost", ended, { retry: true, cause: new SupervisorEnded(ended) }));
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left of it, which is what is wanted.
  }
}

function piped({ stdin, stdout }: ChildProcess): { stdin: Writable; stdout: Readable } {
  if (stdin === null || stdout === null)
    throw new Fault("SandboxLost", "The supervisor could not be started", { retry: true });
  return { stdin, stdout };
}

const tooLong = (bytes: number) =>
  new Fault(
    "ArtifactInvalid",
    `The module cannot be used: it has ${bytes} bytes, more than ${LIMITS.moduleBytes}`,
  );
const faultOf = ({ code, message, retry }: Trouble) => new Fault(code, message, { retry: retry ?? false });
