import { readdirSync, readFileSync } from "node:fs";
import {
  startEngine,
  type EngineOptions,
  type PassOrder,
  type Perform,
  type SandboxEngine,
} from "../../host/engine/index.ts";
import type { PassAnswers } from "../../host/loop/index.ts";
import { tenantKey, type Step } from "../../host/policy/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import { digestOf } from "../hostile/wat.ts";

/** An engine over modules that a test makes as it goes. */
export interface Bed extends AsyncDisposable {
  readonly engine: SandboxEngine;
  /** Makes the modules known and runs them, each as the step that it is named by. */
  run(modules: Partial<Record<Step, Uint8Array>>, options?: RunOptions): Promise<PassAnswers>;
  /** The same pass as an order, for what else an engine does with one. */
  order(modules: Partial<Record<Step, Uint8Array>>, options?: RunOptions): PassOrder;
  inspect(module: Uint8Array, tenant?: string): ReturnType<SandboxEngine["inspect"]>;
  /** Adds a module and returns its digest. */
  add(module: Uint8Array): string;
}
export interface RunOptions {
  readonly tenant?: string;
  readonly texts?: Readonly<Record<string, string>>;
  readonly cpuMs?: number;
  readonly wallMs?: number;
  readonly fuel?: number;
  readonly memoryPages?: number;
  readonly effects?: Perform;
}

export async function bed(
  sandboxes = 8,
  options: Partial<Omit<EngineOptions, "modules">> = {},
): Promise<Bed> {
  const modules = new Map<string, Uint8Array>();
  // Before it is known which walls stand, the supervisor's own trials are among the processes.
  const known = Promise.withResolvers<unknown>();
  const engine = await startEngine({
    sandboxes,
    ...options,
    modules: async (_tenant, digest) => modules.get(digest) ?? Promise.reject(new Error(`no ${digest}`)),
    onWalls: known.resolve,
  });
  await known.promise;
  const add = (module: Uint8Array) => {
    modules.set(digestOf(module), module);
    return digestOf(module);
  };
  const order: Bed["order"] = (
    given,
    { tenant = "team-a", texts = {}, cpuMs = LIMITS.cpuMs, wallMs, fuel, memoryPages, effects } = {},
  ) => {
    const steps = (["monitor", "analyze", "plan"] as const).flatMap((step) => {
      const module = given[step];
      return module === undefined ? [] : [{ step, digest: add(module) }];
    });
    const walls = wallMs === undefined ? LIMITS.wallMs : { monitor: wallMs, analyze: wallMs, plan: wallMs };
    return {
      tenant: tenantKey(tenant),
      steps,
      texts,
      limits: {
        cpuMs,
        wallMs: walls,
        ...(fuel === undefined ? {} : { fuel }),
        ...(memoryPages === undefined ? {} : { memoryPages }),
      },
      effects,
    };
  };
  return {
    engine,
    add,
    order,
    run: (given, options) => engine.pass(order(given, options)),
    inspect: (module, tenant = "team-a") =>
      engine.inspect({ tenant: tenantKey(tenant), digest: add(module) }),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

/** Whether a process is on a processor, or waits for nothing but one. */
export function isRunning(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("R");
}

export interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly program: "supervisor" | "sandbox";
}

/** The engine's processes that are below this one now. */
export function processes(below = process.pid): Running[] {
  const all = readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "latin1");
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      const program = /host\/engine\/(supervisor|sandbox)\/main\.ts/.exec(command)?.[1];
      return program === undefined
        ? []
        : [{ pid: Number(name), parent, program: program as Running["program"] }];
    } catch {
      return [];
    }
  });
  const supervisors = all.filter((one) => one.program === "supervisor" && one.parent === below);
  const sandboxes = all.filter((one) => supervisors.some((supervisor) => supervisor.pid === one.parent));
  return [...supervisors, ...sandboxes];
}

/** Whether a process runs, or at least has not been collected; a zombie does not count. */
export function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

export const rssMb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1_024;

/** Waits until something holds; a process needs a moment to end. */
export async function until(holds: () => boolean, timeoutMs = 5_000): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (!holds() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  return holds();
}
