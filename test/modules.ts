import { createHash } from "node:crypto";
import type { Credentials } from "../host/artifact/index.ts";
import { Fault } from "../host/fault/index.ts";

/** A module without anything in it but these words, in a custom section of its own: 12 bytes longer than they are. */
export function wasm(words: string): Buffer {
  const content = Buffer.concat([Buffer.from([1]), Buffer.from(`x${words}`)]);
  return Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, content.length]), content]);
}

/** A module whose step plan returns 0 at once, and that says this of itself. */
export function planner(metadata: object): Buffer {
  const name = Buffer.from("sluice.algorithm");
  const content = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(JSON.stringify(metadata))]);
  if (content.length > 127) throw new RangeError("the length of a section is written in one byte here");
  const types = [1, 5, 1, 0x60, 0, 1, 0x7f];
  const functions = [3, 2, 1, 0];
  const exports = [7, 8, 1, 4, ...Buffer.from("plan"), 0, 0];
  const code = [10, 6, 1, 4, 0, 0x41, 0, 0x0b];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Buffer.concat([
    Buffer.from([...header, ...types, ...functions, ...exports, ...code, 0, content.length]),
    content,
  ]);
}

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A name and a password for one registry. */
export const credentials = (host: string, username: string, password: string): Credentials =>
  new Map([[host, { kind: "basic", username, password }]]);

/** The fault that the work ends with; anything else is an error of the test. */
export async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (thrown instanceof Fault) return thrown;
  throw new Error(`no fault, but ${String(thrown)}`);
}
