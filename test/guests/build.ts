// Builds the guests of every language; run by itself it writes them anew, with their hashes.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { compile } from "../../launcher/build/compile.ts";

export const HERE = import.meta.dirname;
const CACHE = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice", "guests");
const RUST = "1.95.0";
const ZIG = "0.15.1";
/** Of Go any patch of this version gives the same bytes only by chance: what was built with another is not compared. */
const GO = "go1.26.8";

export type Language = "assemblyscript" | "rust" | "go" | "c";
export const LANGUAGES: readonly Language[] = ["assemblyscript", "rust", "go", "c"];

/** There is no toolchain of the version that the guest was built with: what to do about it. */
export class NoToolchain extends Error {}
/** There is one, but of another version, or a part of it had to be fetched from a registry and could not be. */
export class NotComparable extends Error {}

const run = async (file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) =>
  (await promisify(execFile)(file, [...args], { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 }))
    .stdout;

/** Builds a guest from its source. Throws `NoToolchain`, with the remedy, where it cannot be built. */
export async function build(language: Language): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-guest-"));
  try {
    return await BUILDS[language](folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const BUILDS: Readonly<Record<Language, (folder: string) => Promise<Uint8Array>>> = {
  assemblyscript: async () => (await compile({ file: join(HERE, "assemblyscript/index.ts") })).wasm,
  rust: buildRust,
  go: buildGo,
  c: buildC,
};

async function buildGo(folder: string): Promise<Uint8Array> {
  const version = await run("go", ["env", "GOVERSION"], folder).catch(() => "none");
  if (version === "none") throw new NoToolchain(`put ${GO} on PATH`);
  if (version.trim() !== GO) throw new NotComparable(`it is built with ${GO}, and here is ${version.trim()}`);
  const out = join(folder, "guest.wasm");
  const flags = ["-buildmode=c-shared", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w -buildid="];
  await run("go", ["build", ...flags, "-o", out, "."], join(HERE, "go"), {
    ...{ GOOS: "wasip1", GOARCH: "wasm", GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "" },
  });
  return readFile(out);
}

async function buildRust(folder: string): Promise<Uint8Array> {
  const target = "wasm32-unknown-unknown";
  await run("rustup", ["run", RUST, "rustc", "--version"], folder).catch(() => {
    throw new NoToolchain(`install Rust ${RUST} by rustup`);
  });
  await run("rustup", ["target", "add", target, "--toolchain", RUST], folder).catch(() => {
    throw new NotComparable(`rustup could not fetch the target ${target}`);
  });
  // Where it was built stands in messages of a panic.
  const cargo = process.env["CARGO_HOME"] || join(homedir(), ".cargo");
  const paths = [`--remap-path-prefix=${cargo}=/cargo`, `--remap-path-prefix=${folder}=/guest`];
  // A stack of a mebibyte, which is the default, makes every new instance cost its zeroing.
  const stack = "-Clink-arg=-zstack-size=65536";
  await cp(join(HERE, "rust"), join(folder, "rust"), { recursive: true });
  await run("cargo", ["build", "--release", "--locked", "--target", target], join(folder, "rust"), {
    RUSTUP_TOOLCHAIN: RUST,
    RUSTFLAGS: [...paths, stack].join(" "),
    CARGO_TARGET_DIR: join(folder, "target"),
  });
  return readFile(join(folder, "target", target, "release/guest.wasm"));
}

async function buildC(folder: string): Promise<Uint8Array> {
  const python = await zigHome();
  const out = join(folder, "guest.wasm");
  const flags = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-O2",
    "-s",
    "-Wl,-z,stack-size=65536",
    "-Wl,--initial-memory=524288",
  ];
  const args = ["-m", "ziglang", "cc", ...flags, "-o", out, "guest.c"];
  await run(python, args, join(HERE, "c"), { ZIG_GLOBAL_CACHE_DIR: join(CACHE, "zig-cache") });
  return readFile(out);
}

/** An environment with the compiler, made when there is none yet. */
async function zigHome(): Promise<string> {
  const home = join(CACHE, `zig-${ZIG}`);
  const python = join(home, "bin/python");
  const ready = join(home, "ready");
  if (
    await access(ready).then(
      () => true,
      () => false,
    )
  )
    return python;
  await mkdir(CACHE, { recursive: true });
  await run("python3", ["-m", "venv", "--clear", home], CACHE).catch(() => {
    throw new NoToolchain(`install Python with venv and pip, which bring Zig ${ZIG}`);
  });
  await run(python, ["-m", "pip", "install", "--quiet", `ziglang==${ZIG}`], CACHE).catch(() => {
    throw new NotComparable(`pip could not fetch ziglang ${ZIG}`);
  });
  await writeFile(ready, "");
  return python;
}

if (process.argv[1] === import.meta.filename) {
  for (const language of LANGUAGES) {
    const bytes = await build(language);
    await writeFile(join(HERE, `${language}.wasm`), bytes);
    await writeFile(join(HERE, `${language}.wasm.sha256`), `${sha256(bytes)}\n`);
    process.stdout.write(`${language}: ${bytes.length} bytes, ${sha256(bytes)}\n`);
  }
}
