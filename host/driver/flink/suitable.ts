import { Fault } from "../../fault/index.ts";
import { fields, type FlinkRest } from "../../flink/index.ts";

/** Under these names Flink's own autoscaler is switched on, by the version of its operator. */
const AUTOSCALER = ["job.autoscaler.enabled", "kubernetes.operator.job.autoscaler.enabled"];

/** Options of Flink by their names, whatever form they came in. */
export type Options = Readonly<Record<string, unknown>>;

/** What the cluster and the job are configured with, the job's own options first. */
export async function readOptions(rest: FlinkRest, job: string): Promise<Options> {
  const [cluster, own] = await Promise.all([rest.get("/jobmanager/config"), rest.get(`/jobs/${job}/config`)]);
  const listed = (Array.isArray(cluster) ? cluster : []).map(fields);
  const options = listed.map((one) => [String(one["key"]), one["value"]] as const);
  const user = fields(fields(fields(own)["execution-config"])["user-config"]);
  return { ...Object.fromEntries(options), ...user };
}

/** Throws `TargetOwned` where Flink's own autoscaler is on: two that scale one job would fight. */
export function expectUnowned(options: Options): void {
  const on = AUTOSCALER.find((name) => isOn(options[name]));
  if (on === undefined) return;
  throw new Fault("TargetOwned", `Flink's own autoscaler scales the job: ${on} is true`, {
    remedy: `Set ${on} to false, or delete this policy.`,
  });
}

/** Whether the job takes every slot that there is. */
export const isReactive = (options: Options): boolean => word(options["scheduler-mode"]) === "reactive";

/** Throws `TargetUnsuitable` unless the job's vertices can be given another parallelism while it runs. */
export function expectAdaptive(options: Options): void {
  if (word(options["jobmanager.scheduler"]) === "adaptive") return;
  throw new Fault("TargetUnsuitable", "The job is not in the adaptive scheduler", {
    remedy: "Set jobmanager.scheduler to adaptive in Flink's configuration (Flink 1.18 or newer).",
  });
}

const word = (value: unknown) => (typeof value === "string" ? value.trim().toLowerCase() : undefined);
const isOn = (value: unknown) => value === true || word(value) === "true";
