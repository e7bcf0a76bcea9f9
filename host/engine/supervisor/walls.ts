import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Walls } from "../message.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../sandbox/main.ts", import.meta.url));
/** What the sandbox's program imports, and nothing else of the checkout, the state or the machine. */
const READABLE = [
  ...["engine", "fault", "tenant", "contract"].map((folder) => `host/${folder}`),
  ...["ajv", "fast-deep-equal", "fast-uri", "json-schema-traverse"].map((name) => `node_modules/${name}`),
  "package.json",
];
const OPTIONS = [
  "--permission",
  ...READABLE.map((path) => `--allow-fs-read=${ROOT}${path}`),
  // It opens files without asking what may be read: every tenant's knowledge, and any new file (Node 24.21).
  "--no-experimental-sqlite",
  // Whoever may signal a process could open its debugger, and be that process.
  "--disable-sigusr1",
  "--disable-proto=delete",
  "--no-addons",
  "--no-warnings",
  // JavaScript's own heap; what a guest uses is limited elsewhere.
  "--max-old-space-size=96",
];

/** A way to start a process behind walls of the kernel. */
export interface Way {
  readonly walls: Walls;
  /** What is executed before Node, and then becomes Node in its own place: the process keeps its number. */
  readonly command: (user: number) => readonly string[];
}

const unshare = (...options: readonly string[]) => ["/usr/bin/unshare", ...options, "--"];
const EMPTY_NETWORK = ["--net", "--ipc"];
const asUser = (user: number) => [`--setuid=${user}`, `--setgid=${user}`];

/** The ways to try, the safest first. What a machine or a container forbids, and who may ask for it, is found by trying. */
const WAYS: readonly Way[] = [
  {
    walls: { network: true, user: true },
    command: (user) => unshare(...EMPTY_NETWORK, ...asUser(user)),
  },
  { walls: { network: true, user: false }, command: () => unshare("--user", ...EMPTY_NETWORK) },
  { walls: { network: false, user: true }, command: (user) => unshare(...asUser(user)) },
];
/** Where nothing can be had: the walls of Node and of WebAssembly stand alone. */
export const OPEN: Way = { walls: { network: false, user: false }, command: () => [] };

/** Users for sandboxes: none that a machine has by itself, and within what a container is given. */
const USERS = { first: 60_000, count: 5_000 } as const;
let started = process.pid;

/** Starts a sandbox: no environment, no handle but three pipes, and the walls of the way. */
export function startSandbox({ command }: Way, program: readonly string[] = [PROGRAM]): ChildProcess {
  const user = USERS.first + (started++ % USERS.count);
  const [file = process.execPath, ...args] = [...command(user), process.execPath, ...OPTIONS, ...program];
  return spawn(file, args, { env: {}, cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
}

/** The safest way that this machine allows, found by starting a sandbox in each until one is ready and can be killed. */
export async function findWay(): Promise<Way> {
  for (const way of WAYS) if (await stands(way)) return way;
  return OPEN;
}

/** A start takes 0.2 s on an idle machine and seconds on a full one. */
const TRIAL_MS = 20_000;

function stands(way: Way): Promise<boolean> {
  return new Promise((resolve) => {
    const trial = startSandbox(way);
    const late = setTimeout(() => trial.kill("SIGKILL"), TRIAL_MS);
    let isReady = false;
    trial.stdout?.once("data", () => {
      isReady = true;
      // A process of another user or namespace that could not be killed would be worse than one without walls.
      if (!trial.kill("SIGKILL")) resolve(false);
    });
    trial.stdin?.on("error", () => undefined);
    const over = () => {
      clearTimeout(late);
      resolve(isReady && trial.signalCode === "SIGKILL");
    };
    trial.on("error", over);
    trial.on("close", over);
  });
}
