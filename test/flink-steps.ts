import type { StepInput } from "../host/contract/index.ts";
import {
  alone,
  type Case,
  configOf,
  delaysOf,
  evaluatedOf,
  type Figure,
  figuresOf,
  type Given,
  jobOf,
  type Metrics,
  monitorOf,
  nodeOf,
  scalingsOf,
  stepOf,
  topologyOf,
  type Vertex,
} from "./flink-vectors.ts";
import { sampleOf, valuesOf } from "./step-input.ts";

/** A processing rate for which six decimals of a factor are a whole number of records a second. */
export const RATE = 1_000_000;

const seconds = (ms: number) => Math.floor(ms / 1_000);
/** What upstream looks at before or after the function that a vector calls. */
const free = {
  "scaling.enabled": true,
  "excluded.periods": [],
  "quota.cpu": undefined,
  "quota.memory": undefined,
};

/** The names of a vector's metrics, as sources are called that measure the same, and which of its figures it is. */
const SOURCES: Readonly<Record<string, readonly [string, "sum" | "avg"]>> = {
  sourceNumRecordsIn: ["SOURCE_TASK_NUM_RECORDS_IN", "sum"],
  sourceNumRecordsOut: ["SOURCE_TASK_NUM_RECORDS_OUT", "sum"],
  sourceNumRecordsInPerSecond: ["SOURCE_TASK_NUM_RECORDS_IN_PER_SEC", "sum"],
  sourceNumRecordsOutPerSecond: ["SOURCE_TASK_NUM_RECORDS_OUT_PER_SEC", "sum"],
  numRecordsInPerSecond: ["NUM_RECORDS_IN_PER_SEC", "sum"],
  pendingRecords: ["PENDING_RECORDS", "sum"],
  backPressuredTimeMsPerSecond: ["BACKPRESSURE_TIME_PER_SEC", "avg"],
};

/** computeDataRateMetrics as a monitor step: each metric is a source, and what was observed before is in the window. */
export function collecting(given: Given): StepInput {
  const busy = given.flinkMetrics["BUSY_TIME_PER_SEC"];
  const aggregator = String(
    given.options["job.autoscaler.metrics.busy-time.aggregator"] ?? "MAX",
  ).toLowerCase();
  const figures: Record<string, Figure | undefined> = {
    pendingRecords: given.scalingMetricsBefore["LAG"],
    busyTimeMsPerSecond: busy?.[aggregator as "min" | "max" | "avg"],
    numRecordsIn: given.ioMetrics.numRecordsIn,
    numRecordsOut: given.ioMetrics.numRecordsOut,
    accumulatedBusyTime: given.ioMetrics.accumulatedBusyTime,
  };
  for (const [name, [metric, kind]] of Object.entries(SOURCES)) {
    const figure = given.flinkMetrics[metric]?.[kind];
    if (figure !== undefined) figures[name] = figure;
  }
  const known = Object.entries(figures).flatMap(([name, x]) =>
    typeof x === "number" ? [[name, valuesOf(sampleOf(given.vertex, x))] as const] : [],
  );
  const topology = alone({
    parallelism: 1,
    maxParallelism: 720,
    partitions: 0,
    strategies: given.isSource ? [] : ["REBALANCE"],
  });
  // Four samples of the same: their mean is exactly what one of them is.
  const observed = { vertices: { [given.vertex]: { OBSERVED_TPR: given.observedTprAvg } }, global: {} };
  const history = { 1000: observed, 2000: observed, 3000: observed, 4000: observed };
  const carry = monitorOf(
    history,
    topology.nodes.map(({ name }) => name),
  );
  return stepOf("monitor", 5_000, {
    topology,
    sources: Object.fromEntries(known),
    config: configOf(given.options),
    carry,
  });
}

/** computeEvaluatedMetrics as an analyze step, on the window that the monitor step answered. */
export function evaluating(given: Given): StepInput {
  const restart = { "restart.time": `${given.restartTimeMs} ms`, "restart.time-tracking.enabled": false };
  return stepOf("analyze", 600_000, {
    topology: topologyOf(given.topology),
    monitor: {
      carry: monitorOf(
        given.metricHistory,
        given.topology.map(({ id }) => id),
      ),
    },
    config: { ...configOf(given.options), ...restart },
  });
}

