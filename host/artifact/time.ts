/** The clock and the alarm of everything that waits for a registry. */
export interface Time {
  /** For durations: never jumps. */
  elapsedMs(): number;
  /** Rings once after `ms`, unless the returned function is called before. */
  after(ms: number, ring: () => void): () => void;
}

/** The machine's own time. */
export const machineTime: Time = {
  elapsedMs: () => performance.now(),
  after: (ms, ring) => {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
};
