import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");
const PDK = resolve(ROOT, "pdk/assemblyscript");
const CACHE = resolve(ROOT, "build/cache");
const ASC = new URL("./asc.ts", import.meta.url).pathname;
/** An algorithm takes about three seconds of processor time; past this the compiler hangs. */
const COMPILE_TIMEOUT_MS = 120_000;

/** Where an algorithm in AssemblyScript stands: a file with what it imports, or a text that imports only the PDK. */
export type AssemblyScript = { readonly file: string } | { readonly text: string };

/** What the compiler process is told. */
export interface AscOrder {
  /** Name of the entry file from `home`, as it stands in messages. */
  readonly entry: string;
  readonly home: string;
  readonly text?: string;
  readonly pdk: string;
  readonly out: string;
  readonly options: readonly string[];
}

export interface Compiled {
  readonly wasm: Uint8Array;
  readonly seconds: number;
  /** Whether nothing that the compiler would read had changed, so that it did not run. */
  readonly cached: boolean;
}

type Reads = Readonly<Record<string, string | null>>;

/**
 * Compiles an algorithm, with the PDK as `@sluice/pdk`; the result is kept in `build/cache` until something that was read
 * for it changes. Throws the compiler's own messages, each with file and line.
 */
export async function compile(source: AssemblyScript, { force = false } = {}): Promise<Compiled> {
  const started = performance.now();
  const options = await compilerOptions();
  const place = placeOf(source);
  const key = hash(JSON.stringify([place, options, await compilerVersion()]));
  const cached = force ? undefined : await recall(key);
  const wasm = cached ?? (await run(key, { ...place, pdk: PDK, options }));
  return { wasm, seconds: (performance.now() - started) / 1_000, cached: cached !== undefined };
}

/** File names in messages and traps are relative to the repository, or to the algorithm's folder outside of it. */
function placeOf(source: AssemblyScript): Pick<AscOrder, "entry" | "home" | "text"> {
  if ("text" in source) return { entry: "algorithm.ts", home: ROOT, text: source.text };
  const file = resolve(source.file);
  const inside = relative(ROOT, file);
  return inside.startsWith("..")
    ? { entry: basename(file), home: dirname(file) }
    : { entry: inside, home: ROOT };
}

/** The options that the PDK asks for, as everybody who compiles with it gives them. */
async function compilerOptions(): Promise<string[]> {
  const config = JSON.parse(await readFile(resolve(PDK, "asconfig.json"), "utf8")) as {
    options: Record<string, unknown>;
  };
  return Object.entries(config.options).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [`--${name}`, String(one)]),
  );
}

async function compilerVersion(): Promise<unknown> {
  const file = resolve(ROOT, "node_modules/assemblyscript/package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: unknown }).version;
}

async function recall(key: string): Promise<Uint8Array | undefined> {
  try {
    const reads = JSON.parse(await readFile(`${CACHE}/${key}.json`, "utf8")) as Reads;
    const fresh = await Promise.all(Object.entries(reads).map(([path, was]) => isStill(path, was)));
    return fresh.every(Boolean) ? await readFile(`${CACHE}/${key}.wasm`) : undefined;
  } catch {
    return undefined;
  }
}

async function isStill(path: string, was: string | null): Promise<boolean> {
  const text = await readFile(path).catch(() => null);
  return (text === null ? null : hash(text)) === was;
}

async function run(key: string, order: Omit<AscOrder, "out">): Promise<Uint8Array> {
  await mkdir(CACHE, { recursive: true });
  const out = `${CACHE}/${key}.${randomUUID()}`;
  try {
    const { reads, message } = await inProcess({ ...order, out });
    if (message !== undefined) throw new Error(message);
    // A text has no file that could change: its key holds it.
    const { [resolve(order.home, order.entry)]: entry, ...others } = reads;
    const kept = order.text === undefined && entry !== undefined ? reads : others;
    await writeFile(`${out}.json`, JSON.stringify(kept));
    // Two processes may compile the same: each renames whole files, and both files are the same.
    await rename(out, `${CACHE}/${key}.wasm`);
    await rename(`${out}.json`, `${CACHE}/${key}.json`);
    return await readFile(`${CACHE}/${key}.wasm`);
  } finally {
    await rm(out, { force: true });
  }
}

async function inProcess(order: AscOrder): Promise<{ reads: Reads; message?: string }> {
  const { stdout } = await promisify(execFile)(process.execPath, [ASC, JSON.stringify(order)], {
    cwd: ROOT,
    env: {},
    timeout: COMPILE_TIMEOUT_MS,
    maxBuffer: 16 * 1_024 * 1_024,
  });
  return JSON.parse(stdout) as { reads: Reads; message?: string };
}

const hash = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
