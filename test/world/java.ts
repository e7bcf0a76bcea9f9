import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "./lock.ts";

const run = promisify(execFile);

/** There is no Java or Maven on this machine, or Maven reaches no repository: what to do about it. */
export class NoJava extends Error {}

/**
 * The class path of the jars that a folder's `pom.xml` names and of its compiled `*.java`, as it is now: fetched and compiled
 * once, kept under `~/.cache/sluice/<name>-<hash>`. Throws `NoJava`, with the remedy, where that cannot be done.
 */
export async function classPath(name: string, folder: string): Promise<string> {
  const sources = (await readdir(folder)).filter((file) => file.endsWith(".java")).sort();
  const pom = await readFile(join(folder, "pom.xml"));
  const jars = await cached(`${name}-${hashOf([pom])}`, (into) => fetch(folder, into));
  const path = `${jars}/*`;
  const texts = await Promise.all(sources.map((file) => readFile(join(folder, file))));
  const classes = await cached(`${name}-${hashOf([pom, ...texts])}-classes`, async (into) => {
    const files = sources.map((file) => join(folder, file));
    await java("javac", ["-nowarn", "-cp", path, "-d", into, ...files]);
  });
  return `${path}:${classes}`;
}

const hashOf = (parts: readonly Buffer[]) =>
  parts
    .reduce((hash, part) => hash.update(part), createHash("sha256"))
    .digest("hex")
    .slice(0, 16);

/** Made beside its place and moved there whole. */
async function cached(name: string, make: (into: string) => Promise<void>): Promise<string> {
  const all = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice");
  const path = join(all, name);
  if (await isThere(path)) return path;
  await mkdir(all, { recursive: true });
  await withLock(`${path}.lock`, async () => {
    if (await isThere(path)) return;
    const unfinished = `${path}.unfinished-${process.pid}`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await make(unfinished);
    await rename(unfinished, path);
  });
  return path;
}

async function fetch(folder: string, into: string): Promise<void> {
  const work = join(into, ".work");
  await mkdir(work);
  await cp(join(folder, "pom.xml"), join(work, "pom.xml"));
  const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${into}`, "-DincludeScope=runtime"];
  await java("mvn", ["-q", "-B", "-f", join(work, "pom.xml"), ...goal]);
  await rm(work, { recursive: true });
}

/** Where we may, what is missing is installed. */
async function install(): Promise<void> {
  const words = ["-o", "DPkg::Lock::Timeout=300", "install", "--yes", "--no-install-recommends", ...PACKAGES];
  if (process.getuid?.() === 0)
    await run("apt-get", words, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
}
const PACKAGES = ["openjdk-17-jdk-headless", "maven"];

async function java(program: string, words: readonly string[]): Promise<void> {
  const start = () => run(program, words, { maxBuffer: 16 * 1_024 * 1_024 });
  try {
    await start().catch(async (thrown: unknown) => {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
      await install();
      await start();
    });
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.slice(0, 2_000) : String(thrown);
    throw new NoJava(
      `A JDK of 17 or later and Maven are needed, with a repository that Maven reaches (apt-get install ${PACKAGES.join(" ")}): ${why}`,
    );
  }
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
