// What test/vectors/hpa/metrics.json has, as inputs of the algorithm `hpa`: what stands in a HorizontalPodAutoscaler and
// in its pods becomes a policy's config, and samples of the sources `pods`, `requests` and one for each metric.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rules } from "./hpa-bed.ts";
import { inputOf, nodeOf } from "./step-input.ts";

type Big = number | string;
interface Pod {
  readonly phase: string;
  readonly ready: boolean;
  readonly deleting?: boolean;
  readonly startAgeSeconds?: number | null;
  readonly containerRequestMilli?: readonly number[];
  readonly cpuRequestMilli?: number;
}
interface Target {
  readonly averageUtilization?: number;
  readonly averageValueMilli?: Big;
  readonly valueMilli?: Big;
}
interface MetricSpec {
  readonly type: string;
  readonly resource?: string;
  readonly container?: string;
  readonly metric?: string;
  readonly target?: Target;
}
type BehaviorRules = Rules & { readonly tolerance?: number };
export interface Given {
  readonly currentReplicas: number;
  readonly tolerance: number | { readonly scaleUp: number; readonly scaleDown: number };
  readonly metricKind?:
    "resourceUtilization" | "pods" | "object" | "objectPerPod" | "external" | "externalPerPod";
  readonly pods: readonly Pod[] | number;
  readonly levelsMilli?: readonly Big[];
  readonly targetMilli?: Big;
  readonly containerLevelsMilli?: readonly (readonly number[])[];
  readonly levelPodNames?: readonly string[];
  readonly container?: string;
  readonly resource?: string;
  readonly targetUtilization?: number;
  readonly podLevelMilli?: readonly number[];
  readonly podRequestMilli?: number;
  readonly readyPods?: number;
  // Of whole reconciliations.
  readonly metrics: readonly MetricSpec[];
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly scaleUpLimitFactor: number;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly recommendations?: readonly { readonly ageSeconds: number; readonly replicas: number }[];
  readonly behavior?: { readonly scaleUp: BehaviorRules | null; readonly scaleDown: BehaviorRules | null };
  readonly initialConditions?: readonly { readonly type: string; readonly status: string }[];
  readonly overriddenClients?: readonly string[];
}
export interface Vector {
  readonly id: string;
  readonly layer: string;
  readonly test: string;
  readonly note?: string;
  readonly in: Given;
  readonly expect: {
    readonly replicas?: number;
    readonly error?: string;
    readonly utilization?: number;
    readonly usageMilli?: Big;
    readonly rawAverageMilli?: number;
    readonly conditions?: readonly { readonly type: string; readonly reason: string }[];
  };
}

const file = join(import.meta.dirname, "vectors/hpa/metrics.json");
export const vectors = (JSON.parse(readFileSync(file, "utf8")) as { vectors: readonly Vector[] }).vectors;

const TIME = "2026-11-22T10:00:00.000Z";
const NOW_SECONDS = Date.parse(TIME) / 1_000;
/** What an instant is that was never set. */
const ZERO = { text: "0001-01-01T00:00:00.000Z", seconds: -62_135_596_800 };

/** A figure of so many thousandths, spelled exactly: JSON's numbers would lose the last of 64 bits. */
function spelled(milli: Big): string {
  const text = String(milli);
  const digits = text.replace("-", "").padStart(4, "0");
  return `@${text.startsWith("-") ? "-" : ""}${digits.slice(0, -3)}.${digits.slice(-3)}@`;
}
/** The input as JSON, with the figures as they were spelled. */
const spell = (input: object): string => JSON.stringify(input).replaceAll(/"@([^@"]+)@"/g, "$1");

const NODE = "app";
const sample = (labels: Readonly<Record<string, string>>, milli: Big, at = TIME) => ({
  ...{ labels, node: NODE, value: spelled(milli), at },
});
const series = (all: readonly object[]) =>
  all.length === 0 ? { noData: true, at: TIME } : { series: all, at: TIME };

interface Harness {
  /** What pods say of when they became ready, and when they were measured. */
  readonly readySince: (startedSeconds: number) => number;
  readonly measuredAt: string;
}
/** How the two test harnesses of the original stamp what they make. */
const CALCULATOR: Harness = { readySince: () => ZERO.seconds, measuredAt: ZERO.text };
const RECONCILE: Harness = { readySince: (started) => started, measuredAt: TIME };

