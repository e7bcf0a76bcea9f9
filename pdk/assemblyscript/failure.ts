import { error } from "./extism";

/** Ends the step without an answer. The message becomes the policy's condition, and nothing is scaled. */
export function fail(message: string): void {
  error(message);
  unreachable();
}

/** What the compiler calls where a check of its own fails, such as an index out of range: tells the host where. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "abort" : message;
  const where = file === null ? "?" : file;
  fail(`${what} (${where}:${line}:${column})`);
}
