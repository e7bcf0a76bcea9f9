import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import createPlugin, { type CallContext } from "@extism/extism";

import { compileAssemblyScript } from "../launcher/build/algorithms.ts";

/** What a step did on the stock Extism SDK, which knows nothing of Sluice. */
export interface Outcome {
  /** The answer, understood; undefined if the step failed. */
  readonly answer: unknown;
  /** What the step told the host by `error_set`. */
  readonly error: string | undefined;
  readonly logs: readonly string[];
}

/** Calls a step in a fresh plugin on the stock Extism SDK. */
export async function callStock(file: string, step: string, input: unknown): Promise<Outcome> {
  const module = new WebAssembly.Module(new Uint8Array(await readFile(file)));
  const logs: string[] = [];
  let error: string | undefined;
  const heard = (level: string) => (context: CallContext, at: bigint) =>
    void logs.push(`${level} ${context.read(at)?.text()}`);
  const plugin = await createPlugin(
    { wasm: [{ module }] },
    {
      useWasi: false,
      functions: {
        "extism:host/env": {
          // After a trap the SDK forgets what was set here.
          error_set: (context: CallContext, at: bigint) => void (error = context.read(at)?.text()),
          log_info: heard("info"),
          log_warn: heard("warn"),
        },
      },
    },
  );
  try {
    const output = await plugin.call(step, typeof input === "string" ? input : JSON.stringify(input));
    return { answer: output?.json(), error, logs };
  } catch {
    return { answer: undefined, error, logs };
  } finally {
    await plugin.close();
  }
}

/** Compiles an algorithm, given as text or file, and calls one of its steps. */
export async function compileAndCall(
  source: Parameters<typeof compileAssemblyScript>[0],
  step: string,
  input: unknown,
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-algorithm-"));
  try {
    const { file } = await compileAssemblyScript(source, join(folder, "algorithm.wasm"));
    return await callStock(file, step, input);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
