import { asFault, type Fault } from "../fault/index.ts";
import type { Time } from "../kube/index.ts";
import { liveKey, type PolicyKey } from "../policy/index.ts";

/** How often is looked whether all policies have been read, and how long after a failure it is tried again. */
const LOOK_MS = 1_000;

export interface Leftovers {
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly hasSynced: () => boolean;
  /** The policies that something is kept of. */
  readonly known: () => Promise<readonly PolicyKey[]>;
  readonly isHeld: (key: PolicyKey) => boolean;
  /** Is given every policy that was deleted while nobody watched. */
  readonly gone: (key: PolicyKey) => void;
  readonly onFault: (fault: Fault) => void;
}

/** Looks once, when all policies have been read, for what is kept of those that are no more. */
export function collectLeftovers(around: Leftovers): void {
  const { time, signal, hasSynced, known, isHeld, gone, onFault } = around;
  const again = () => void (signal.aborted || time.after(LOOK_MS, look));
  const look = () => {
    if (signal.aborted) return;
    if (!hasSynced()) return again();
    known()
      .then((keys) => [...new Set(keys.map(liveKey))].filter((key) => !isHeld(key)).forEach(gone))
      .catch((thrown: unknown) => {
        onFault(asFault(thrown));
        again();
      });
  };
  look();
}
