import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { StepInput } from "../host/contract/index.ts";
import { inputOf } from "./step-input.ts";

/** A figure as the vectors write it. */
export type Figure = number | "NaN" | "Infinity" | "-Infinity";
/** What was evaluated: what is now, and the mean of the window. */
export type Metrics = Readonly<Record<string, { readonly current: Figure; readonly average: Figure }>>;
type Figures = Readonly<Record<string, Figure>>;

/** A vertex of a vector's job. */
export interface Vertex {
  readonly id: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly numSourcePartitions: number;
  readonly finished: boolean;
  readonly slotSharingGroup: string | null;
}

/** What a vector was called with; which fields there are depends on the function. */
export interface Given {
  readonly options: Readonly<Record<string, string | readonly string[]>>;
  readonly topology: readonly Vertex[];
  readonly vertex: string;
  readonly from: string;
  readonly to: string;
  readonly metrics: Metrics & {
    readonly vertices: Readonly<Record<string, Metrics>>;
    readonly global: Metrics;
  };
  readonly metricHistory: Readonly<
    Record<string, { readonly vertices: Readonly<Record<string, Figures>>; readonly global: Figures }>
  >;
  readonly history: Readonly<Record<string, unknown>>;
  readonly delayedScaleDown: Readonly<Record<string, Waiting>>;
  readonly inputShipStrategies: readonly string[];
  readonly numSourcePartitions: number;
  readonly maxParallelism: number;
  readonly currentParallelism: number;
  readonly parallelism: number & Readonly<Record<string, number>>;
  readonly scaleFactor: Figure;
  readonly parallelismLowerLimit: number;
  readonly parallelismUpperLimit: number;
  readonly restartTimeMs: number;
  readonly restartDurationsMs: Readonly<Record<string, number | "none">>;
  readonly nowMs: number;
  readonly processingBacklog: boolean;
  readonly busyTimeAvg: Figure;
  readonly inputRateAvg: Figure;
  readonly changes: Readonly<Record<string, readonly [number, number]>>;
  readonly numTaskSlotsUsed: number;
  readonly taskManagerCpu: number | null;
  readonly taskManagerMemoryBytes: number;
  readonly expression: string;
  readonly local: string;
  readonly isSource: boolean;
  readonly flinkMetrics: Readonly<Record<string, Readonly<Record<"min" | "max" | "avg" | "sum", Figure>>>>;
  readonly ioMetrics: {
    readonly numRecordsIn: number;
    readonly numRecordsOut: number;
    readonly accumulatedBusyTime: number;
  };
  readonly scalingMetricsBefore: Figures;
  readonly observedTprAvg: Figure;
}

/** A scale-down that waits. */
export interface Waiting {
  readonly firstTriggerTime: number;
  readonly recommended: readonly {
    readonly triggerTime: number;
    readonly parallelism: number;
    readonly outsideUtilizationBound: boolean;
  }[];
}

/** One case of the vectors. */
export interface Case {
  readonly id: string;
  readonly fn: string;
  readonly source: string;
  readonly in: Given;
  readonly out: Readonly<Record<string, unknown>>;
}

/** The vectors of one file, as test/vectors/flink has them. */
export async function vectorsOf(file: "vectors" | "generated"): Promise<{
  readonly cases: readonly Case[];
  readonly alignRows?: readonly (readonly (number | boolean)[])[];
  readonly capacityRows?: readonly (readonly Figure[])[];
}> {
  const path = resolve(import.meta.dirname, `vectors/flink/${file}.json`);
  return JSON.parse(await readFile(path, "utf8")) as Awaited<ReturnType<typeof vectorsOf>>;
}

/** What the schema of the config does not know because it decides nothing: events, logs and what a host does. */
const IGNORED =
  /^(enabled|scaling\.event\.interval|metrics\.custom-evaluator.*|memory\.tuning\..*|taskmanager\.memory\.(?!process\.size).*)$/;

