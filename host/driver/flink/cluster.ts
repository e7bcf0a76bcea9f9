import {
  count,
  fields,
  FLINK_LIMITS,
  list,
  readJob,
  runningJobs,
  text,
  type FlinkRest,
} from "../../flink/index.ts";
import { slotsFor } from "./slots.ts";

/** Slots of a whole Flink cluster, which other jobs may use as well. */
export interface Slots {
  readonly total: number;
  readonly free: number;
}

const MOST_SLOTS = 10_000_000;

/** The slots of the cluster now. */
export async function readSlots(rest: FlinkRest): Promise<Slots> {
  const answer = fields(await rest.get("/overview"));
  const total = count(answer["slots-total"], "number of slots", 0, MOST_SLOTS);
  return { total, free: count(answer["slots-available"], "number of free slots", 0, total) };
}

/** Slots that the other jobs of the cluster need. */
export async function slotsOfOthers(rest: FlinkRest, own: string): Promise<number> {
  let slots = 0;
  for (const { id } of await runningJobs(rest)) {
    if (id === own) continue;
    const { vertices } = await readJob(rest, id);
    slots += slotsFor(vertices, new Map(vertices.map((one) => [one.id, one.parallelism])), "Shared");
  }
  return slots;
}

/** A TaskManager, as the JobManager knows it. */
export interface TaskManager {
  readonly id: string;
  /** Nothing runs on it. */
  readonly isIdle: boolean;
}

/** The TaskManagers that are registered now. */
export async function readTaskManagers(rest: FlinkRest): Promise<readonly TaskManager[]> {
  const answer = fields(await rest.get("/taskmanagers"));
  return list(answer["taskmanagers"], "TaskManagers", FLINK_LIMITS.taskManagers).map((one) => {
    const slots = count(one["slotsNumber"], "slots of a TaskManager", 0, MOST_SLOTS);
    const free = count(one["freeSlots"], "free slots of a TaskManager", 0, MOST_SLOTS);
    return { id: text(one["id"], "id of a TaskManager"), isIdle: free === slots };
  });
}
