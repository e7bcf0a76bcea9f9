import { execFile } from "node:child_process";
import { appendFile, chmod, chown, mkdir, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./port.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

const run = promisify(execFile);
const HOME = "/usr/lib/postgresql";
const READY_MS = 30_000;

/** There is no PostgreSQL on this machine, and none could be installed: what to do about it. */
export class NoPostgres extends Error {}

/** A real PostgreSQL server on loopback, with durable commits. */
export interface Postgres extends AsyncDisposable {
  readonly port: number;
  /** The URL of a database of this name, which is created. */
  readonly database: (name: string) => Promise<string>;
  /** From its next start on it is reached over TLS alone, with this certificate and key. */
  readonly onlyTls: (certificate: string, key: string) => Promise<void>;
  /** Kills the server and all its children at once, as a power cut would, and returns when they are gone. */
  readonly kill: () => Promise<void>;
  /** Starts the server again with what it has on disk. */
  readonly start: () => Promise<void>;
  /** Stops (`SIGSTOP`) or continues (`SIGCONT`) the server and all its children. */
  readonly signal: (signal: "SIGSTOP" | "SIGCONT") => Promise<void>;
  /** Ends the server and removes what it has stored. */
  readonly stop: () => Promise<void>;
}

/** Starts a PostgreSQL server; throws `NoPostgres`, with the remedy, where there is none. */
export async function postgres(): Promise<Postgres> {
  const bin = await binaries();
  const user = await serverUser();
  const supervisor = await supervise();
  const { directory, stop } = supervisor;
  try {
    const data = join(directory, "postgres");
    await mkdir(data, { mode: 0o700 });
    await chmod(directory, 0o711);
    if (user !== undefined) await chown(data, user.uid, user.gid);
    const [setup, ...words] = asUser(user, join(bin, "initdb"));
    await run(setup, [...words, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], { cwd: "/" });
    const port = await freePort();
    const server = serverOf({ supervisor, bin, user, data, port });
    await server.start();
    const psql = (sql: string) =>
      run(join(bin, "psql"), ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-qc", sql]);
    const database = async (name: string) => {
      await psql(`CREATE DATABASE ${name}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    };
    const onlyTls = async (certificate: string, key: string) => {
      const set = `ssl = on\nssl_cert_file = '${join(data, "server.crt")}'\nssl_key_file = '${join(data, "server.key")}'\n`;
      await own(user, join(data, "server.crt"), await readFile(certificate, "utf8"));
      await own(user, join(data, "server.key"), await readFile(key, "utf8"));
      await own(user, join(data, "pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
      await appendFile(join(data, "postgresql.conf"), set);
    };
    return { port, database, ...server, onlyTls, stop, [Symbol.asyncDispose]: stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** Writes a file that only the server reads. */
async function own(user: User | undefined, path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

interface Server {
  readonly supervisor: Supervisor;
  readonly bin: string;
  readonly user: User | undefined;
  readonly data: string;
  readonly port: number;
}

function serverOf({
  supervisor,
  bin,
  user,
  data,
  port,
}: Server): Pick<Postgres, "kill" | "start" | "signal"> {
  let pid = 0;
  const start = async () => {
    const [program, ...words] = asUser(user, join(bin, "postgres"));
    const flags = ["-D", data, "-k", data, "-h", "127.0.0.1", "-p", String(port)];
    ({ pid } = await supervisor.start("postgres", [...words, ...flags], program));
    await ready(bin, port, supervisor.directory);
  };
  const signal = async (name: NodeJS.Signals) => {
    for (const one of [...(await childrenOf(pid)), pid]) sendTo(one, name);
  };
  const kill = async () => {
    const children = await childrenOf(pid);
    await supervisor.kill("postgres");
    for (const one of children) sendTo(one, "SIGKILL");
    while (children.some(isAlive)) await sleep(10);
  };
  return { start, signal, kill };
}

async function ready(bin: string, port: number, directory: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  const words = ["-q", "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-t", "1"];
  while (!(await run(join(bin, "pg_isready"), words).then(always, never))) {
    if (Date.now() > deadline) {
      const log = await readFile(join(directory, "logs/postgres.log"), "utf8").catch(() => "");
      throw new Error(`PostgreSQL did not answer within ${READY_MS} ms:\n${log.slice(-2_000)}`);
    }
    await sleep(50);
  }
}
const always = () => true;
const never = () => false;

function sendTo(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
const isAlive = (pid: number) => sendTo(pid, 0);

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Who the server runs as: it refuses to run as root. */
async function serverUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run("id", [flag, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}

/** The words that run a command as that user, in the same process, and let the kernel end it with its parent. */
const asUser = (user: User | undefined, ...words: [string, ...string[]]): [string, ...string[]] =>
  user === undefined
    ? words
    : [
        "setpriv",
        `--reuid=${user.uid}`,
        `--regid=${user.gid}`,
        "--clear-groups",
        "--pdeathsig=KILL",
        ...words,
      ];

/** The folder of the server's programs: on PATH or where Debian puts them; installed first where that can be done. */
async function binaries(): Promise<string> {
  const found = await look();
  if (found !== undefined) return found;
  const install = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", "postgresql"];
  if (process.getuid?.() === 0) await run("apt-get", install).catch(() => undefined);
  const installed = await look();
  if (installed !== undefined) return installed;
  throw new NoPostgres("PostgreSQL is missing: `apt-get install postgresql`, or put its bin folder on PATH");
}

async function look(): Promise<string | undefined> {
  const versions = await readdir(HOME).catch(() => []);
  const newest = versions.toSorted((one, other) => Number(other) - Number(one))[0];
  if (newest !== undefined) return join(HOME, newest, "bin");
  // What is on PATH may be a link or a wrapper of one program alone.
  const onPath = await run("sh", ["-c", "command -v postgres"]).catch(() => undefined);
  return onPath && dirname(await realpath(onPath.stdout.trim()));
}
