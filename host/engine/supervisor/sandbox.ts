import type { ChildProcess } from "node:child_process";
import { LIMITS } from "../../tenant/index.ts";
import { encodeFrame, FrameReader, type Frame } from "../frame.ts";
import {
  readAnswer,
  type Ended,
  type StepLimits,
  type Stretch,
  type StretchUse,
  type Trouble,
  type Work,
} from "../message.ts";
import { CpuClock } from "./cpu.ts";
import { startSandbox, type Way } from "./walls.ts";

/** What came of a piece of work, and the processor time that it took. */
export interface Worked {
  readonly answer: Ended;
  readonly body: Uint8Array;
  readonly cpuMs: number;
  /** What of it the last stretch has used. */
  readonly used: StretchUse;
}

/** A start takes 0.2 s on an idle machine and seconds on a full one. */
const START_MS = 20_000;
/** Every step's wall time and every module's compile time together are less. */
const PASS_MS = 30_000;
const STDERR_CHARACTERS = 2_048;

interface Job {
  readonly work: Work;
  readonly limits: StepLimits;
  readonly resolve: (worked: Worked) => void;
  readonly cpuAtStart: number;
}

/** One sandbox process. It does one piece of work at a time. */
export class Sandbox {
  readonly ready: Promise<boolean>;
  readonly ended: Promise<void>;
  /** Modules that were sent to it. */
  readonly loaded = new Set<string>();
  loadedBytes = 0;
  /** Modules that it has run, or tried to. */
  readonly #compiled = new Set<string>();
  passes = 0;
  idleSinceMs = performance.now();
  readonly #child: ChildProcess;
  readonly #cpu: CpuClock;
  #job: Job | undefined;
  /** The main thread's clock when the last work ended. It has only waited since, so that it need not be looked at again. */
  #cpuMs: number | undefined;
  #trouble: Trouble | undefined;
  /** The clocks when the last stretch began. */
  #stretch: StretchUse = { cpuMs: 0, wallMs: 0 };
  #alarm: NodeJS.Timeout | undefined;
  #last: NodeJS.Timeout | undefined;
  #alive = true;
  #complaint = "";
  #isReady: (ready: boolean) => void = () => undefined;