/** What the analyze step has to answer for computeEvaluatedMetrics. */
export function evaluated({ in: given, out }: Case): Record<string, unknown> {
  const { vertices, global } = out["evaluated"] as Given["metrics"];
  return {
    restartSeconds: seconds(given.restartTimeMs),
    backlog: out["processingBacklog"],
    vertices: Object.fromEntries(
      Object.entries(vertices).map(([name, metrics]) => [name, evaluatedOf(metrics)]),
    ),
    job: jobOf(global),
  };
}

/** getMaxRestartTimeOrDefault as an analyze step: the restarts are those that the monitor step remembers. */
export function restarting(given: Given): StepInput {
  const restarts = Object.entries(given.restartDurationsMs).map(([at, ms]) => [
    Number(at),
    ms === "none" ? -1 : ms,
  ]);
  return stepOf("analyze", 0, {
    topology: topologyOf([]),
    monitor: { carry: { restarts } },
    config: configOf(given.options),
  });
}

/** computeScalingSummary as a plan step, on what the analyze step answered. */
export function summarizing(given: Given): StepInput {
  const vertices = Object.entries(given.metrics.vertices).map(([name, metrics]) => [
    name,
    evaluatedOf(metrics),
  ]);
  const histories = given.history as Readonly<Record<string, Given["history"]>>;
  const scalings = Object.entries(histories).map(([name, history]) => [name, ...scalingsOf(history)]);
  return stepOf("plan", 600_000, {
    topology: topologyOf(
      given.topology.map((vertex) => asMeasured(vertex, given.metrics.vertices[vertex.id])),
    ),
    analyze: {
      restartSeconds: seconds(given.restartTimeMs),
      vertices: Object.fromEntries(vertices) as object,
      job: jobOf(given.metrics.global),
    },
    carry: { scalings, delays: delaysOf(given.delayedScaleDown) },
    config: { ...configOf(given.options), ...free },
  });
}

/** Upstream takes these of a vertex from its metrics; some of its tests have others in the topology. */
function asMeasured(vertex: Vertex, metrics: Metrics = {}): Vertex {
  return {
    ...vertex,
    parallelism: Number(metrics["PARALLELISM"]?.current ?? vertex.parallelism),
    maxParallelism: Number(metrics["MAX_PARALLELISM"]?.current ?? vertex.maxParallelism),
    numSourcePartitions: Number(metrics["NUM_SOURCE_PARTITIONS"]?.current ?? vertex.numSourcePartitions),
  };
}

/**
 * computeScaleTargetParallelism as a plan step of a job with this vertex and, if `beside`, another one that has to grow at
 * once, so that the job moves whatever this vertex's bounds are.
 */
export function deciding(
  given: Given,
  { beside, enabled }: { beside: boolean; enabled: boolean },
): StepInput {
  const metric = (name: string) => Number(given.metrics[name]?.current);
  const topology = alone({
    parallelism: metric("PARALLELISM"),
    maxParallelism: metric("MAX_PARALLELISM"),
    partitions: metric("NUM_SOURCE_PARTITIONS"),
    strategies: given.inputShipStrategies,
  });
  const waiting = Object.keys(given.delayedScaleDown).filter((name) => name !== "v1");
  const others = [...waiting, ...(beside ? ["beside"] : [])].map((name) => nodeOf(name, 1, 720, 0));
  const growing = { targetRate: 0, catchUpRate: 10, trueRate: 1, scaleUpBelow: 10, scaleDownAbove: 20 };
  return stepOf("plan", given.nowMs, {
    topology: { ...topology, nodes: [...topology.nodes, ...others] },
    analyze: {
      restartSeconds: seconds(given.restartTimeMs),
      vertices: { v1: evaluatedOf(given.metrics), ...(beside ? { beside: growing } : {}) },
    },
    carry: { scalings: [["v1", ...scalingsOf(given.history)]], delays: delaysOf(given.delayedScaleDown) },
    config: { ...configOf(given.options), ...free, "scaling.enabled": enabled },
  });
}

