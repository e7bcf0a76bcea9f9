import { asFault, Fault } from "../../fault/index.ts";
import { unavailable, type Job } from "../../flink/index.ts";
import type { Change, ChangeOutcome } from "../../knowledge/index.ts";
import type { Permit } from "../../loop/index.ts";
import type { Policy } from "../../policy/index.ts";
import { flinkTarget } from "./address.ts";
import { look, type Reach } from "./look.ts";
import { within, type Patience } from "./patience.ts";
import { askedAfter, type Asked } from "./requirements.ts";
import { writeShape } from "./resources.ts";
import { grow, readFleet, shrink } from "./task-managers.ts";

/**
 * Gives the job these numbers, all of them or none. TaskManagers come before what needs them and go after what needed them,
 * so that a change is one restart of the job. It may be repeated: what is done is not done again, so one that ended in
 * between, or waits for Flink for too long, goes on where it was.
 */
export async function scale(
  reach: Reach,
  patience: Patience,
  policy: Policy,
  changes: readonly Change[],
  permit: Permit,
): Promise<readonly ChangeOutcome[]> {
  try {
    const granted = await scaleJob(reach, patience, policy, changes, permit);
    // Afterwards, because it takes away what the job runs on.
    const reshape = changes.find(({ resources }) => resources !== undefined)?.resources;
    if (reshape !== undefined) await writeShape(reach, policy, flinkTarget(policy), reshape, permit);
    return changes.map(({ node, to }) => {
      const has = granted.get(node) ?? to;
      return { node, outcome: "Scaled", ...(has === to ? {} : { granted: has }) };
    });
  } catch (thrown) {
    const { code, sentence: message } = asFault(thrown);
    return changes.map(({ node }) => ({ node, outcome: "Failed", code, message }));
  }
}

const AS_DECIDED: ReadonlyMap<string, number> = new Map();

/** What nodes were granted, by their names, where that may be another number than what was decided. */
async function scaleJob(
  reach: Reach,
  patience: Patience,
  policy: Policy,
  changes: readonly Change[],
  permit: Permit,
): Promise<ReadonlyMap<string, number>> {
  const before = await look(reach, policy);
  const wanted = askedAfter(changes, before.named, before.route.asked, before.job.id);
  const grows = [...wanted].some(([id, to]) => to > (before.route.asked.get(id) ?? 0));
  if (grows && before.job.state !== "RUNNING")
    throw unavailable(`The job ${before.job.name} is ${before.job.state}, and is not to grow now`);
  if (before.route.isReactive) {
    await before.route.write(wanted, permit);
    const given = before.route.granted?.(wanted) ?? wanted;
    return new Map(before.named.map(({ name, vertex }) => [name, given.get(vertex.id) ?? 0]));
  }
  const { taskManagers } = before.target;
  const fleetNow = async (seen: typeof before, after: Asked) =>
    taskManagers && (await readFleet(reach, policy, seen, after, taskManagers));

  const fleet = await fleetNow(before, wanted);
  if (fleet !== undefined && grows) await grow(fleet, before, patience, permit);
  // Flink takes the whole set without a condition: it is read again as late as can be.
  const seen = grows && fleet !== undefined ? await look(reach, policy) : before;
  const after = askedAfter(changes, seen.named, seen.route.asked, seen.job.id);
  await seen.route.write(after, permit);
  if (fleet === undefined || fleet.pods >= fleet.replicas) return AS_DECIDED;

  try {
    const runs = async () => runsWith((await look(reach, policy)).job, after);
    if (!(await within(patience, patience.settleMs, runs)))
      throw unavailable("It does not run with them yet");
    const settled = await look(reach, policy);
    const surplus = await fleetNow(settled, after);
    if (surplus !== undefined) await shrink(surplus, settled, patience, permit);
    return AS_DECIDED;
  } catch (thrown) {
    throw leftOver(thrown);
  }
}

/** Whether a job runs with exactly these numbers. */
const runsWith = ({ state, vertices }: Job, after: Asked): boolean =>
  state === "RUNNING" &&
  vertices.every(
    ({ id, parallelism, serving }) =>
      parallelism === (after.get(id) ?? parallelism) && serving === parallelism,
  );

/** The numbers are written: that their TaskManagers are still there is tried again, and is nobody's drift. */
function leftOver(thrown: unknown): Fault {
  const fault = asFault(thrown);
  if (fault.code === "NotLeader") return fault;
  const message = `The job was asked for less, and its TaskManagers are still there: ${fault.message}`;
  return new Fault("TargetUnavailable", message, { retry: true, remedy: fault.remedy, cause: thrown });
}