function podSamples(pods: readonly Pod[], { readySince }: Harness): object[] {
  return pods.map((pod, at) => {
    const age = pod.startAgeSeconds;
    const started = age === undefined || age === null ? ZERO.seconds : NOW_SECONDS - age;
    const times = { started: String(started), readySince: String(readySince(started)) };
    const state = { phase: pod.phase, ready: String(pod.ready), deleted: String(pod.deleting === true) };
    return sample({ pod: `pod-${at}`, ...state, ...times }, 1_000);
  });
}
const requestSamples = (requests: readonly (readonly number[] | undefined)[], resource: string) =>
  requests.flatMap((containers = [], at) =>
    containers.map((milli, index) =>
      sample({ pod: `pod-${at}`, container: `container${index + 1}`, resource }, milli),
    ),
  );
const usageSamples = (levels: readonly (readonly Big[])[], names: readonly string[] = [], at = TIME) =>
  levels.flatMap((containers, pod) =>
    containers.map((milli, index) =>
      sample({ pod: names[pod] ?? `pod-${pod}`, container: `container${index + 1}` }, milli, at),
    ),
  );

const tolerances = (tolerance: Given["tolerance"]) =>
  typeof tolerance === "number"
    ? { tolerance }
    : { scaleUpTolerance: tolerance.scaleUp, scaleDownTolerance: tolerance.scaleDown };
/** As the original's tests have them; in production they are 300 and 30. */
const STARTS = { cpuInitializationPeriodSeconds: 120, initialReadinessDelaySeconds: 10 };

/** The input of a single calculation. */
export function calculation(given: Given, compat = "kubernetes"): string {
  const current = given.currentReplicas;
  const metric = metricOf(given);
  const pods = podsOf(given);
  const sources = {
    pods: series(podSamples(pods, CALCULATOR)),
    requests: series(
      requestSamples(
        pods.map((pod) => pod.containerRequestMilli),
        given.resource ?? "cpu",
      ),
    ),
    [metric.source]: series(levelsOf(given)),
  };
  const config = { ...tolerances(given.tolerance), ...STARTS, compat, metrics: [metric.spec] };
  const topology = {
    nodes: [{ ...nodeOf(NODE, current), ready: pods.filter((pod) => pod.ready).length }],
    edges: [],
  };
  return spell(inputOf({ step: "analyze", topology, sources: sources as never, config }));
}

function podsOf(given: Given): readonly Pod[] {
  const { pods, readyPods, currentReplicas, podRequestMilli } = given;
  if (typeof pods === "object") return pods;
  const count =
    pods ?? Math.max(currentReplicas, given.metricKind === "pods" ? (given.levelsMilli?.length ?? 0) : 0);
  return Array.from({ length: count }, (_, at) => ({
    phase: "Running",
    ready: at < (readyPods ?? count),
    ...(podRequestMilli === undefined ? {} : { containerRequestMilli: [podRequestMilli] }),
  }));
}

function levelsOf(given: Given): object[] {
  const { containerLevelsMilli, levelPodNames, podLevelMilli, levelsMilli = [], metricKind } = given;
  if (containerLevelsMilli !== undefined) return usageSamples(containerLevelsMilli, levelPodNames, ZERO.text);
  if (podLevelMilli !== undefined) {
    const each = Array.from({ length: given.pods as number }, (_, at) => [
      podLevelMilli[at % podLevelMilli.length] ?? 0,
    ]);
    return usageSamples(each, [], ZERO.text);
  }
  if (metricKind === "pods")
    return levelsMilli.map((milli, at) => sample({ pod: `pod-${at}` }, milli, ZERO.text));
  return levelsMilli.map((milli) => sample({}, milli));
}

