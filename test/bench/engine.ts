import { readFileSync } from "node:fs";
import { viewOf } from "../../host/console/index.ts";
import { engineFor, startEngine } from "../../host/engine/index.ts";
import { iterate, type World } from "../../host/loop/index.ts";
import { parsePolicy, policyKey, type Policy } from "../../host/policy/index.ts";
import { simulate, SIMULATED_POLICY } from "../../host/simulator/index.ts";
import { openStore } from "../../host/store/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import { parse } from "yaml";
import { processes, rssMb } from "../engine/bed.ts";
import { answering, digestOf } from "../hostile/wat.ts";

export interface Row {
  readonly what: string;
  readonly figure: string;
}

const WARM_UP = 300;
const TIMES = 3_000;
const POLICIES = 2_000;
const limits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
const clock = { now: () => new Date() };

/** How fast steps and passes are over the process hop, and what they cost in memory. */
export async function benchEngine(threshold: string): Promise<Row[]> {
  const wasm = new Uint8Array(readFileSync(threshold));
  const echo = answering({ monitor: "{}", analyze: "{}", plan: '{"nodes":{}}' });
  const modules = new Map([wasm, echo].map((bytes) => [digestOf(bytes), bytes]));
  const engine = await startEngine({
    modules: async (_tenant, digest) => modules.get(digest) ?? new Uint8Array(),
  });
  const policy = simulatedPolicy();
  const { tenant } = policy;
  const texts = { topology: JSON.stringify("x".repeat(1_000)) };
  const steps = (names: readonly ("monitor" | "analyze" | "plan")[]) =>
    names.map((step) => ({ step, digest: digestOf(echo) }));

  const one = await timed(() => engine.pass({ tenant, steps: steps(["plan"]), texts, limits }));
  const three = await timed(() =>
    engine.pass({ tenant, steps: steps(["monitor", "analyze", "plan"]), texts, limits }),
  );
  const store = await openStore({ file: ":memory:", clock });
  const world: World = {
    clock,
    ...simulate({ clock }),
    store,
    engine: engineFor(engine, () => [{ step: "all", digest: digestOf(wasm) }]),
  };
  const whole = await timed(() => iterate(policy, world), 1_000);
  const perPolicy = await memoryPerPolicy(policy, world);
  const sizes = (program: string) => {
    const found = processes().filter((one) => one.program === program);
    return found.map(({ pid }) => rssMb(pid).toFixed(0)).join(", ");
  };
  const [supervisor, sandboxes] = [sizes("supervisor"), sizes("sandbox")];
  await store.close();
  await engine.close();
  return [
    { what: "a step of 1 KB over the process hop, p50 / p99", figure: `${ms(one.p50)} / ${ms(one.p99)}` },
    {
      what: "a pass of three steps of 1 KB over the process hop, p50 / p99",
      figure: `${ms(three.p50)} / ${ms(three.p99)}`,
    },
    { what: "the pass of three over the step, p50", figure: `${(three.p50 / one.p50).toFixed(2)} times` },
    { what: "steps a second, three a pass, one tenant", figure: (3_000 / three.mean).toFixed(0) },
    {
      what: "a whole pass of `threshold`, with knowledge, p50 / p99",
      figure: `${ms(whole.p50)} / ${ms(whole.p99)}`,
    },
    { what: "resident memory for each policy that has passed", figure: `${perPolicy.toFixed(0)} KB` },
    {
      what: "resident memory of the supervisor, and of each sandbox",
      figure: `${supervisor} MB, and ${sandboxes} MB`,
    },
  ];
}

function simulatedPolicy(): Policy {
  const parsed = parsePolicy(parse(readFileSync(SIMULATED_POLICY, "utf8")));
  if (!parsed.ok) throw parsed.fault;
  return parsed.value;
}

async function timed(work: () => Promise<unknown>, times = TIMES) {
  for (let warm = 0; warm < WARM_UP; warm += 1) await work();
  const took: number[] = [];
  for (let done = 0; done < times; done += 1) {
    const began = performance.now();
    await work();
    took.push(performance.now() - began);
  }
  const mean = took.reduce((all, single) => all + single, 0) / times;
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.floor(share * (times - 1))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), mean };
}

/** Each of many policies makes two passes, and what the operator keeps of them stays. */
async function memoryPerPolicy(policy: Policy, world: World): Promise<number> {
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const held: unknown[] = [];
  for (let at = 0; at < POLICIES; at += 1) {
    const own = structuredClone({
      ...policy,
      name: `p${at}`,
      key: policyKey(policy.namespace, `p${at}`),
      uid: `uid-${at}`,
    });
    for (let pass = 0; pass < 2; pass += 1) held[at] = { own, shown: viewOf(own, await iterate(own, world)) };
  }
  globalThis.gc?.();
  const grown = process.memoryUsage().rss - before;
  return held.length > 0 ? grown / POLICIES / 1_024 : 0;
}

const ms = (value: number) => `${value.toFixed(2)} ms`;
