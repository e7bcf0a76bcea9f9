import { asFault } from "../../fault/index.ts";
import type { Time } from "../../kube/index.ts";

/** How long the driver waits for Flink inside a write, and by which clock. What takes longer goes on in the next pass. */
export interface Patience {
  readonly time: Time;
  /** For slots of new TaskManagers: a pod that is scheduled at once is there in ten to twenty seconds. */
  readonly slotsMs: number;
  /** For a job to run with less: a restart from a checkpoint, and Flink's own cooldown. */
  readonly settleMs: number;
  readonly pollMs: number;
}

export const PATIENCE = { slotsMs: 30_000, settleMs: 30_000, pollMs: 250 } as const;

/** Whether it came to be so within that time. A JobManager that does not answer for a moment is asked again. */
export async function within(
  { time, pollMs }: Patience,
  ms: number,
  so: () => Promise<boolean>,
): Promise<boolean> {
  const endMs = time.elapsedMs() + ms;
  for (;;) {
    if (await so().catch(isForAMoment)) return true;
    if (time.elapsedMs() >= endMs) return false;
    await new Promise<void>((resolve) => void time.after(pollMs, resolve));
  }
}

function isForAMoment(thrown: unknown): false {
  if (asFault(thrown).code === "TargetUnavailable") return false;
  throw thrown;
}
