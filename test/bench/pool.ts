import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { startEngine, type Isolation, type SandboxEngine } from "../../host/engine/index.ts";
import { STEPS, tenantKey } from "../../host/policy/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import { processes, rssMb, until } from "../engine/bed.ts";
import { answering, digestOf, doing, imported } from "../hostile/wat.ts";
import type { Row } from "./engine.ts";

const TENANTS = 500;
const POLICIES = 20;
const SANDBOXES = 8;
const BLANKS = 2;
/** Tenants that have passes due at the same time: more than there are processes, so that they have to rotate. */
const DUE_TOGETHER = 32;
const KILLS = 10;
const HEALTHY = 50;
const HOSTILE_MS = 8_000;
/** The monitor's own timer rings so often; what it reports includes that. */
const RESOLUTION_MS = 10;

const echo = answering({ monitor: "{}", analyze: "{}", plan: '{"nodes":{}}' });
const limits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
const texts = { topology: JSON.stringify("x".repeat(1_000)) };

/** What the pool costs: many tenants in few processes, a process that is lost, and guests that mean harm. */
export async function benchPool(): Promise<Row[]> {
  return [
    ...(await manyTenants("tenant")),
    ...(await manyTenants("shared")),
    ...(await afterAKill()),
    ...(await besideHostile()),
  ];
}

/** Engines over the modules of a bench, whichever tenant asks. */
function engineOver(
  given: readonly Uint8Array[],
  options: { sandboxes?: number; blanks?: number; isolation?: Isolation } = {},
): Promise<SandboxEngine> {
  const modules = new Map(given.map((bytes) => [digestOf(bytes), bytes] as const));
  return startEngine({
    ...options,
    modules: async (_tenant, digest) => modules.get(digest) ?? new Uint8Array(),
  });
}

const passOf = (engine: SandboxEngine, tenant: string, module = echo) =>
  engine.pass({
    tenant: tenantKey(tenant),
    steps: (module === echo ? STEPS : (["plan"] as const)).map((step) => ({
      step,
      digest: digestOf(module),
    })),
    texts,
    limits,
  });

/** All policies of 500 tenants pass once; those of a tenant come due together, as they do at one interval. */
async function manyTenants(isolation: Isolation): Promise<Row[]> {
  const engine = await engineOver([echo], { sandboxes: SANDBOXES, blanks: BLANKS, isolation });
  await passOf(engine, "warm");
  const peak = { supervisor: 0, sandboxes: 0, processes: 0 };
  const watch = setInterval(() => measure(peak), 500);
  const began = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < TENANTS) {
      const tenant = `tenant-${next++}`;
      await Promise.all(Array.from({ length: POLICIES }, () => passOf(engine, tenant)));
    }
  };
  await Promise.all(Array.from({ length: DUE_TOGETHER }, lane));
  const seconds = (performance.now() - began) / 1_000;
  clearInterval(watch);
  measure(peak);
  await engine.close();
  const passes = TENANTS * POLICIES;
  const what = `${TENANTS} tenants x ${POLICIES} policies, ${SANDBOXES} sandboxes, ${BLANKS} blanks, isolation ${isolation}`;
  return [
    {
      what: `${what}: passes/s`,
      figure: `${(passes / seconds).toFixed(0)} (a round takes ${seconds.toFixed(1)} s)`,
    },
    {
      what: "  a tenant's turn: its 20 passes, and its process if it has one of its own",
      figure: `${((seconds / TENANTS) * 1_000).toFixed(1)} ms`,
    },
    {
      what: "  most resident memory: supervisor, and all sandboxes",
      figure: `${peak.supervisor.toFixed(0)} MB, and ${peak.sandboxes.toFixed(0)} MB in ${peak.processes}`,
    },
  ];
}

