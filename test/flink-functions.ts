import {
  alone,
  answered,
  type Case,
  configOf,
  delaysOf,
  evaluatedOf,
  figuresOf,
  type Given,
  monitorOf,
  scalingsOf,
  topologyOf,
  type Vertex,
} from "./flink-vectors.ts";
import { collecting } from "./flink-steps.ts";

/** One call of the test's own entry, algorithms/flink-autoscaler/test/functions.ts, and what it has to answer. */
export interface Call {
  readonly input: Readonly<Record<string, unknown>>;
  readonly expected: unknown;
}

const figure = (x: unknown) => ({ figure: spelled(x) });
const spelled = (x: unknown) => (x === "NaN" || x === null ? -1 : x === "Infinity" ? -2 : x);
const whole = (ms: number) => Math.floor(ms / 1_000);
const one = (id: string, parallelism: number): Vertex => ({
  id,
  inputs: {},
  parallelism,
  maxParallelism: 720,
  numSourcePartitions: 0,
  finished: false,
  slotSharingGroup: null,
});

/** How the functions of the vectors are called. Those that are not here are called by whole steps alone. */
const CALLS: Readonly<Record<string, (given: Given, out: Case["out"]) => Call>> = {
  scale: (given, out) => ({
    input: {
      function: "scale",
      topology: alone({
        parallelism: given.currentParallelism,
        maxParallelism: given.maxParallelism,
        partitions: given.numSourcePartitions,
        strategies: given.inputShipStrategies,
      }),
      ...answered({ factor: given.scaleFactor }),
      least: given.parallelismLowerLimit,
      most: given.parallelismUpperLimit,
    },
    expected: { parallelism: out["newParallelism"] },
  }),
  computeDataRateMetrics: (given, out) => {
    const { topology, sources, carry } = collecting(given);
    const expected = out["scalingMetrics"];
    return { input: { function: "collect", topology, sources, carry }, expected };
  },
  computeScaleTargetParallelism: (given, out) => ({ input: decision(given), expected: decided(out) }),
  computeProcessingRateThresholds: (given, out) => ({
    input: {
      function: "thresholds",
      ...answered({
        target: given.metrics["TARGET_DATA_RATE"]?.average,
        catchUp: given.metrics["CATCH_UP_DATA_RATE"]?.current,
      }),
      backlog: given.processingBacklog,
      restart: whole(given.restartTimeMs),
    },
    expected: { up: spelled(out["scaleUpRateThreshold"]), down: spelled(out["scaleDownRateThreshold"]) },
  }),
  computeTrueProcessingRate: (given, out) => ({
    input: {
      ...windowed("trueRate", given, [one(given.vertex, 1)]),
      ...answered({ busy: given.busyTimeAvg, rate: given.inputRateAvg }),
    },
    expected: figure(out["trueProcessingRate"]),
  }),
  computeBusyTimeAvg: (given, out) => ({
    input: windowed("busyTime", given, [one(given.vertex, given.parallelism)]),
    expected: figure(out["busyTimeMsPerSecond"]),
  }),
  computeEdgeOutputRatio: (given, out) => ({
    input: { ...windowed("outputRatio", given, given.topology), from: given.from, to: given.to },
    expected: figure(out["outputRatio"]),
  }),
  computeEdgeDataRate: (given, out) => ({
    input: { ...windowed("edgeRate", given, given.topology), from: given.from, to: given.to },
    expected: figure(out["dataRate"]),
  }),
  getMaxRestartTimeOrDefault: (given, out) => ({
    input: {
      function: "restart",
      lasted: Object.values(given.restartDurationsMs).map((ms) => (ms === "none" ? -1 : ms)),
    },
    expected: { figure: Number(out["restartTimeMs"]) / 1_000 },
  }),
  calculateObservedScalingCoefficient: (given, out) => ({
    input: { function: "scalability", carry: { scalings: [["v1", ...scalingsOf(given.history)]] } },
    expected: figure(out["coefficient"]),
  }),
  scalingWouldExceedResourceQuota: (given, out) => ({
    input: {
      function: "quota",
      topology: topologyOf(
        given.topology.map((vertex) => ({
          ...vertex,
          parallelism: given.changes[vertex.id]?.[0] ?? vertex.parallelism,
        })),
      ),
      after: given.topology.map(({ id, parallelism }) => given.changes[id]?.[1] ?? parallelism),
      config: {
        ...configOf(given.options),
        ...(given.taskManagerCpu === null ? {} : { "taskManager.cpu": given.taskManagerCpu }),
        "taskManager.memory": `${given.taskManagerMemoryBytes} bytes`,
      },
    },
    expected: { exceeds: out["exceeds"] },
  }),
  estimateNumTaskSlotsAfterRescale: (given, out) => ({
    input: {
      function: "slots",
      before: Object.values(given.parallelism),
      after: Object.entries(given.parallelism).map(([id, now]) => given.changes[id]?.[1] ?? now),
      used: given.numTaskSlotsUsed,
    },
    expected: figure(out["slots"]),
  }),
  inExcludedPeriod: (given, out) => ({
    input: {
      function: "period",
      expression: given.expression,
      localMs: Date.parse(`${given.local.slice(0, 23)}Z`),
    },
    expected: { inside: out["excluded"] },
  }),
};

