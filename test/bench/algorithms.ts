// What each algorithm takes for an application of a hundred nodes, in the sandbox.
import { readFile } from "node:fs/promises";
import type { StepInput } from "../../host/contract/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import type { BuiltAlgorithm } from "../../launcher/build/algorithms.ts";
import { bed, type Bed } from "../engine/bed.ts";
import { FlinkJob, many, type Passed } from "../flink-job.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "../step-input.ts";
import type { Row } from "./engine.ts";

const NODES = 100;
const PASSES = 60;
const HISTORY = 20;
const names = Array.from({ length: NODES }, (_, at) => `operator-${at}`);
const of = (value: number) => valuesOf(...names.map((name) => sampleOf(name, value)));
const topology = {
  nodes: names.map((name) => nodeOf(name, 4)),
  edges: names.slice(1).map((to, at) => ({ from: `operator-${at}`, to })),
};

type Given = Partial<StepInput>;
const history = Array.from({ length: HISTORY }, (_, at) => ({
  at: new Date(Date.parse("2026-11-22T10:00:00.000Z") - (at + 1) * 60_000).toISOString(),
  nodes: {},
  sources: { rates: of(400 - at) },
}));
const pods = (value: number) => ({
  ...of(0),
  series: names.flatMap((name) =>
    Array.from({ length: 4 }, (_, pod) => ({
      ...sampleOf(name, value),
      labels: { pod: `${name}-${pod}`, container: "main" },
    })),
  ),
});

/** What each is given; flink-autoscaler, whose window is in what it carries, has a job of its own. */
const GIVEN: Readonly<Record<string, Given>> = {
  threshold: { sources: { rates: of(420) }, config: { targetPerInstance: 100 } },
  hpa: {
    sources: { cpu: pods(0.6) },
    config: { metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageValue: "500m" } } }] },
  },
  keda: {
    sources: { queue: of(42) },
    config: { triggers: [{ type: "prometheus", source: "queue", threshold: 5 }] },
  },
  ds2: {
    sources: {
      "true-processing": of(400),
      "true-output": of(400),
      arrivals: valuesOf(sampleOf("operator-0", 1_000)),
    },
    config: { fitted: true },
  },
  "topology-planner": { sources: { wanted: of(10) }, config: { source: "wanted", budget: 650 } },
  "holt-winters": { sources: { rates: of(400) }, history, config: { targetPerInstance: 100 } },
  linear: { sources: { rates: of(400) }, history, config: { targetPerInstance: 100 } },
  queueing: { sources: { rates: of(400) }, config: { serviceSeconds: 0.01, latencySeconds: 0.05 } },
  toggle: { sources: {}, config: { numReplicasByState: [4, 2] } },
};

/** A row an algorithm: fuel of its dearest step, and the time of a whole pass. */
export async function benchAlgorithms(built: readonly BuiltAlgorithm[]): Promise<Row[]> {
  await using engine = await bed();
  const rows: Row[] = [];
  for (const { name, file } of built) {
    const wasm = new Uint8Array(await readFile(file));
    const measured =
      name === "flink-autoscaler" ? await flink(engine, wasm) : await usual(engine, wasm, name);
    const limit = LIMITS.fuelPerCpuMs * LIMITS.cpuMs;
    const fuel = `${(measured.fuel / 1e6).toFixed(1)} M of ${limit / 1e6} M`;
    rows.push({
      what: `${name}: a pass over ${NODES} nodes, p50; fuel of its dearest step; module`,
      figure: `${measured.ms.toFixed(1)} ms; ${fuel}; ${(wasm.length / 1_024).toFixed(0)} KB`,
    });
  }
  return rows;
}

interface Measured {
  readonly ms: number;
  readonly fuel: number;
}

const stepsOf = (wasm: Uint8Array) => {
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(new Uint8Array(wasm)));
  const steps = (["monitor", "analyze", "plan"] as const).filter((step) =>
    exported.some(({ name }) => name === step),
  );
  return Object.fromEntries(steps.map((step) => [step, wasm]));
};

async function usual(engine: Bed, wasm: Uint8Array, name: string): Promise<Measured> {
  const given = GIVEN[name];
  if (given === undefined) throw new Error(`there is no input for ${name}`);
  const input = inputOf({ topology, history: [], ...given });
  const { api: _api, step: _step, ...seen } = input;
  const texts = Object.fromEntries(
    Object.entries(seen).map(([field, value]) => [field, JSON.stringify(value)]),
  );
  return passes(async () => (await engine.run(stepsOf(wasm), { texts })).fuel);
}

async function flink(engine: Bed, wasm: Uint8Array): Promise<Measured> {
  let fuel: Partial<Record<string, number>> = {};
  const run = async ({ api: _api, step: _step, ...seen }: StepInput): Promise<Passed> => {
    const texts = Object.fromEntries(
      Object.entries(seen).map(([field, value]) => [field, JSON.stringify(value)]),
    );
    const passed = await engine.run(stepsOf(wasm), { texts });
    ({ fuel } = passed);
    const { nodes } = JSON.parse(passed.answers.plan ?? "") as Passed;
    return {
      nodes,
      carry: JSON.parse(passed.carry ?? "null") as Passed["carry"],
      logs: [],
      analyzed: undefined,
    };
  };
  const job = new FlinkJob(run, many(NODES), { "stabilization.interval": "0 s", "metrics.window": "5 min" });
  const doing = Object.fromEntries(
    many(NODES).nodes.map(({ name }) => [name, { read: 12_345.6, written: 12_345.6, busy: 1, lagging: 10 }]),
  );
  return passes(async () => {
    await job.pass(30, doing);
    return fuel;
  });
}

/** The median of many passes, the first of which compile. */
async function passes(pass: () => Promise<Partial<Record<string, number>>>): Promise<Measured> {
  const times: number[] = [];
  let fuel = 0;
  for (let at = 0; at < PASSES; at += 1) {
    const began = performance.now();
    const burned = await pass();
    times.push(performance.now() - began);
    fuel = Math.max(fuel, ...Object.values(burned).map((one) => one ?? 0));
  }
  times.sort((one, other) => one - other);
  return { ms: times[PASSES >> 1] ?? 0, fuel };
}
