import { asFault, Fault } from "../fault/index.ts";
import {
  fields,
  findJob,
  FLINK_LIMITS,
  list,
  nameVertices,
  readJob,
  type FlinkRest,
  type JobManagers,
  type Named,
} from "../flink/index.ts";
import type { Observation, Sample } from "../knowledge/index.ts";
import { LIMITS } from "./limits.ts";
import type { FlinkMetrics } from "./sources.ts";

/** How the values of a vertex's instances become one. */
type Aggregate = "avg" | "max" | "min" | "sum";

interface Metric {
  readonly name: string;
  readonly aggregate: Aggregate;
}

/**
 * Reads metrics of every vertex of the policy's job, one value each. A job that does not run has none, and so has one whose
 * metrics nobody has fetched yet; `NaN`, which Flink writes as a text, is left out. Never throws.
 */
export function flinkSource(jobManagers: Pick<JobManagers, "of">): FlinkMetrics {
  return async (policy, source, date, signal) => {
    const at = date.toISOString();
    try {
      if (policy.target.kind !== "flink") throw invalid("the policy's target is no Flink job");
      const rest = await jobManagers.of(policy, signal);
      const job = await readJob(rest, await findJob(rest, policy.target.job));
      const named = job.state === "RUNNING" ? nameVertices(job.vertices, policy.target) : [];
      const metrics = source.metrics.map(metricOf);
      if (named.length * metrics.length > LIMITS.series)
        throw invalid(
          `${metrics.length} metrics of ${named.length} vertices are more than ${LIMITS.series} values`,
        );
      const read = await Promise.all(named.map((one) => samplesOf(rest, job.id, one, metrics, at)));
      const series = read.flat();
      return series.length === 0 ? { noData: true, at } : { series, at };
    } catch (thrown) {
      return failed(thrown, source.name, at);
    }
  };
}

/** What cannot be read of the target is a source that cannot be read. */
function failed(thrown: unknown, name: string, at: string): Observation {
  const { code, message } = asFault(thrown);
  const unread = code === "TargetUnavailable" || code === "TargetNotFound" ? "SourceUnavailable" : code;
  return { error: { code: unread, message: `${name}: ${message}` }, at };
}

async function samplesOf(
  rest: FlinkRest,
  job: string,
  { vertex, name: node }: Named,
  metrics: readonly Metric[],
  at: string,
): Promise<Sample[]> {
  const names = [...new Set(metrics.map((one) => one.name))];
  const aggregates = [...new Set(metrics.map((one) => one.aggregate))];
  const query = new URLSearchParams({ get: names.join(","), agg: aggregates.join(",") });
  const path = `/jobs/${job}/vertices/${vertex.id}/subtasks/metrics?${query.toString()}`;
  const answer = list(await rest.get(path), "metrics", FLINK_LIMITS.vertices);
  const values = new Map(answer.map((one) => [one["id"], fields(one)]));
  return metrics.flatMap(({ name, aggregate }) => {
    const value = numberIn(values.get(name)?.[aggregate], `${aggregate} of ${name} of ${vertex.name}`);
    const labels = { metric: name, aggregate, vertex: vertex.name };
    return value === undefined ? [] : [{ labels, node, value, at }];
  });
}

/** A figure that is not there yet is none. */
function numberIn(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null || value === "NaN") return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw invalid(`the ${what} is ${JSON.stringify(value).slice(0, 20)}, which is no finite number`);
}

const WRITTEN = /^(.+):(avg|max|min|sum)$/;

function metricOf(written: string): Metric {
  const [, name, aggregate] = WRITTEN.exec(written) ?? [];
  if (name !== undefined) return { name, aggregate: aggregate as Aggregate };
  return { name: written, aggregate: usualFor(written) };
}

/** Counts and rates add up over instances; times of a second, shares and latencies do not. */
function usualFor(metric: string): Aggregate {
  if (/watermark$/i.test(metric)) return "min";
  return /(TimeMsPerSecond|Usage|Utilization)$|latency/i.test(metric) ? "max" : "sum";
}

const invalid = (message: string) => new Fault("SourceInvalid", message);
