import { Fault } from "../fault/index.ts";
import type { FlinkTarget } from "../policy/index.ts";
import { fields, list, text } from "./read.ts";
import type { FlinkRest } from "./rest.ts";

/** States that a job does not come back from. */
const ENDED: ReadonlySet<string> = new Set(["FINISHED", "CANCELED", "FAILED"]);
/** Jobs that have ended stay in the list for a while. */
const MOST_JOBS = 10_000;
const FIELD = "spec.target.flink.job";
const ID = /^[0-9a-f]{32}$/;

/** A job as the list of all has it. */
interface Listed {
  readonly id: string;
  readonly name: string;
}

/** The jobs of the cluster that have not ended. */
export async function runningJobs(rest: FlinkRest): Promise<readonly Listed[]> {
  return list(fields(await rest.get("/jobs/overview"))["jobs"], "jobs", MOST_JOBS)
    .map((one) => ({
      id: text(one["jid"], "id of a job"),
      name: text(one["name"], "name of a job"),
      state: text(one["state"], "state of a job"),
    }))
    .filter(({ id, state }) => ID.test(id) && !ENDED.has(state));
}

/** The id of the job that the policy means: by its id, by its name, or the only one. Throws `TargetNotFound`. */
export async function findJob(rest: FlinkRest, wanted: FlinkTarget["job"]): Promise<string> {
  if (wanted !== undefined && "id" in wanted) return wanted.id;
  const jobs = await runningJobs(rest);
  const meant = wanted === undefined ? jobs : jobs.filter(({ name }) => name === wanted.name);
  const [only, ...more] = meant;
  if (only !== undefined && more.length === 0) return only.id;
  const which = wanted === undefined ? "" : ` named ${wanted.name}`;
  if (only === undefined) throw notFound(`No job${which} runs`, "Start the job, or correct its name.");
  const remedy =
    wanted === undefined ? "Name the job." : "Name the job by its id, or give each a name of its own.";
  throw notFound(`${meant.length} jobs${which} run, and a policy scales one`, remedy);
}

/** Whether a job has ended for good. */
export const hasEnded = (state: string): boolean => ENDED.has(state);

const notFound = (message: string, remedy: string) =>
  new Fault("TargetNotFound", message, { field: FIELD, remedy, retry: true });
