// What test/vectors/keda/ has, as inputs of the algorithm `keda`: trigger metadata becomes a policy's config, what a broker or
// a query said becomes a source, and how a ScaledObject stands becomes the topology and what was remembered.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inputOf, nodeOf } from "./step-input.ts";

const TIME = "2026-11-22T10:00:00.000Z";
const NODE = "app";

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, `vectors/keda/${name}.json`), "utf8"));
}

interface Offset {
  readonly topic: string;
  readonly id: number;
  readonly consumerOffset: number;
  readonly latestOffset: number | null;
}
export interface KafkaVector {
  readonly id: string;
  readonly kind: string;
  readonly name?: string;
  readonly config?: object;
  readonly partitions?: readonly Offset[] | number;
  readonly previousOffsets?: readonly {
    readonly topic: string;
    readonly id: number;
    readonly offset: number;
  }[];
  readonly consumerOffset?: number;
  readonly latestOffset?: number | null;
  readonly totalLag?: number;
  readonly lagThreshold?: number;
  readonly n?: number;
  readonly input?: string;
  readonly partitionLimitation?: string;
  readonly topicPartitions?: readonly number[];
  readonly expect: unknown;
}
export const kafka = (read("kafka") as { readonly vectors: readonly KafkaVector[] }).vectors;

interface Executed {
  readonly id: string;
  readonly name: string;
  readonly isActive: boolean;
  readonly isError: boolean;
  readonly currentReplicas: number;
  readonly minReplicaCount: number;
  readonly idleReplicaCount: number | null;
  readonly fallbackReplicas: number | null;
  readonly secondsSinceLastActive: number | null;
  readonly cooldownPeriod: number;
  readonly expect: { readonly action: "scale" | "none"; readonly to?: number };
}
interface Job {
  readonly id: string;
  readonly strategy: string;
  readonly maxScale: number;
  readonly running: number;
  readonly pending: number;
  readonly maxReplicaCount: number;
  readonly queueLengthDeduction?: number;
  readonly runningJobPercentage?: number;
  readonly expectEffectiveMaxScale: number;
}
interface Others {
  readonly cron: readonly {
    readonly id: string;
    readonly desiredReplicas: number;
    readonly nextStart: string;
    readonly nextEnd: string;
    readonly expect: { readonly active: boolean; readonly metric: number; readonly target: number };
  }[];
  readonly modifiers: readonly {
    readonly id: string;
    readonly target: string;
    readonly activationTarget?: string;
    readonly fallbackReplicas?: number;
    readonly triggers: Readonly<Record<string, number | null>>;
    readonly expect: {
      readonly hpaAverageValueUnclamped?: number;
      readonly valueMilli?: number;
      readonly active?: boolean;
    };
  }[];
  readonly prometheus: readonly {
    readonly id: string;
    readonly httpStatus: number;
    readonly body: string;
    readonly ignoreNullValues: boolean;
    readonly expect: number | "error";
  }[];
  readonly prometheusActivation: readonly {
    readonly id: string;
    readonly value: number;
    readonly activationThreshold: number | null;
    readonly expect: { readonly active: boolean };
  }[];
  readonly quantity: readonly {
    readonly id: string;
    readonly value: number;
    readonly expectQuantity: string;
  }[];
  readonly fallback: readonly {
    readonly id: string;
    readonly behavior: string;
    readonly metricType: string;
    readonly target: number;
    readonly fallbackReplicas: number;
    readonly currentReplicas: number;
    readonly expectMetric: number | "error";
  }[];
  readonly fallbackThreshold: readonly {
    readonly id: string;
    readonly consecutiveFailures: number;
    readonly failureThreshold: number;
    readonly expectFallbackActive: boolean;
  }[];
  readonly scaledJobStrategies: readonly Job[];
  readonly scaledJobMultiScaler: readonly {
    readonly id: string;
    readonly multipleScalersCalculation: string;
    readonly scalers: readonly {
      readonly queueLength: number;
      readonly maxValue: number;
      readonly active: boolean;
    }[];
    readonly expect: { readonly queueLength: number; readonly maxValue: number; readonly active: boolean };
  }[];
  readonly scaledObjectExecutor: readonly Executed[];
}
export const others = read("other") as Others;

