import { Cron } from "croner";
import type { Window } from "./policy.ts";

/** Patterns that were read before: reading one takes longer than asking it. A thousand are some hundred KB. */
const PATTERNS_KEPT = 1_000;
const patterns = new Map<string, Cron>();

/**
 * The windows that are open at a time. A window is open when its next end comes before its next start, in its time zone;
 * where a clock is put forward, a time that does not exist counts as the moment after.
 */
export const openWindows = (windows: readonly Window[], at: Date): Window[] =>
  windows.filter(({ start, end, timeZone }) => {
    const [starts, ends] = [start, end].map((pattern) => cronOf(pattern, timeZone).nextRun(at));
    return ends !== null && ends !== undefined && (starts === null || starts === undefined || ends < starts);
  });

/** What is wrong with a pattern of five fields or a time zone, or undefined. */
export function timesProblem(pattern: string, timeZone: string): string | undefined {
  try {
    return cronOf(pattern, timeZone).nextRun(new Date(0)) === null ? "it never comes" : undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function cronOf(pattern: string, timeZone: string): Cron {
  const name = `${pattern} ${timeZone}`;
  const known = patterns.get(name);
  if (known !== undefined) return known;
  const cron = new Cron(pattern, { timezone: timeZone, mode: "5-part", paused: true });
  if (patterns.size >= PATTERNS_KEPT) patterns.clear();
  patterns.set(name, cron);
  return cron;
}
