import { Fault } from "../../fault/index.ts";
import {
  findJob,
  hasEnded,
  nameVertices,
  readJob,
  type FlinkRest,
  type Job,
  type JobManagers,
  type Named,
} from "../../flink/index.ts";
import type { Cluster } from "../../kube/index.ts";
import type { FlinkTarget, Policy } from "../../policy/index.ts";
import { flinkTarget } from "./address.ts";
import { customRoute } from "./overrides.ts";
import { reactiveRoute } from "./reactive.ts";
import { restRoute, type Route } from "./route.ts";
import { expectUnowned, isReactive, readOptions } from "./suitable.ts";

/** What the driver reaches Flink and Kubernetes by. */
export interface Reach {
  readonly cluster: Cluster;
  readonly jobManagers: JobManagers;
}

/** A job as it was just read, and how it is told another number. */
export interface Seen {
  readonly target: FlinkTarget;
  readonly rest: FlinkRest;
  readonly job: Job;
  readonly named: readonly Named[];
  readonly route: Route;
}

/**
 * Reads the policy's job. Throws `TargetNotFound` if there is none or it has ended, `TargetOwned` if Flink's autoscaler
 * scales it, `TargetUnsuitable` if nobody can.
 */
export async function look({ cluster, jobManagers }: Reach, policy: Policy): Promise<Seen> {
  const target = flinkTarget(policy);
  const [rest, custom] = await Promise.all([jobManagers.of(policy), customRoute(cluster, policy, target)]);
  const id = await findJob(rest, target.job ?? custom?.job);
  const [job, read] = await Promise.all([readJob(rest, id), readOptions(rest, id)]);
  if (hasEnded(job.state))
    throw new Fault("TargetNotFound", `The job ${job.name} is ${job.state}`, {
      field: "spec.target.flink.job",
      remedy: "Start it again, or delete this policy.",
      retry: true,
    });
  const options = { ...read, ...custom?.options };
  expectUnowned(options);
  const route = isReactive(options)
    ? await reactiveRoute(cluster, policy, target, job)
    : (custom?.route(job) ?? (await restRoute(rest, job, options)));
  return { target, rest, job, named: nameVertices(job.vertices, target), route };
}
