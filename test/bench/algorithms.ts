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
/** By then windows of five minutes are full. */
const WARM_PASSES = 12;
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

/** What an algorithm takes for a pass over a hundred nodes. */
export interface Figures {
  readonly name: string;
  /** Fuel of its dearest step: the same on every machine. */
  readonly fuel: number;
  /** The least memory that it runs in, in pages of 64 KiB: the same on every machine. */
  readonly pages: number;
  readonly moduleBytes: number;
  /** The median of whole passes. */
  readonly ms: number;
}

/** Measures every algorithm; so many passes of each make the median. */
export async function measureAlgorithms(
  built: readonly BuiltAlgorithm[],
  passes = PASSES,
): Promise<readonly Figures[]> {
  await using engine = await bed();
  const found: Figures[] = [];
  for (const { name, file } of built) {
    const wasm = new Uint8Array(await readFile(file));
    const run = (memoryPages?: number): Run =>
      name === "flink-autoscaler" ? flink(engine, wasm, memoryPages) : usual(engine, wasm, name, memoryPages);
    const measured = await medianOf(run(), passes);
    found.push({ name, ...measured, pages: await leastPages(run), moduleBytes: wasm.length });
  }
  return found;
}

/** A row an algorithm. */
export const rowsOf = (measured: readonly Figures[]): Row[] =>
  measured.map(({ name, ms, fuel, pages, moduleBytes }) => ({
    what: `${name}: a pass over ${NODES} nodes, p50; fuel of its dearest step; memory; module`,
    figure: `${ms.toFixed(1)} ms; ${millions(fuel)} of ${millions(FUEL)}; ${pages} pages; ${(moduleBytes / 1_024).toFixed(0)} KB`,
  }));

const FUEL = LIMITS.fuelPerCpuMs * LIMITS.cpuMs;
const millions = (fuel: number) => `${(fuel / 1e6).toFixed(1)} M`;

const [BEGIN, END] = ["<!-- figures: npm run bench -- algorithms --write -->", "<!-- /figures -->"];

/** A text with the table of an algorithm's figures in its place. Throws if it has no such place. */
export function withFigures(readme: string, { ms, fuel, pages, moduleBytes }: Figures): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no ${BEGIN} … ${END}`);
  const columns = [
    ["fuel of the dearest step", `${millions(fuel)} of ${millions(FUEL)}`],
    ["memory", `${pages} of ${LIMITS.memoryPages} pages`],
    ["module", `${(moduleBytes / 1_024).toFixed(0)} KB`],
    ["p50 of the pass", `${ms.toFixed(1)} ms`],
  ] as const;
  const widths = columns.map(([title, value]) => Math.max(title.length, value.length));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const table = [
    line(columns.map(([title]) => title)),
    line(widths.map((width) => "-".repeat(width))),
    line(columns.map(([, value]) => value)),
  ].join("\n");
  return `${readme.slice(0, from + BEGIN.length)}\n\n${table}\n\n${readme.slice(to)}`;
}

/** Runs a pass and says what each of its steps burned. */
type Run = () => Promise<Partial<Record<string, number>>>;

/** The least memory that a pass does not fail in, by halving. */
async function leastPages(run: (memoryPages: number) => Run): Promise<number> {
  let little = 0;
  let enough: number = LIMITS.memoryPages;
  while (enough - little > 1) {
    const pages = (little + enough) >> 1;
    const isEnough = await medianOf(run(pages), WARM_PASSES).then(
      () => true,
      () => false,
    );
    if (isEnough) enough = pages;
    else little = pages;
  }
  return enough;
}

const stepsOf = (wasm: Uint8Array) => {
  const exported = WebAssembly.Module.exports(new WebAssembly.Module(new Uint8Array(wasm)));
  const steps = (["monitor", "analyze", "plan"] as const).filter((step) =>
    exported.some(({ name }) => name === step),
  );
  return Object.fromEntries(steps.map((step) => [step, wasm]));
};

function usual(engine: Bed, wasm: Uint8Array, name: string, memoryPages: number | undefined): Run {
  const given = GIVEN[name];
  if (given === undefined) throw new Error(`there is no input for ${name}`);
  const input = inputOf({ topology, history: [], ...given });
  const { api: _api, step: _step, ...seen } = input;
  const texts = Object.fromEntries(
    Object.entries(seen).map(([field, value]) => [field, JSON.stringify(value)]),
  );
  return async () => (await engine.run(stepsOf(wasm), { texts, ...limited(memoryPages) })).fuel;
}

function flink(engine: Bed, wasm: Uint8Array, memoryPages: number | undefined): Run {
  let fuel: Partial<Record<string, number>> = {};
  const run = async ({ api: _api, step: _step, ...seen }: StepInput): Promise<Passed> => {
    const texts = Object.fromEntries(
      Object.entries(seen).map(([field, value]) => [field, JSON.stringify(value)]),
    );
    const passed = await engine.run(stepsOf(wasm), { texts, ...limited(memoryPages) });
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
  return async () => {
    await job.pass(30, doing);
    return fuel;
  };
}

const limited = (memoryPages: number | undefined) => (memoryPages === undefined ? {} : { memoryPages });

/** The median of many passes, the first of which compile, and the fuel of the dearest step of the first ones. */
async function medianOf(run: Run, passes: number): Promise<Pick<Figures, "ms" | "fuel">> {
  const times: number[] = [];
  let fuel = 0;
  for (let at = 0; at < passes; at += 1) {
    const began = performance.now();
    const burned = await run();
    times.push(performance.now() - began);
    if (at < WARM_PASSES) fuel = Math.max(fuel, ...Object.values(burned).map((one) => one ?? 0));
  }
  times.sort((one, other) => one - other);
  return { ms: times[passes >> 1] ?? 0, fuel };
}
