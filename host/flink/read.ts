import { LIMITS } from "./limits.ts";
import { unavailable } from "./rest.ts";

/** A record of JSON, whatever it has. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a record; none of anything else. */
export const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** A list that is one. Throws `TargetUnavailable`. */
export function list(value: unknown, what: string, most: number): readonly Fields[] {
  if (!Array.isArray(value)) throw lies(what);
  if (value.length > most) throw unavailable(`The job has ${value.length} ${what}; at most ${most} are read`);
  return value.map(fields);
}

/** A text that is one. Throws `TargetUnavailable`. */
export function text(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "") throw lies(what);
  return value;
}

/** A number of instances, `least` at the least. Throws `TargetUnavailable`. */
export function count(value: unknown, what: string, least = 0, most: number = LIMITS.parallelism): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) throw lies(what);
  return value as number;
}

const lies = (what: string) => unavailable(`The JobManager's answer has no usable ${what}`);