export interface Setting {
  readonly config: object;
  readonly sources: Readonly<Record<string, object>>;
  readonly current?: number;
  readonly carry?: object;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly compat?: string | undefined;
}

export function inputFor({
  config,
  sources,
  current = 1,
  carry = {},
  attributes = {},
  compat = "keda",
}: Setting) {
  return inputOf({
    topology: { nodes: [{ ...nodeOf(NODE, current), attributes }], edges: [] },
    sources: sources as never,
    config: { ...(compat === "" ? {} : { compat }), ...config },
    carry,
  });
}

export const noData = { noData: true, at: TIME };
export const failed = { error: { code: "SourceUnavailable", message: "it is away" }, at: TIME };
export const numbers = (...values: readonly number[]) => ({
  series: values.map((value) => ({ labels: {}, value, at: TIME })),
  at: TIME,
});

/** What a broker said of a group, and what was committed in the pass before. */
export function kafkaSetting(
  config: object,
  partitions: readonly Offset[],
  before: KafkaVector["previousOffsets"] = [],
): Setting {
  const told = partitions.map(({ topic, id, consumerOffset, latestOffset }) => ({
    ...{ topic, partition: id, lag: 0 },
    ...(consumerOffset < 0 ? {} : { committed: consumerOffset }),
    ...(latestOffset === null ? {} : { end: latestOffset }),
  }));
  const committed = Object.fromEntries(before.map(({ topic, id, offset }) => [`${topic}/${id}`, offset]));
  return {
    config: { triggers: [{ type: "kafka", name: "lag", ...config }] },
    sources: { kafka: { ...numbers(0), partitions: told } },
    carry: { committed: { lag: committed } },
  };
}

/** Partitions of one topic, by number, each with this lag. */
export const lagging = (lags: Readonly<Record<number, number>>): Offset[] =>
  Object.entries(lags).map(([id, lag]) => ({
    ...{ topic: "t", id: Number(id), consumerOffset: 0, latestOffset: lag },
  }));

/** A ScaledObject whose one trigger asks for what runs already, so that only sleep and waking move it. */
export function executorSetting(given: Executed): Setting {
  const {
    isActive,
    isError,
    currentReplicas: current,
    minReplicaCount,
    idleReplicaCount,
    cooldownPeriod,
  } = given;
  const since = given.secondsSinceLastActive;
  const worked = since === null ? {} : { [NODE]: Date.parse(TIME) / 1_000 - since };
  const own = { type: "prometheus", threshold: 1, activationThreshold: isActive ? 0 : 1_000_000 };
  const work = { ...own, name: "work", source: "work" };
  // One trigger fails; where there is work all the same, another still sees it.
  const broken = isError ? [{ ...own, name: "broken", source: "broken" }] : [];
  const isBlind = isError && !isActive;
  return {
    config: {
      triggers: isBlind ? broken : [work, ...broken],
      ...{ minReplicaCount, cooldownPeriod },
      ...(idleReplicaCount === null ? {} : { idleReplicaCount }),
      ...(given.fallbackReplicas === null
        ? {}
        : { fallback: { replicas: given.fallbackReplicas, failureThreshold: 1_000 } }),
    },
    sources: { work: numbers(Math.max(1, current)), broken: failed },
    current,
    carry: { worked },
  };
}

/** A ScaledJob with work for `maxScale` jobs. */
export function jobSetting(given: Job): Setting {
  const { strategy, maxScale, running, pending, maxReplicaCount } = given;
  return {
    config: {
      triggers: [{ type: "prometheus", source: "queue", threshold: 1 }],
      jobs: {
        ...{ strategy, maxReplicaCount },
        customScalingQueueLengthDeduction: given.queueLengthDeduction ?? 0,
        customScalingRunningJobPercentage: given.runningJobPercentage ?? 0,
      },
    },
    sources: { queue: numbers(maxScale) },
    current: running,
    attributes: { running: String(running), pending: String(pending) },
  };
}
