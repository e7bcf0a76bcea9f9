import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { withLock } from "./lock.ts";
import { GO_ENVIRONMENT, toolchain, type Toolchain } from "./toolchain.ts";

const CLUSTER = join(import.meta.dirname, "../cluster");
const PROMETHEUS = join(CLUSTER, "prometheus");
// A binary of a branch that is gone is 150 MB that nobody asks for.
const KEPT_BUILDS = 4;

/** A Go program, and how it is built. */
interface Program {
  readonly name: string;
  /** The folder of its module. */
  readonly module: string;
  readonly main: string;
  readonly tags: string;
  /** How long a build takes on two cores when nothing is cached. */
  readonly minutes: number;
  /** Says what `-X` stamps, given the module's requirements. */
  readonly stamps: (required: (path: string) => string) => Readonly<Record<string, string>>;
}

const TESTWORLD: Program = {
  name: "testworld",
  module: CLUSTER,
  main: ".",
  tags: "",
  minutes: 9,
  stamps: kubernetesStamps,
};

const PROMETHEUS_SERVER: Program = {
  name: "prometheus",
  module: PROMETHEUS,
  main: "github.com/prometheus/prometheus/cmd/prometheus",
  // Without service discoveries: the clients of a dozen clouds are most of the server.
  tags: "remove_all_sd",
  minutes: 4,
  stamps: (required) => ({
    // The library's v0.313.5 is the server's 3.13.5.
    "github.com/prometheus/common/version.Version": required("github.com/prometheus/prometheus").replace(
      /^v0\.(\d)0?(\d+)\./,
      "$1.$2.",
    ),
  }),
};

const HELM: Program = {
  name: "helm",
  // The packages that it shares with the control plane are compiled already.
  module: CLUSTER,
  main: "helm.sh/helm/v3/cmd/helm",
  tags: "",
  minutes: 1,
  stamps: (required) => {
    const [major = "", minor = ""] = required("k8s.io/kubernetes").replace("v", "").split(".");
    const path = "helm.sh/helm/v3/pkg";
    return {
      [`${path}/chartutil.k8sVersionMajor`]: major,
      [`${path}/chartutil.k8sVersionMinor`]: minor,
      [`${path}/lint/rules.k8sVersionMajor`]: major,
      [`${path}/lint/rules.k8sVersionMinor`]: minor,
    };
  },
};

/**
 * The path of the test world's binary (test/cluster), built when there is none of exactly this source yet. It takes
 * minutes then, and says so on stderr. `SLUICE_TESTWORLD` names a binary to use instead.
 */
export function testworldBinary(): Promise<string> {
  return binary(TESTWORLD, "SLUICE_TESTWORLD");
}

/** The path of the Prometheus server's binary, built like the test world's; `SLUICE_PROMETHEUS` names another. */
export function prometheusBinary(): Promise<string> {
  return binary(PROMETHEUS_SERVER, "SLUICE_PROMETHEUS");
}

/** The path of Helm's binary, built like the test world's; `SLUICE_HELM` names another. */
export function helmBinary(): Promise<string> {
  return binary(HELM, "SLUICE_HELM");
}

const asked = new Map<string, Promise<string>>();

async function binary(program: Program, override: string): Promise<string> {
  const path = process.env[override];
  if (path !== undefined && path !== "") {
    if (await isThere(path)) return path;
    throw new Error(`${override} is set to ${path}, and there is no such file`);
  }
  const answer = asked.get(program.name) ?? cached(program);
  asked.set(program.name, answer);
  return answer;
}

async function cached(program: Program): Promise<string> {
  const requirements = await readFile(join(program.module, "go.mod"), "utf8");
  const go = await toolchain(/^go (\S+)$/m.exec(requirements)?.[1] ?? "1.26.0");
  const builds = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "sluice", program.name);
  const build = join(builds, await fingerprint(program, go));
  const path = join(build, program.name);
  if (!(await isThere(path))) {
    await mkdir(builds, { recursive: true });
    await withLock(`${build}.lock`, async () => {
      if (!(await isThere(path))) await compile(program, requirements, build);
    });
    await prune(builds);
  }
  await utimes(build, new Date(), new Date());
  return path;
}

async function fingerprint(program: Program, go: Toolchain): Promise<string> {
  const hash = createHash("sha256").update(`${go.version} ${go.platform} ${program.main} ${program.tags}\n`);
  const names = (await readdir(program.module)).filter((name) => /(\.go|^go\.mod|^go\.sum)$/.test(name));
  for (const name of names.sort()) {
    hash.update(`${name}\n`).update(await readFile(join(program.module, name)));
  }
  return hash.digest("hex").slice(0, 32);
}

/** Builds beside the place where the binary belongs and moves it there whole. */
async function compile(program: Program, requirements: string, build: string): Promise<void> {
  const began = performance.now();
  // What a build that was killed has left, which may still be at work.
  for (const name of await readdir(dirname(build))) {
    if (name.startsWith(`${basename(build)}.unfinished`))
      await rm(join(dirname(build), name), { recursive: true, force: true });
  }
  const unfinished = `${build}.unfinished-${process.pid}`;
  const stamps = Object.entries(program.stamps((path) => required(requirements, path)));
  const linker = ["-s", "-w", ...stamps.map(([variable, value]) => `-X ${variable}=${value}`)].join(" ");
  const output = join(unfinished, program.name);
  const options = [
    "build",
    "-trimpath",
    "-tags",
    program.tags,
    "-ldflags",
    linker,
    "-o",
    output,
    program.main,
  ];
  note(
    `building ${program.name} (once; about ${program.minutes} minutes on two cores when nothing is cached)`,
  );
  await go(options, program.module);
  await rename(unfinished, build).catch(async (thrown: unknown) => {
    // A holder of the lock that was thought dead has put the same thing there.
    if (!(await isThere(join(build, program.name)))) throw thrown;
    await rm(unfinished, { recursive: true });
  });
  note(`built ${program.name} in ${Math.round((performance.now() - began) / 1_000)} s`);
}

/** A client of Kubernetes parses the server's version, and an unstamped build has none. */
function kubernetesStamps(required: (path: string) => string): Record<string, string> {
  const version = required("k8s.io/kubernetes");
  const [major = "", minor = ""] = version.replace(/^v/, "").split(".");
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
  const stamps = packages.flatMap((path) =>
    Object.entries(values).map(([name, value]) => [`${path}.${name}`, value]),
  );
  return Object.fromEntries(stamps) as Record<string, string>;
}

function required(requirements: string, path: string): string {
  const line = requirements.split("\n").find((text) =>
    text
      .trim()
      .replace(/^require /, "")
      .startsWith(`${path} `),
  );
  return (
    line
      ?.trim()
      .split(" ")
      .find((word) => word.startsWith("v") && word !== path) ?? "v0.0.0"
  );
}

function go(options: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...GO_ENVIRONMENT };
    const child = spawn("go", options, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_096)));
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`go build failed in ${cwd}:\n${said}`)),
    );
  });
}

async function prune(builds: string): Promise<void> {
  const finished = (await readdir(builds)).filter((name) => /^[0-9a-f]{32}$/.test(name));
  const used = await Promise.all(
    finished.map(async (name) => ({
      name,
      at: (await stat(join(builds, name)).catch(() => ({ mtimeMs: 0 }))).mtimeMs,
    })),
  );
  const old = used.sort((a, b) => b.at - a.at).slice(KEPT_BUILDS);
  await Promise.all(old.map(({ name }) => rm(join(builds, name), { recursive: true, force: true })));
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function note(text: string): void {
  process.stderr.write(`sluice: ${text}\n`);
}
