// Compilers of the languages whose modules are kept with their source: each of one version, so that they make the same bytes.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const CACHE = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice", "guests");
const RUST = "1.95.0";
const ZIG = "0.15.1";
/** Of Go any patch of this version gives the same bytes only by chance: what was built with another is not compared. */
const GO = "go1.26.8";

/** There is no toolchain of the version that a module was built with: what to do about it. */
export class NoToolchain extends Error {}
/** There is one, but of another version, or a part of it had to be fetched from a registry and could not be. */
export class NotComparable extends Error {}

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const run = async (file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) =>
  (await promisify(execFile)(file, [...args], { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 }))
    .stdout;

/** Does something in a folder that is gone afterwards. */
async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-guest-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds a package of a Go module. */
export const buildGo = (module: string, name = "."): Promise<Uint8Array> =>
  inFolder(async (folder) => {
    const version = await run("go", ["env", "GOVERSION"], folder).catch(() => "none");
    if (version === "none") throw new NoToolchain(`put ${GO} on PATH`);
    if (version.trim() !== GO)
      throw new NotComparable(`it is built with ${GO}, and here is ${version.trim()}`);
    const out = join(folder, "guest.wasm");
    const flags = ["-buildmode=c-shared", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w -buildid="];
    await run("go", ["build", ...flags, "-o", out, name], module, {
      ...{ GOOS: "wasip1", GOARCH: "wasm", GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "" },
    });
    return readFile(out);
  });

/** Builds a crate with its examples, and returns the modules that are asked for, such as `examples/threshold`. */
export const buildRust = (crate: string, names: readonly string[]): Promise<Uint8Array[]> =>
  inFolder(async (folder) => {
    const target = "wasm32-unknown-unknown";
    await run("rustup", ["run", RUST, "rustc", "--version"], folder).catch(() => {
      throw new NoToolchain(`install Rust ${RUST} by rustup`);
    });
    await run("rustup", ["target", "add", target, "--toolchain", RUST], folder).catch(() => {
      throw new NotComparable(`rustup could not fetch the target ${target}`);
    });
    await cp(crate, join(folder, "rust"), { recursive: true });
    const environment = { RUSTUP_TOOLCHAIN: RUST, CARGO_TARGET_DIR: join(folder, "target") };
    await run("cargo", ["fetch", "--locked", "--target", target], join(folder, "rust"), environment);
    // A stack of a mebibyte, which is the default, makes every new instance cost its zeroing.
    const stack = "-Clink-arg=-zstack-size=65536";
    const words = ["build", "--release", "--locked", "--lib", "--examples", "--target", target];
    const flags = [...(await remapped(folder)), stack].join(" ");
    await run("cargo", words, join(folder, "rust"), { ...environment, RUSTFLAGS: flags });
    const release = join(folder, "target", target, "release");
    return Promise.all(names.map((name) => readFile(join(release, `${name}.wasm`))));
  });

/** Where things lay when they were built stands in messages of a panic: it is to be the same everywhere. */
async function remapped(folder: string): Promise<string[]> {
  const cargo = process.env["CARGO_HOME"] || join(homedir(), ".cargo");
  const sources = join(cargo, "registry/src");
  // Of several prefixes that fit, the last one counts.
  const places = [
    [cargo, "/cargo"],
    ...(await readdir(sources)).map((name) => [join(sources, name), "/crates"]),
    [folder, "/guest"],
  ];
  return places.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

/** Builds files of C that lie in one folder. */
export const buildC = (home: string, files: readonly string[]): Promise<Uint8Array> =>
  inFolder(async (folder) => {
    const python = await zigHome();
    const out = join(folder, "guest.wasm");
    const flags = [
      ...["-target", "wasm32-wasi", "-mexec-model=reactor", "-O2", "-s"],
      ...["-Wl,-z,stack-size=65536", "-Wl,--initial-memory=524288"],
    ];
    const words = ["-m", "ziglang", "cc", ...flags, "-o", out, ...files];
    await run(python, words, home, { ZIG_GLOBAL_CACHE_DIR: join(CACHE, "zig-cache") });
    return readFile(out);
  });

/** An environment with the compiler, made when there is none yet. */
async function zigHome(): Promise<string> {
  const home = join(CACHE, `zig-${ZIG}`);
  const python = join(home, "bin/python");
  const ready = join(home, "ready");
  const isReady = await access(ready).then(
    () => true,
    () => false,
  );
  if (isReady) return python;
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

/** Writes modules with their hashes, as they are kept. */
export async function writeKept(modules: Readonly<Record<string, Uint8Array>>): Promise<void> {
  for (const [path, bytes] of Object.entries(modules)) {
    await writeFile(path, bytes);
    await writeFile(`${path}.sha256`, `${sha256(bytes)}\n`);
    process.stdout.write(`${path}: ${bytes.length} bytes, ${sha256(bytes)}\n`);
  }
}
