import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type ListenOptions, type Server } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findWay, OPEN, startSandbox, type Way } from "../host/engine/supervisor/walls.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = await readFile(new URL("./hostile/breach.mjs", import.meta.url), "utf8");
/** The safest way that this machine has: what it cannot have, is not tested here, and is said by the operator's log. */
const way = await findWay();

interface Found {
  readonly environment: readonly string[];
  readonly interfaces: readonly string[];
  readonly open: readonly number[];
  readonly channel: string;
  readonly files: Readonly<Record<string, string>>;
  readonly processes: Readonly<Record<string, string>>;
  readonly network: Readonly<Record<string, string>>;
  readonly user: Readonly<Record<string, string>>;
}

/** Something to be found of each kind, in this process and beside it. */
async function treasure() {
  const directory = await mkdtemp(join(tmpdir(), "breach-"));
  const at = (name: string) => join(directory, name);
  await writeFile(at("secret"), "canary", { mode: 0o600 });
  const database = new DatabaseSync(at("knowledge.db"));
  database.exec("create table t(a); insert into t values('canary')");
  database.close();
  let reached = 0;
  const servers: Server[] = [];
  const listen = async (options: ListenOptions) => {
    const server = createServer((socket) => socket.on("error", () => undefined).end(String((reached += 1))));
    servers.push(server.listen(options));
    await once(server, "listening");
    return server.address() as { port: number };
  };
  const { port } = await listen({ host: "::", port: 0 });
  const abstract = `breach-${process.pid}`;
  await listen({ path: at("socket") });
  await listen({ path: `\0${abstract}` });
  const udp = createSocket("udp4").on("message", () => (reached += 1));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const decoy = spawn("sleep", ["60"], { stdio: "ignore" });
  const [address = "127.0.0.1"] = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .flatMap((one) => (one.internal || one.family !== "IPv4" ? [] : [one.address]));
  return {
    given: {
      ...{ root: ROOT, tcp: port, udp: udp.address().port, address, abstract, directory, decoy: decoy.pid },
      ...{ socket: at("socket"), secret: at("secret"), database: at("knowledge.db") },
    },
    reached: () => reached,
    files: () => readdir(directory),
    async end() {
      decoy.kill();
      udp.close();
      for (const server of servers) server.close();
      await rm(directory, { recursive: true });
    },
  };
}

async function breach(through: Way, given: object): Promise<Found> {
  const script = `const given = ${JSON.stringify(given)};\n${PROGRAM}`;
  const sandbox = startSandbox(through, ["--input-type=module", "--eval", script]);
  if (sandbox.stdout === null || sandbox.stderr === null) throw new Error("it has no output");
  const [said, complaint] = await Promise.all([text(sandbox.stdout), text(sandbox.stderr)]);
  if (said === "") throw new Error(complaint);
  return JSON.parse(said) as Found;
}

const outcomes = (tries: Readonly<Record<string, string>>) => [...new Set(Object.values(tries))];

let bait: Awaited<ReturnType<typeof treasure>>;
beforeAll(async () => void (bait = await treasure()));
afterAll(() => bait.end());

describe("JavaScript that runs in a sandbox, by the walls of Node alone", () => {
  let found: Found;
  beforeAll(async () => void (found = await breach(OPEN, bait.given)));

  test("has no environment, no channel, and no open handle but its three pipes", () => {
    expect(found.environment).toEqual([]);
    expect(found.channel).toBe("undefined");
    expect(found.open).toEqual([0, 1, 2]);
  });

  test("reads and writes no file: no token, no secret, no knowledge, no process, no source but the sandbox's", async () => {
    const {
      "database by file": one,
      "database attached": two,
      "database written": three,
      ...rest
    } = found.files;
    expect(outcomes(rest)).toEqual(["ERR_ACCESS_DENIED"]);
    // There is no such module in its process.
    expect([one, two, three]).toEqual(["TypeError", "TypeError", "TypeError"]);
    expect((await bait.files()).toSorted()).toEqual(["knowledge.db", "secret", "socket"]);
  });

  test("starts no process and no thread, loads no addon, opens no inspector and has no binding", () => {
    const { addon, ...rest } = found.processes;
    expect(addon).toBe("ERR_DLOPEN_DISABLED");
    expect(outcomes(rest)).toEqual(["ERR_ACCESS_DENIED"]);
  });
});

describe.runIf(way.walls.network)("JavaScript that runs in a sandbox with a network of its own", () => {
  test("reaches nobody: not by TCP, not by UDP, no abstract socket, no name", async () => {
    const before = bait.reached();
    const { network, interfaces } = await breach(way, bait.given);
    const {
      tcp,
      "API server": api,
      "metadata service": metadata,
      udp,
      "abstract socket": abstract,
    } = network;
    expect({ tcp, api, metadata, udp, abstract }).toEqual({
      ...{ tcp: "ENETUNREACH", api: "ENETUNREACH", metadata: "ENETUNREACH", udp: "ENETUNREACH" },
      abstract: "ECONNREFUSED",
    });
    expect(outcomes(network)).not.toContain("reached");
    expect(interfaces).toEqual([]);
    // One socket lies in the file system, where no network wall stands.
    expect(bait.reached() - before).toBe(way.walls.user ? 0 : 1);
  });
});

describe.runIf(way.walls.user)("JavaScript that runs in a sandbox with a user of its own", () => {
  test("signals nobody, slows nobody down, becomes nobody else and opens no socket of others", async () => {
    const { user } = await breach(way, bait.given);
    expect(user).toEqual({
      ...{ socket: "EACCES", "signal to another": "EPERM", "signal to the supervisor": "EPERM" },
      ...{ priority: "ERR_SYSTEM_ERROR", root: "EPERM" },
    });
  });
});

test("the signal that opens a debugger opens none in an operator, in its supervisor or in a sandbox", async () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { startEngine } from "${ROOT}host/engine/index.ts";
    await new Promise(async (onWalls) => await startEngine({ modules: () => Promise.reject(), onWalls }));
    const below = (pid) => readFileSync("/proc/" + pid + "/task/" + pid + "/children", "utf8").split(" ").filter(Boolean);
    const family = [process.pid, ...below(process.pid), ...below(process.pid).flatMap(below)].map(Number);
    process.stdout.write(String(family.length));
    for (const pid of family) process.kill(pid, "SIGUSR1");
    setTimeout(() => process.exit(), 500);`;
  const operator = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", script]);
  expect(await Promise.all([text(operator.stdout), text(operator.stderr)])).toEqual(["3", ""]);
});
