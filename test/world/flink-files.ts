import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, cp, mkdir, readdir, readFile, rename, rm, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { withLock } from "./lock.ts";

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, "flink");
const MOST_OUTPUT = 16 * 1_024 * 1_024;

/** There is no Flink on this machine, and none could be installed: what to do about it. */
export class NoFlink extends Error {}

/** What runs Flink, and the job of the tests. */
export interface FlinkFiles {
  /** For `java -cp`. */
  readonly classPath: string;
  /** The jar of test/world/flink. */
  readonly job: string;
}

/**
 * Flink's jars and the compiled test job, made once for exactly these sources (Maven fetches 69 MB, javac compiles).
 * Throws `NoFlink`, with the remedy, where that cannot be done.
 */
export async function flinkFiles(): Promise<FlinkFiles> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice");
  const names = (await readdir(SOURCE)).toSorted();
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${name}\n`).update(await readFile(join(SOURCE, name)));
  const folder = join(cache, `flink-${hash.digest("hex").slice(0, 32)}`);
  if (!(await isThere(folder))) {
    await mkdir(cache, { recursive: true });
    await withLock(`${folder}.lock`, async () => {
      if (!(await isThere(folder))) await make(folder);
    });
  }
  await utimes(folder, new Date(), new Date());
  return { classPath: join(folder, "lib", "*"), job: join(folder, "job.jar") };
}

/** Makes it beside the place where it belongs and moves it there whole. */
async function make(folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished-${process.pid}`;
  const at = (name: string) => join(unfinished, name);
  try {
    await cp(SOURCE, at("src"), { recursive: true });
    const fetch = [
      "dependency:copy-dependencies",
      `-DoutputDirectory=${at("lib")}`,
      "-DincludeScope=runtime",
    ];
    await run("mvn", ["-q", "-B", "-f", at("src/pom.xml"), ...fetch], { maxBuffer: MOST_OUTPUT });
    const sources = (await readdir(at("src"))).filter((name) => name.endsWith(".java"));
    const compile = ["-cp", at("lib/*"), "-d", at("classes"), ...sources.map((name) => at(`src/${name}`))];
    await run("javac", ["--release", "17", "-Xlint:-options", ...compile]);
    await run("jar", ["cf", at("job.jar"), "-C", at("classes"), "."]);
    await rename(unfinished, folder);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.slice(0, 1_000) : String(thrown);
    throw new NoFlink(
      `Flink cannot be made ready: install a JDK 17 and Maven that reaches its repository (${why})`,
    );
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
