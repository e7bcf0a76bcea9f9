import { spawn, type ChildProcess } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Cluster } from "../world/index.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** A Sluice operator as a platform team runs it: a process with the rights of its own service account and no others. */
export interface OperatorProcess extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  /** What it wrote to its log. */
  log(): string;
  /** Ends it without a word, as a node that dies would. */
  kill(): Promise<void>;
  /** Ends it as Kubernetes would; returns its exit code. */
  stop(): Promise<number | null>;
}

export interface OperatorSetting {
  readonly kubeconfig: string;
  readonly state: string;
  readonly flags?: readonly string[];
}

/** Starts an operator and returns when it is ready. */
export const operator = ({ kubeconfig, state, flags = [] }: OperatorSetting): Promise<OperatorProcess> =>
  operatorBy([
    ...["--no-warnings", "host/main.ts", "operator"],
    ...["--kubeconfig", kubeconfig, "--state", state, "--port", "0", ...flags],
  ]);

/** Starts an operator by a command line of Node's, and returns when it is ready. */
export async function operatorBy(options: readonly string[]): Promise<OperatorProcess> {
  const child = spawn(process.execPath, options, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (log += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  const url = await addressOf(child, () => log);
  return {
    pid: child.pid ?? 0,
    url,
    log: () => log,
    kill: async () => void (await end("SIGKILL")),
    stop: async () => end("SIGTERM"),
    [Symbol.asyncDispose]: async () => void (await end("SIGKILL")),
  };
}

async function addressOf(child: ChildProcess, log: () => string): Promise<string> {
  for (let tries = 0; tries < 300; tries += 1) {
    const url = /http:\/\/(127\.0\.0\.1|0\.0\.0\.0):\d+/.exec(log())?.[0];
    if (url !== undefined && (await fetch(`${url}/readyz`).catch(() => undefined))?.ok === true) return url;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`the operator did not become ready:\n${log()}`);
}

/** A kubeconfig for the account that `install/operator.yaml` makes: what the operator may do in the tests is what it may do. */
export async function operatorKubeconfig(
  { kubectl, kubeconfig }: Cluster,
  directory: string,
): Promise<string> {
  const token = (
    await kubectl(["create", "token", "sluice", "--namespace", "sluice-system", "--duration", "1h"])
  ).trim();
  const admin = await readFile(kubeconfig, "utf8");
  const view = await kubectl(["config", "view", "--raw", "--minify", "--output", "json"]);
  const { clusters } = JSON.parse(view) as { clusters: readonly { cluster: object }[] };
  if (clusters[0] === undefined) throw new Error(`no cluster in ${admin.length} bytes of kubeconfig`);
  const file = join(directory, "operator.kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster: clusters[0].cluster }],
    users: [{ name: "sluice", user: { token } }],
    contexts: [{ name: "sluice", context: { cluster: "cluster", user: "sluice" } }],
    "current-context": "sluice",
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** Waits until `look` returns what is expected, and throws what it last returned if it does not in time. */
export async function eventually<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > until) throw new Error(`still not so after ${timeoutMs} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
