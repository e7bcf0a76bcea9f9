const LOOK_MS = 2;

/**
 * Watches the event loop of this process; returns the longest that it was held up, in milliseconds of this thread's own
 * processor time. A machine that gives the processor to others makes a loop late as well, and is not what is measured.
 */
export function watchLoop(): () => number {
  let worstMs = 0;
  let last = process.threadCpuUsage();
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(last);
    worstMs = Math.max(worstMs, (user + system) / 1_000);
    last = process.threadCpuUsage();
  };
  const timer = setInterval(look, LOOK_MS);
  return () => {
    look();
    clearInterval(timer);
    return worstMs;
  };
}