/** The options of a vector as a policy writes them: their names without the prefix, numbers and flags as such. */
export function configOf(options: Given["options"] = {}): Record<string, unknown> {
  const config: Record<string, unknown> = { compat: "flink" };
  for (const [key, value] of Object.entries(options)) {
    const name = key.replace(/^job\.autoscaler\./, "");
    if (LISTS.includes(name)) config[name] = typeof value === "string" ? listed(value) : value;
    else if (!IGNORED.test(name)) config[name] = typeof value === "string" ? literal(value) : value;
  }
  return config;
}

const LISTS = ["excluded.periods", "vertex.exclude.ids"];

/** A list as Flink prints it, `['a', 'b']` or `[a, b]`, or as it is written in its configuration, `a;b`. */
function listed(text: string): string[] {
  const quoted = [...text.matchAll(/'([^']*)'/g)].map(([, entry]) => entry ?? "");
  const plain = text.replace(/^\[|\]$/g, "").split(/;|, /);
  return quoted.length > 0 ? quoted : plain.filter((entry) => entry !== "");
}

function literal(text: string): unknown {
  if (/^-?[0-9.]+(E[0-9]+)?$/.test(text)) return Number(text);
  return text === "true" || text === "false" ? text === "true" : text;
}

/** The job of a vector as the driver finds it: `ceiling` is the max parallelism, `alignTo` the partitions. */
export function topologyOf(vertices: readonly Vertex[]): StepInput["topology"] {
  return {
    nodes: vertices.map((one) => ({
      ...nodeOf(one.id, one.parallelism, one.maxParallelism, one.numSourcePartitions),
      ...(one.slotSharingGroup === null ? {} : { slotGroup: one.slotSharingGroup }),
      attributes: one.finished ? { status: "FINISHED" } : {},
    })),
    edges: vertices.flatMap(({ id, inputs }) =>
      Object.entries(inputs).map(([from, shipStrategy]) => ({ from, to: id, shipStrategy })),
    ),
  };
}

/** One vertex, `v1`, with an input for each strategy. */
export function alone(given: {
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly partitions: number;
  readonly strategies: readonly string[];
}): StepInput["topology"] {
  const inputs = given.strategies.map((_, at) => nodeOf(`in${at}`, 1, 1, 0));
  return {
    nodes: [...inputs, nodeOf("v1", given.parallelism, given.maxParallelism, given.partitions)],
    edges: given.strategies.map((shipStrategy, at) => ({ from: `in${at}`, to: "v1", shipStrategy })),
  };
}

export function nodeOf(name: string, parallelism: number, ceiling: number, partitions: number) {
  return {
    name,
    kind: "FlinkVertex",
    parallelism,
    ready: parallelism,
    min: 1,
    max: 2_147_483_647,
    ceiling,
    ...(partitions > 0 ? { alignTo: partitions } : {}),
    attributes: {},
  };
}

const COLUMNS = [
  "NUM_RECORDS_IN",
  "LOAD",
  "NUM_RECORDS_IN_PER_SECOND",
  "LAG",
  "OBSERVED_TPR",
  "NUM_RECORDS_OUT",
  "ACCUMULATED_BUSY_TIME",
];
const TOTALS = [
  "GC_PRESSURE",
  "HEAP_MAX_USAGE_RATIO",
  "HEAP_MEMORY_USED",
  "MANAGED_MEMORY_USED",
  "METASPACE_MEMORY_USED",
  "NUM_TASK_SLOTS_USED",
];
/** A figure as it is remembered: -1 is not known, -2 has no end. */
const spelled = (x: Figure | undefined) =>
  x === undefined || x === "NaN" ? -1 : x === "Infinity" ? -2 : Number(x);
/** The same the other way round. */
export const figureOf = (x: number | undefined): Figure =>
  x === undefined || x === -1 ? "NaN" : x === -2 ? "Infinity" : x;
const rowOf = (figures: Figures = {}, columns: readonly string[]) =>
  columns.map((name) => spelled(figures[name]));

/** What is remembered of the samples of a vector. */
export function monitorOf(history: Given["metricHistory"], names: readonly string[]) {
  const samples = Object.entries(history).map(([at, { vertices, global }]) => ({
    at: Number(at),
    vertices: names.map((name) => rowOf(vertices[name], COLUMNS)),
    job: rowOf(global, TOTALS),
  }));
  return { window: { names, samples: samples.sort((one, other) => one.at - other.at) } };
}

