import { readFile } from "node:fs/promises";
import { writeLayout } from "../../host/artifact/index.ts";
import type { BuiltAlgorithm } from "./algorithms.ts";

/** Where `npm start` finds the algorithms that come with Sluice: an OCI image layout. */
const LAYOUT = "build/registry";

/** Lays the built algorithms out as the embedded registry, each under its version and as latest. */
export async function buildLayout(built: readonly BuiltAlgorithm[]): Promise<void> {
  const entries = built.map(async ({ name, version, file }) => {
    const wasm = await readFile(file);
    const metadata = { title: name, version };
    return ["latest", version].map((tag) => ({ name: `algorithms/${name}:${tag}`, wasm, metadata }));
  });
  await writeLayout(LAYOUT, (await Promise.all(entries)).flat());
}
