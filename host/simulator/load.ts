/** A day in four minutes: long enough to watch every change settle, short enough to watch a whole one. */
const DAY_SECONDS = 240;
const NIGHT_LINES_PER_SECOND = 20;
const NOON_LINES_PER_SECOND = 280;
/** Every afternoon somebody's campaign begins: the load jumps faster than instances can follow. */
const BURST = { fromSecond: 160, toSecond: 175, linesPerSecond: 120 } as const;

/** Lines per second that arrive at an instant; the same instant always has the same load. */
export function loadAt(atSeconds: number): number {
  const second = ((atSeconds % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS;
  const daylight = (1 - Math.cos((2 * Math.PI * second) / DAY_SECONDS)) / 2;
  const burst = second >= BURST.fromSecond && second < BURST.toSecond ? BURST.linesPerSecond : 0;
  return NIGHT_LINES_PER_SECOND + (NOON_LINES_PER_SECOND - NIGHT_LINES_PER_SECOND) * daylight + burst;
}