/** What the monitor step answered, as the vectors have it. */
export function figuresOf(row: readonly number[]): Record<string, Figure> {
  return Object.fromEntries(COLUMNS.map((name, at) => [name, figureOf(row[at])]));
}

/** Figures as the analyze step answers them: NaN is left out, what has no end is named in `unbounded`. */
export function answered(figures: Readonly<Record<string, Figure | undefined>>): Record<string, unknown> {
  const known = Object.entries(figures).filter(([, x]) => x !== undefined && x !== "NaN");
  const unbounded = known.filter(([, x]) => x === "Infinity").map(([name]) => name);
  const finite = Object.fromEntries(known.filter(([, x]) => x !== "Infinity"));
  return unbounded.length === 0 ? finite : { ...finite, unbounded };
}

/** The evaluated metrics of a vertex as the analyze step answers them. */
export function evaluatedOf(metrics: Metrics): Record<string, unknown> {
  return answered({
    targetRate: metrics["TARGET_DATA_RATE"]?.average,
    catchUpRate: metrics["CATCH_UP_DATA_RATE"]?.current,
    trueRate: metrics["TRUE_PROCESSING_RATE"]?.average,
    load: metrics["LOAD"]?.average,
    lag: metrics["LAG"]?.current,
    scaleUpBelow: metrics["SCALE_UP_RATE_THRESHOLD"]?.current,
    scaleDownAbove: metrics["SCALE_DOWN_RATE_THRESHOLD"]?.current,
  });
}

/** The evaluated metrics of the job as the analyze step answers them. */
export function jobOf(metrics: Metrics): Record<string, unknown> {
  return answered({
    gcPressure: metrics["GC_PRESSURE"]?.current,
    heapUsage: metrics["HEAP_MAX_USAGE_RATIO"]?.current,
    heapUsageAverage: metrics["HEAP_MAX_USAGE_RATIO"]?.average,
    heapUsed: metrics["HEAP_MEMORY_USED"]?.current,
    heapUsedAverage: metrics["HEAP_MEMORY_USED"]?.average,
    managedUsed: metrics["MANAGED_MEMORY_USED"]?.current,
    managedUsedAverage: metrics["MANAGED_MEMORY_USED"]?.average,
    metaspaceUsed: metrics["METASPACE_MEMORY_USED"]?.current,
    metaspaceUsedAverage: metrics["METASPACE_MEMORY_USED"]?.average,
    slotsUsed: metrics["NUM_TASK_SLOTS_USED"]?.current,
  });
}

interface Summary {
  readonly current: number;
  readonly new: number;
  readonly metrics: Metrics;
}

/** The past scalings of a vertex as they are remembered. */
export function scalingsOf(history: Readonly<Record<string, unknown>>): unknown[] {
  return Object.entries(history as Readonly<Record<string, Summary>>)
    .sort(([one], [other]) => Number(one) - Number(other))
    .map(([at, { current, new: to, metrics }]) => [
      Number(at),
      current,
      to,
      spelled(metrics["TRUE_PROCESSING_RATE"]?.average),
      spelled(metrics["EXPECTED_PROCESSING_RATE"]?.current),
    ]);
}

/** Scale-downs that wait, as they are remembered. */
export function delaysOf(waiting: Given["delayedScaleDown"]): readonly (readonly [string, ...number[]])[] {
  return Object.entries(waiting).map(([name, { firstTriggerTime, recommended }]) => {
    const rows = recommended.flatMap((one) => [
      one.triggerTime - firstTriggerTime,
      one.parallelism,
      one.outsideUtilizationBound ? 1 : 0,
    ]);
    return [name, firstTriggerTime, ...rows] as const;
  });
}

/** The input of a step at an instant of a vector. */
export function stepOf(step: StepInput["step"], atMs: number, change: Partial<StepInput>): StepInput {
  const time = new Date(atMs).toISOString();
  return inputOf({
    step,
    sources: {},
    history: [],
    iteration: { id: `1@${time}`, number: 1, time },
    ...change,
  });
}