  constructor(way: Way) {
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
    this.#child = startSandbox(way);
    this.#cpu = new CpuClock(this.pid);
    const reader = new FrameReader();
    this.#child.stdout?.on("data", (piece: Buffer) => this.#take(reader, piece));
    this.#child.stderr
      ?.setEncoding("utf8")
      .on("data", (text: string) => (this.#complaint = (this.#complaint + text).slice(-STDERR_CHARACTERS)));
    this.#child.stdin?.on("error", () => undefined);
    this.#alarm = setTimeout(() => this.kill(), START_MS);
    this.ended = new Promise((resolve) => {
      this.#child.on("error", () => this.#end(resolve));
      this.#child.on("close", () => this.#end(resolve));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }
  get alive(): boolean {
    return this.#alive;
  }
  get busy(): boolean {
    return this.#job !== undefined;
  }

  /** Processor time that all its threads have used so far. */
  processMs(): number {
    return this.#cpu.processMs();
  }

  /** Gives it a module to keep. */
  load(module: string, bytes: Uint8Array): void {
    this.loaded.add(module);
    this.loadedBytes += bytes.length;
    this.#send({ module }, bytes);
  }

  /** Does a piece of work; always answers, with a fault if the process does not live to. */
  run(work: Work, body: Uint8Array, limits: StepLimits): Promise<Worked> {
    return new Promise((resolve) => {
      this.#job = { work, limits, resolve, cpuAtStart: this.#cpuMs ?? this.#cpu.mainMs() };
      this.passes += 1;
      if (!this.#alive)
        return this.#finish({ fault: lost("it ended before it was asked"), parts: [] }, NOTHING);
      this.#send({ work }, body);
      // A module that it has run before is not compiled again: the steps begin at once.
      if (digestsOf(work).some((one) => !this.#compiled.has(one)))
        this.#watch(LIMITS.compileMs, undefined, "the sandbox");
      else this.#watchSteps(this.#job.cpuAtStart);
      // However often a sandbox says that something begins.
      this.#last = setTimeout(() => this.#overran(`the pass was still running after ${PASS_MS} ms`), PASS_MS);
    });
  }

  /** Ends it at once, because what it does may be given up. */
  giveWay(): void {
    this.#trouble = BUSY;
    this.kill();
  }

  /** Ends it at once, whatever it is doing. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #send(header: object, body: Uint8Array): void {
    this.#child.stdin?.write(encodeFrame(header, body));
  }

  #take(reader: FrameReader, piece: Buffer): void {
    try {
      for (const frame of reader.take(piece)) this.#hear(frame);
    } catch {
      // What does not keep to the protocol has been taken over.
      this.kill();
    }
  }

  #hear({ header, body }: Frame): void {
    if (header["ready"] === true) {
      clearTimeout(this.#alarm);
      this.#isReady(true);
      return;
    }
    const answer = readAnswer(header, body);
    // Nobody asked: what speaks by itself keeps the supervisor busy.
    if (this.#job === undefined) throw new TypeError("a sandbox answered without a question");
    if ("started" in answer) this.#started(answer.started);
    else this.#finish(answer, body);
  }

  /** The clocks of the steps begin when everything is compiled, and not when it was asked. */
  #started(stretch: Stretch): void {
    if (stretch === "steps") this.#watchSteps();
    else this.#watch(LIMITS.compileMs, undefined, stretch);
  }

  /**
   * Watches the steps of a pass as one: each may take what it is limited to, and all of them the sum. That a step keeps to
   * its own share is for its fuel; what a message for each would cost is more than most steps do.
   */
  #watchSteps(cpuStart = this.#cpu.mainMs()): void {
    const { work, limits } = this.#job ?? {};
    if (work?.do !== "pass" || limits === undefined) return;
    const names = work.steps.map(({ step }) => step);
    const each = names.map((step) =>
      limits.left?.step === step ? limits.left : { wallMs: limits.wallMs[step], cpuMs: limits.cpuMs },
    );
    const wallMs = each.reduce((all, one) => all + one.wallMs, 0);
    const cpuMs = each.reduce((all, one) => all + one.cpuMs, 0);
    this.#watch(wallMs, cpuMs, names.join(", "), cpuStart);
  }

  #watch(wallMs: number, cpuLimitMs: number | undefined, what: string, cpuStart = 0): void {
    clearTimeout(this.#alarm);
    const startedMs = performance.now();
    this.#stretch = { wallMs: startedMs, cpuMs: cpuStart };
    const look = () => {
      const wall = performance.now() - startedMs;
      const cpu = cpuLimitMs === undefined ? 0 : this.#cpu.mainMs() - cpuStart;
      const overCpu = cpuLimitMs !== undefined && cpu >= cpuLimitMs;
      if (overCpu)
        return this.#overran(
          `${what} used ${Math.round(cpu)} ms of processor time, and may use ${cpuLimitMs} ms`,
        );
      if (wall >= wallMs)
        return this.#overran(
          `${what} was still running after ${Math.round(wall)} ms, and may take ${wallMs} ms`,
        );
      const left = Math.min(wallMs - wall, cpuLimitMs === undefined ? Infinity : cpuLimitMs - cpu);
      this.#alarm = setTimeout(look, Math.max(LOOK_MS, left));
    };
    this.#alarm = setTimeout(look, Math.max(LOOK_MS, Math.min(wallMs, cpuLimitMs ?? Infinity)));
  }

  #overran(message: string): void {
    this.#trouble = { code: "DeadlineExceeded", message };
    this.kill();
  }

  #finish(answer: Ended, body: Uint8Array): void {
    clearTimeout(this.#alarm);
    clearTimeout(this.#last);
    const job = this.#job;
    this.#job = undefined;
    this.idleSinceMs = performance.now();
    if (job === undefined) return;
    if (this.#alive) for (const digest of digestsOf(job.work)) this.#compiled.add(digest);
    const now = this.#cpu.mainMs();
    this.#cpuMs = now;
    const used = {
      cpuMs: now - this.#stretch.cpuMs,
      wallMs: performance.now() - this.#stretch.wallMs,
    };
    job.resolve({ answer, body, cpuMs: now - job.cpuAtStart, used });
  }

  #end(resolve: () => void): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#isReady(false);
    const memory = /out of memory|Allocation failed/i.test(this.#complaint);
    const why = memory
      ? { code: "MemoryExceeded" as const, message: "the sandbox ran out of memory" }
      : lost(`it ended by itself (${this.#child.signalCode ?? this.#child.exitCode ?? "not started"})`);
    this.#finish({ fault: this.#trouble ?? why, parts: [] }, NOTHING);
    this.#cpu.close();
    resolve();
  }
}

const digestsOf = (work: Work): string[] =>
  work.do === "pass" ? work.steps.map(({ digest }) => digest) : [work.digest];
/** Between two looks at a process: the kernel itself counts no more often while one runs. */
const LOOK_MS = 10;
const NOTHING = new Uint8Array();
export const BUSY: Trouble = { code: "EngineBusy", message: "No sandbox was free in time", retry: true };
const lost = (how: string): Trouble => ({
  code: "SandboxLost",
  message: `The sandbox was lost: ${how}`,
  retry: true,
});
