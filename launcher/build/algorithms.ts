import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import {
  API,
  type AlgorithmMetadata,
  checkMetadata,
  SECTION,
  withSection,
} from "../../host/contract/index.ts";
import { type AssemblyScript, compile } from "./compile.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const ALGORITHMS = resolve(ROOT, "algorithms");
const BUILD = resolve(ROOT, "build/algorithms");
const STEPS = ["monitor", "analyze", "plan"] as const;
/** What an algorithm is called that says nothing about itself. */
const UNNAMED: Pick<AlgorithmMetadata, "name" | "version"> = { name: "algorithm", version: "0.0.0" };

export interface BuiltAlgorithm {
  readonly name: string;
  readonly version: string;
  /** Path of the module. */
  readonly file: string;
  readonly bytes: number;
  /** Wall time, milliseconds if nothing had changed. */
  readonly seconds: number;
  readonly cached: boolean;
}

/** Builds every algorithm that comes with Sluice, one after the other, to `build/algorithms/<name>.wasm`. */
export async function buildAlgorithms({ force = false } = {}): Promise<BuiltAlgorithm[]> {
  const folders = await readdir(ALGORITHMS, { withFileTypes: true });
  const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const built: BuiltAlgorithm[] = [];
  for (const name of names.sort()) {
    const source = { file: resolve(ALGORITHMS, name, "assembly/index.ts") };
    const metadata = resolve(ALGORITHMS, name, "algorithm.json");
    built.push(await compileAssemblyScript(source, resolve(BUILD, `${name}.wasm`), { metadata, force }));
  }
  return built;
}

interface BuildOptions {
  /** Path of the algorithm's metadata. Default: `algorithm.json` beside the source, if it is there. */
  readonly metadata?: string;
  readonly force?: boolean;
}

/**
 * Compiles an algorithm and writes the module with its metadata inside. Without metadata the module still says which steps
 * it has. Throws the compiler's messages, or what is wrong with the metadata.
 */
export async function compileAssemblyScript(
  source: AssemblyScript,
  file: string,
  { metadata, force = false }: BuildOptions = {},
): Promise<BuiltAlgorithm> {
  const { wasm, seconds, cached } = await compile(source, { force });
  const about = await readMetadata(source, metadata, exportsOf(wasm));
  const module = withSection(wasm, SECTION, new TextEncoder().encode(JSON.stringify(about)));
  await mkdir(dirname(file), { recursive: true });
  // Another process may read it just now: it finds the old module or the new one, and never half of it.
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, module);
  await rename(fresh, file);
  return { name: about.name, version: about.version, file, bytes: module.length, seconds, cached };
}

async function readMetadata(
  source: AssemblyScript,
  path: string | undefined,
  exported: readonly string[],
): Promise<AlgorithmMetadata> {
  const steps = STEPS.filter((step) => exported.includes(step));
  const beside = "file" in source ? resolve(dirname(source.file), "algorithm.json") : undefined;
  const text =
    path === undefined
      ? await (beside && readFile(beside, "utf8").catch(() => undefined))
      : await readFile(path, "utf8");
  if (text === undefined) return { api: API, ...UNNAMED, ...named(source), steps: [...steps] };
  const metadata: unknown = JSON.parse(text);
  const where = relative(process.cwd(), path ?? beside ?? "");
  const problems = checkMetadata(metadata).map(({ field, message }) => `${where}: ${field} ${message}`);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const known = metadata as AlgorithmMetadata;
  const missing = known.steps.filter((step) => !exported.includes(step));
  if (missing.length > 0)
    throw new Error(`${where}: steps names ${missing.join(", ")}, which the module does not export`);
  return known;
}

/** A file's name is the algorithm's, as far as it can be one. */
function named(source: AssemblyScript): Partial<Pick<AlgorithmMetadata, "name">> {
  if (!("file" in source)) return {};
  const name = basename(source.file, ".ts")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 63);
  return name === "" ? {} : { name };
}

function exportsOf(wasm: Uint8Array): string[] {
  const module = new WebAssembly.Module(new Uint8Array(wasm));
  return WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === "function")
    .map(({ name }) => name);
}