/** The call for a case; undefined for a function that only a whole step has. */
export function callOf({ fn, in: given, out }: Case): Call | undefined {
  const call = CALLS[fn]?.(given, out);
  if (call === undefined) return undefined;
  return { ...call, input: { topology: topologyOf([]), config: configOf(given.options), ...call.input } };
}

function windowed(name: string, given: Given, vertices: readonly Vertex[]) {
  const carry = monitorOf(
    given.metricHistory,
    vertices.map(({ id }) => id),
  );
  return { function: name, topology: topologyOf(vertices), carry };
}

function decision(given: Given): Readonly<Record<string, unknown>> {
  const metric = (name: string) => Number(given.metrics[name]?.current);
  return {
    function: "decide",
    now: given.nowMs,
    topology: alone({
      parallelism: metric("PARALLELISM"),
      maxParallelism: metric("MAX_PARALLELISM"),
      partitions: metric("NUM_SOURCE_PARTITIONS"),
      strategies: given.inputShipStrategies,
    }),
    analyze: { restartSeconds: whole(given.restartTimeMs), vertices: { v1: evaluatedOf(given.metrics) } },
    carry: { scalings: [["v1", ...scalingsOf(given.history)]], delays: delaysOf(given.delayedScaleDown) },
  };
}

function decided(out: Case["out"]): unknown {
  const change = out["change"] as Readonly<Record<string, number | boolean | null>>;
  const waiting = delaysOf(out["delayedScaleDownAfter"] as Given["delayedScaleDown"]);
  const delay = waiting.find(([name]) => name === "v1")?.slice(1);
  return {
    parallelism: change["newParallelism"],
    outside: change["outsideUtilizationBound"] ?? false,
    expected: spelled(out["expectedProcessingRate"]),
    ...(delay === undefined ? {} : { delay }),
  };
}

/** What a call answered, as far as the vector says something of it: upstream's `before` figures are not all made here. */
export function comparable({ fn, in: given, out }: Case, result: unknown): unknown {
  if (fn === "scale") return { parallelism: (result as { parallelism: number }).parallelism };
  if (fn !== "computeDataRateMetrics") return result;
  const rows = (result as { sample: { vertices: readonly (readonly number[])[] } }).sample.vertices;
  const row = figuresOf(rows[given.isSource ? 0 : 1] ?? []);
  return Object.fromEntries(Object.keys(out["scalingMetrics"] as object).map((name) => [name, row[name]]));
}
