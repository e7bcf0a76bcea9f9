// Builds what the PDKs' examples are kept as; run by itself it writes them anew, with their hashes.
import { resolve } from "node:path";
import { buildC, buildGo, buildRust, writeKept } from "../guests/toolchain.ts";

const PDK = resolve(import.meta.dirname, "../../pdk");

export type Language = "rust" | "go" | "c";
export const LANGUAGES: readonly Language[] = ["rust", "go", "c"];

/** Examples of a PDK as modules, by their names. */
export type Examples = Readonly<Record<string, Uint8Array>>;

/** Where a PDK's `threshold` is kept. */
export const keptThreshold = (language: Language) => resolve(PDK, language, "examples/threshold.wasm");

const named = (names: readonly string[], modules: readonly Uint8Array[]): Examples =>
  Object.fromEntries(names.map((name, at) => [name, modules[at] ?? new Uint8Array()]));

async function each(names: readonly string[], build: (name: string) => Promise<Uint8Array>) {
  const modules: Uint8Array[] = [];
  for (const name of names) modules.push(await build(name));
  return named(names, modules);
}

/** Builds all examples of a PDK. Throws `NoToolchain` or `NotComparable`, with the remedy, where that cannot be. */
export const buildExamples: Readonly<Record<Language, () => Promise<Examples>>> = {
  rust: async () => {
    const names = ["threshold", "carry", "ask"];
    const paths = names.map((name) => `examples/${name}`);
    return named(names, await buildRust(resolve(PDK, "rust"), paths));
  },
  go: () => each(["threshold", "carry", "ask"], (name) => buildGo(resolve(PDK, "go"), `./examples/${name}`)),
  c: () =>
    each(["threshold", "ask"], (name) =>
      buildC(resolve(PDK, "c"), ["json.c", "sluice.c", `examples/${name}.c`]),
    ),
};

if (process.argv[1] === import.meta.filename)
  for (const language of LANGUAGES) {
    const { threshold = new Uint8Array() } = await buildExamples[language]();
    await writeKept({ [keptThreshold(language)]: threshold });
  }
