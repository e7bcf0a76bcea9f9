/** Ten minutes at an interval of 15 s: after that a policy that keeps failing costs next to nothing. */
const BACKOFF_DOUBLINGS = 5;
const LONGEST_WAIT_SECONDS = 600;

/**
 * Seconds until a policy runs next, counted from the start of its last pass: its interval, or longer the more often it
 * has failed in a row. What the other side asked for (`retryAfterSeconds`) is the least.
 */
export function nextPassSeconds(intervalSeconds: number, failures: number, retryAfterSeconds = 0): number {
  const backedOff = Math.min(
    intervalSeconds * 2 ** Math.min(failures, BACKOFF_DOUBLINGS),
    LONGEST_WAIT_SECONDS,
  );
  return Math.max(intervalSeconds, backedOff, retryAfterSeconds);
}
