// Builds the guests of every language; run by itself it writes them anew, with their hashes.
import { join } from "node:path";
import { compile } from "../../launcher/build/compile.ts";
import { buildC, buildGo, buildRust, writeKept } from "./toolchain.ts";

export const HERE = import.meta.dirname;

export type Language = "assemblyscript" | "rust" | "go" | "c";
export const LANGUAGES: readonly Language[] = ["assemblyscript", "rust", "go", "c"];

const BUILDS: Readonly<Record<Language, () => Promise<Uint8Array>>> = {
  assemblyscript: async () => (await compile({ file: join(HERE, "assemblyscript/index.ts") })).wasm,
  rust: async () => (await buildRust(join(HERE, "rust"), ["guest"]))[0] ?? new Uint8Array(),
  go: () => buildGo(join(HERE, "go")),
  c: () => buildC(join(HERE, "c"), ["guest.c"]),
};

/** Builds a guest from its source. Throws `NoToolchain`, with the remedy, where it cannot be built. */
export const build = (language: Language): Promise<Uint8Array> => BUILDS[language]();

if (process.argv[1] === import.meta.filename)
  for (const language of LANGUAGES)
    await writeKept({ [join(HERE, `${language}.wasm`)]: await build(language) });
