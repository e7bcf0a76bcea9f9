import type { JobsTarget } from "../../policy/index.ts";

/** Jobs of a policy that have not finished. */
export interface JobCount {
  /** All of them, also those that wait. */
  readonly running: number;
  /** Those of them that wait for their pods. */
  readonly pending: number;
}

type Counting = Pick<JobsTarget, "strategy" | "custom">;

/**
 * How many jobs are to be made where there is work for so many, and no more than `most` may run: never less than 0. The four
 * ways differ in what a job that runs has taken of the work already (KEDA's ScaledJob, `scalingStrategy`):
 * - Default: what it works on still counts as work, as in a queue that a message leaves when it is done.
 * - Accurate: it has taken its work out of the count; only jobs that wait have not.
 * - Eager: all that may run do, as long as there is work for them.
 * - Custom: so many are taken off, and a share of those that run.
 */
export function toCreate({ strategy, custom }: Counting, work: number, jobs: JobCount, most: number): number {
  return Math.max(0, createdBy(strategy, custom, work, jobs, most));
}

function createdBy(
  strategy: Counting["strategy"],
  custom: Counting["custom"],
  work: number,
  { running, pending }: JobCount,
  most: number,
): number {
  switch (strategy) {
    case "Default":
      return Math.min(most, work) - running;
    case "Accurate":
      return Math.min(most - running, work - pending);
    case "Eager":
      return Math.min(most - running - pending, work);
    case "Custom": {
      const { deduct = 0, runningPercent = 100 } = custom ?? {};
      return Math.min(work - deduct - Math.trunc((running * runningPercent) / 100), most);
    }
  }
}
