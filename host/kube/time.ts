/** The clock, the alarm and the dice of everything that talks to the cluster; tests turn them by hand. */
export interface Time {
  /** For records. */
  now(): Date;
  /** For durations: never jumps, whatever is done to the machine's clock. */
  elapsedMs(): number;
  /** Rings once after `ms`, unless the returned function is called before. */
  after(ms: number, ring: () => void): () => void;
  /** At least 0 and below 1. */
  random(): number;
}

/** The machine's own time and chance, for the program's entry point. */
export const machineTime: Time = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  after: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Ends after `ms`, or at once when the signal is given; it never throws. */
export function pause(time: Time, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const cancel = time.after(ms, end);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** A wait that is up to `share` shorter or longer, so that many who wait do not come back together. */
export const jittered = (time: Time, ms: number, share = 0.1): number =>
  ms * (1 - share + 2 * share * time.random());
