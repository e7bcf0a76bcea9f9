import { asFault } from "../../fault/index.ts";
import type { Permit } from "../../loop/index.ts";
import { unfinished, type FoundJob, type FoundJobs } from "./found.ts";
import type { JobsOf } from "./of.ts";
import type { JobTemplate } from "./template.ts";

/** A job that was just made may be looked for by whoever carries out its decision again: it is not taken away before. */
const KEPT_MS = 120_000;
/** So many are taken away in a pass; the rest in the next ones. */
const MOST = 100;

/**
 * Takes away the finished jobs that are beyond the policy's history, the oldest first, and with rollout Immediate those that
 * run by a template that is no longer the object's.
 */
export async function tidy(
  { target, api, cluster, policy }: JobsOf,
  { jobs }: FoundJobs,
  template: () => Promise<JobTemplate>,
  permit: Permit,
  now: Date,
): Promise<void> {
  const nowMs = now.getTime();
  const old = [
    ...beyond(jobs, "Succeeded", target.history.succeeded, nowMs),
    ...beyond(jobs, "Failed", target.history.failed, nowMs),
    ...(target.rollout === "Immediate" ? outdated(jobs, (await template()).hash) : []),
  ];
  const resource = await cluster.resource("batch/v1", "Job");
  for (const { name, uid } of old.slice(0, MOST)) {
    if (policy.mode !== "Enforce" || permit() !== undefined) return;
    await api.delete(resource, name, uid).catch((thrown: unknown) => {
      // Somebody else has taken it away, or made another of its name.
      if (!["TargetNotFound", "Conflict"].includes(asFault(thrown).code)) throw thrown;
    });
  }
}

function beyond(
  jobs: readonly FoundJob[],
  state: FoundJob["state"],
  keep: number,
  nowMs: number,
): FoundJob[] {
  const ended = jobs.filter((job) => job.state === state);
  const newestFirst = ended.toSorted((one, other) => endOf(other) - endOf(one));
  return newestFirst.slice(keep).filter((job) => nowMs - endOf(job) > KEPT_MS);
}

const endOf = ({ finishedAt }: FoundJob) => finishedAt?.getTime() ?? 0;

const outdated = (jobs: readonly FoundJob[], hash: string) =>
  unfinished(jobs).filter(({ template }) => template !== hash);