function metricOf(given: Given): { readonly source: string; readonly spec: object } {
  const {
    metricKind = "resourceUtilization",
    resource = "cpu",
    container = "",
    targetUtilization,
    targetMilli = 0,
  } = given;
  const qps = { metric: { name: "qps" } };
  const average = { type: "AverageValue", averageValue: spelled(targetMilli) };
  const value = { type: "Value", value: spelled(targetMilli) };
  const share = { type: "Utilization", averageUtilization: targetUtilization };
  const whole = { type: "Resource", resource: { name: resource, target: share } };
  const one = { type: "ContainerResource", containerResource: { name: resource, container, target: share } };
  const kinds = {
    resourceUtilization: { source: resource, spec: container === "" ? whole : one },
    pods: { source: "qps", spec: { type: "Pods", pods: { ...qps, target: average } } },
    object: { source: "qps", spec: { type: "Object", object: { ...qps, target: value } } },
    objectPerPod: { source: "qps", spec: { type: "Object", object: { ...qps, target: average } } },
    external: { source: "qps", spec: { type: "External", external: { ...qps, target: value } } },
    externalPerPod: { source: "qps", spec: { type: "External", external: { ...qps, target: average } } },
  };
  return kinds[metricKind];
}

/** The input of the plan of a whole reconciliation. */
export function reconciliation(given: Given, note = "", compat = "kubernetes"): string {
  const { specReplicas, statusReplicas, minReplicas: min, maxReplicas: max, pods, tolerance } = given;
  const all = pods as readonly Pod[];
  const halves = (milli: Big) => [Math.trunc(Number(milli) / 2), Math.trunc(Number(milli) / 2)];
  const isConfigurable = given.featureGates?.["HPAConfigurableTolerance"] !== false;
  const { scaleUp, scaleDown } = given.behavior ?? { scaleUp: null, scaleDown: null };
  const own = isConfigurable
    ? {
        scaleUp: scaleUp?.tolerance ?? (tolerance as number),
        scaleDown: scaleDown?.tolerance ?? (tolerance as number),
      }
    : tolerance;
  const sources: Record<string, object> = {
    pods: series(podSamples(all, RECONCILE)),
    requests: series(
      requestSamples(
        all.map((pod) => halves(pod.cpuRequestMilli ?? 0)),
        "cpu",
      ),
    ),
  };
  for (const metric of given.metrics) {
    const name = metric.resource ?? metric.metric;
    if (name !== undefined) sources[name] = observed(metric, given, note);
  }
  const config = {
    ...tolerances(own),
    ...STARTS,
    compat,
    scaleToZero: given.featureGates?.["HPAScaleToZero"] === true,
    metrics: given.metrics.map(specOf),
  };
  const attributes = { statusReplicas: String(statusReplicas) };
  const node = { ...nodeOf(NODE, specReplicas), ready: statusReplicas, min, max, attributes };
  const isAtZero = given.initialConditions?.some(
    ({ type, status }) => type === "ScaledToZero" && status === "True",
  );
  const carry = isAtZero === true ? { scaledToZero: { [NODE]: true } } : {};
  return spell(
    inputOf({
      topology: { nodes: [node], edges: [] },
      sources: sources as never,
      config,
      carry,
    }),
  );
}

function observed(
  { type }: MetricSpec,
  { levelsMilli = [], overriddenClients = [] }: Given,
  note: string,
): object {
  if (note.includes("answers with an error"))
    return { error: { code: "SourceUnavailable", message: "the metrics API is away" }, at: TIME };
  if (note.includes("list is empty") && type === "External" && overriddenClients.includes("externalMetrics"))
    return series([]);
  if (type === "Resource" || type === "ContainerResource") {
    const each = levelsMilli.map((milli) => [Math.trunc(Number(milli) / 2), Math.trunc(Number(milli) / 2)]);
    return series(usageSamples(each));
  }
  if (type === "Pods") return series(levelsMilli.map((milli, at) => sample({ pod: `pod-${at}` }, milli)));
  return series(
    (type === "Object" ? levelsMilli.slice(0, 1) : levelsMilli).map((milli) => sample({}, milli)),
  );
}

function specOf({ type, resource, container, metric, target = {} }: MetricSpec): object {
  const { averageUtilization, averageValueMilli, valueMilli } = target;
  const spelledTarget = {
    ...(averageUtilization === undefined ? {} : { averageUtilization }),
    ...(averageValueMilli === undefined ? {} : { averageValue: spelled(averageValueMilli) }),
    ...(valueMilli === undefined ? {} : { value: spelled(valueMilli) }),
  };
  const name = resource === undefined ? { metric: { name: metric } } : { name: resource };
  const under = `${type.slice(0, 1).toLowerCase()}${type.slice(1)}`;
  const inContainer = container === undefined ? {} : { container };
  return { type, [under]: { ...name, ...inContainer, target: spelledTarget } };
}
