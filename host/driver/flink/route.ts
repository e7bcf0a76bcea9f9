import {
  readRequirements,
  writeRequirements,
  type FlinkRest,
  type Job,
  type Requirements,
} from "../../flink/index.ts";
import type { Permit, Writer } from "../../loop/index.ts";
import { boundsAfter, sameBounds, type Asked } from "./requirements.ts";
import { expectAdaptive, type Options } from "./suitable.ts";

/** How a job is told the parallelism of its vertices. */
export interface Route {
  /** What is asked of each vertex now, by its id. */
  readonly asked: Asked;
  /** Who asked last, where that can be known: Flink itself does not say. */
  readonly writer?: Omit<Writer, "parallelism">;
  /** Its TaskManagers are what it is told by: nobody else is to scale them. */
  readonly isReactive?: true;
  /** What comes of numbers that are asked for, where that can be others. */
  granted?(after: Asked): Asked;
  /** Asks for these numbers, unless they are asked for already. The permit is asked directly before. */
  write(after: Asked, permit: Permit): Promise<void>;
}

/**
 * By the JobManager's resource requirements: in place, within seconds, and lost when the job is started anew. Flink takes
 * the whole set and knows no precondition: what somebody else writes between our read and our write is lost.
 */
export async function restRoute(rest: FlinkRest, job: Job, options: Options): Promise<Route> {
  expectAdaptive(options);
  const now = await readRequirements(rest, job);
  return {
    asked: uppers(now),
    write: async (after, permit) => {
      const bounds = boundsAfter(now, after);
      if (sameBounds(bounds, now)) return;
      const denied = permit();
      if (denied !== undefined) throw denied;
      await writeRequirements(rest, job.id, bounds);
    },
  };
}

const uppers = (bounds: Requirements): Asked => new Map([...bounds].map(([id, { upper }]) => [id, upper]));