/** The parallelism of each node of a plan; what it leaves out stays as it is. */
export function wantedOf(answer: unknown, { topology }: StepInput): Record<string, number> {
  const { nodes } = answer as { nodes: Readonly<Record<string, { parallelism: number }>> };
  return Object.fromEntries(
    topology.nodes.map(({ name, parallelism }) => [name, nodes[name]?.parallelism ?? parallelism]),
  );
}

/** What is expected of the window after computeDataRateMetrics: figures are kept with three decimals. */
export function collected({ in: given, out }: Case, answer: unknown): { got: unknown; expected: unknown } {
  const { samples } = (
    answer as { carry: { window: { samples: readonly { vertices: readonly (readonly number[])[] }[] } } }
  ).carry.window;
  const row = figuresOf(samples.at(-1)?.vertices[given.isSource ? 0 : 1] ?? []);
  // What the evaluation has no use for is not kept: what a vertex writes to one with a single input, how long it was busy.
  const unused = ["NUM_RECORDS_OUT", "ACCUMULATED_BUSY_TIME"];
  const all = Object.entries(out["scalingMetrics"] as Readonly<Record<string, Figure>>);
  const wanted = all.filter(([name]) => !unused.includes(name));
  const kept = wanted.map(([name, x]) => [name, typeof x === "number" ? Math.round(x * 1_000) / 1_000 : x]);
  return {
    got: Object.fromEntries(wanted.map(([name]) => [name, row[name]])),
    expected: Object.fromEntries(kept),
  };
}

/** scalingWouldExceedResourceQuota as a plan step: every vertex that changes wants exactly that. */
export function budgeting(given: Given): StepInput {
  const vertices = Object.entries(given.changes).map(([name, [from, to]]) => {
    const trueRate = from * RATE + 0.5; // A little more than it is: no rounding error makes one instance more of it.
    return [name, { targetRate: 0, catchUpRate: to * RATE, trueRate, unbounded: ["scaleUpBelow"] }];
  });
  const now = (vertex: Vertex) => ({
    ...vertex,
    parallelism: given.changes[vertex.id]?.[0] ?? vertex.parallelism,
  });
  return stepOf("plan", 0, {
    topology: topologyOf(given.topology.map(now)),
    analyze: { restartSeconds: 0, vertices: Object.fromEntries(vertices) as object },
    config: {
      ...configOf(given.options),
      ...(given.taskManagerCpu === null ? {} : { "taskManager.cpu": given.taskManagerCpu }),
      "taskManager.memory": `${given.taskManagerMemoryBytes} bytes`,
      "scaling.enabled": true,
      "scaling.parallelism-alignment.mode": "OFF",
      "scale-down.interval": "0 ms",
      "scale-down.max-factor": 1,
      "scale-up.max-factor": 4e9,
      "vertex.max-parallelism": 100_000,
    },
  });
}

/** inExcludedPeriod as a plan step: a vertex would grow from 1 to 2, were it not for the period. */
export function excluding(given: Given & { readonly instantMs: number }): StepInput {
  const local = Date.parse(`${given.local.slice(0, 23)}Z`);
  return stepOf("plan", given.instantMs, {
    topology: { nodes: [nodeOf("v1", 1, 720, 0)], edges: [] },
    analyze: {
      vertices: { v1: { targetRate: 0, catchUpRate: 2, trueRate: 1, scaleUpBelow: 2, scaleDownAbove: 4 } },
    },
    config: {
      compat: "flink",
      "excluded.periods": [given.expression],
      utcOffsetMinutes: Math.round((local - given.instantMs) / 60_000),
    },
  });
}

/** What changes, from and to, as the vectors say it. */
export function changesOf(answer: unknown, input: StepInput): Record<string, readonly [number, number]> {
  const wanted = wantedOf(answer, input);
  const moved = input.topology.nodes.filter(({ name, parallelism }) => wanted[name] !== parallelism);
  return Object.fromEntries(
    moved.map(({ name, parallelism }) => [name, [parallelism, wanted[name] ?? parallelism] as const]),
  );
}