function measure(peak: { supervisor: number; sandboxes: number; processes: number }): void {
  const sizes = processes().flatMap(({ pid, program }) => {
    try {
      return [{ program, mb: rssMb(pid) }];
    } catch {
      // It ended in between.
      return [];
    }
  });
  const of = (program: string) => sizes.filter((one) => one.program === program && !Number.isNaN(one.mb));
  const sum = (program: string) => of(program).reduce((all, { mb }) => all + mb, 0);
  if (sum("sandbox") > peak.sandboxes)
    Object.assign(peak, { sandboxes: sum("sandbox"), processes: of("sandbox").length });
  peak.supervisor = Math.max(peak.supervisor, sum("supervisor"));
}

/** From the kill of a tenant's process to the answer of its next pass, with a blank ready. */
async function afterAKill(): Promise<Row[]> {
  const engine = await engineOver([echo], { sandboxes: 1 });
  const took: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    await passOf(engine, "team-a").catch(() => undefined);
    // The blank that is to take over has been started long ago.
    await sleep(1_200);
    const serving = await oldest();
    const began = performance.now();
    process.kill(serving, "SIGKILL");
    // The pass that meets the dead process is lost with it.
    while (
      !(await passOf(engine, "team-a").then(
        () => true,
        () => false,
      ))
    );
    took.push(performance.now() - began);
  }
  await engine.close();
  took.sort((a, b) => a - b);
  return [
    {
      what: `from the kill of a sandbox to its tenant's next answer, p50 / longest of ${KILLS}`,
      figure: `${ms(took[Math.floor(KILLS / 2)])} / ${ms(took.at(-1))}`,
    },
  ];
}

/** The sandbox that serves: the oldest, since the blank was started when it was taken. */
async function oldest(): Promise<number> {
  const sandboxes = () => processes().filter(({ program }) => program === "sandbox");
  await until(() => sandboxes().length === 2);
  return Math.min(...sandboxes().map(({ pid }) => pid));
}

/** Guests that loop, grow, allocate, recurse and answer far too much, again and again. */
const HOSTILE = [
  doing("(loop $l (br $l))"),
  doing("(local $i i32) (loop $more (drop (memory.grow (i32.const 1))) (br $more))"),
  doing(
    "(loop $more (drop (call $alloc (i64.const 1048576))) (br $more))",
    imported("alloc", "(param i64) (result i64)"),
  ),
  doing("(drop (call $deep))", "", "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))"),
  answering({ plan: `{"nodes":{"x":"${"x".repeat(250_000)}"}}` }),
  new Uint8Array(Buffer.from("<!doctype html>")),
];

/** How late the operator's timers are while hostile algorithms run as fast as they can beside 50 healthy policies. */
async function besideHostile(): Promise<Row[]> {
  const engine = await engineOver([echo, ...HOSTILE], { isolation: "tenant" });
  const end = performance.now() + HOSTILE_MS;
  const tenants = Array.from({ length: 5 }, (_, at) => `healthy-${at}`);
  await Promise.all(tenants.map((tenant) => passOf(engine, tenant)));
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let [passed, failed, faults] = [0, 0, 0];
  const healthy = async (tenant: string) => {
    while (performance.now() < end) {
      await passOf(engine, tenant).then(
        () => (passed += 1),
        () => (failed += 1),
      );
      await sleep(100);
    }
  };
  const hostile = async (module: Uint8Array) => {
    while (performance.now() < end) await passOf(engine, "hostile", module).catch(() => (faults += 1));
  };
  delay.enable();
  await Promise.all([
    ...Array.from({ length: HEALTHY }, (_, at) => healthy(tenants[at % tenants.length] ?? "")),
    ...HOSTILE.map(hostile),
  ]);
  delay.disable();
  await engine.close();
  const late = (nanoseconds: number) => ms(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS));
  return [
    {
      what: "the operator's event loop is late beside hostile algorithms, p99 / most",
      figure: `${late(delay.percentile(99))} / ${late(delay.max)}`,
    },
    {
      what: "  passes of 50 healthy policies meanwhile, lost ones, and hostile faults",
      figure: `${passed}, ${failed}, ${faults}`,
    },
  ];
}

const ms = (value = 0) => `${value.toFixed(1)} ms`;
