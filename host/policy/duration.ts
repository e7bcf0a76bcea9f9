/** A whole number and a unit. Six digits keep every duration below 115 years, far inside what CEL's nanoseconds can hold. */
export const DURATION = "^[0-9]{1,6}(ms|s|m|h)$";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SHAPE = new RegExp(DURATION);

/** The milliseconds of a duration such as `250ms`, `15s`, `3m` or `1h`; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const unit = SHAPE.exec(text)?.[1];
  const milliseconds = unit === undefined ? undefined : MILLISECONDS[unit];
  return milliseconds === undefined ? undefined : Number.parseInt(text, 10) * milliseconds;
}
