// The program of the supervisor: it holds no token and looks at no byte of a module. It speaks with the operator over its
// standard input and output, or over a Unix socket (`--listen PATH`) when the two run in different containers. Whoever
// connects to that socket shares the processes with the others.
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import type { Isolation } from "../engine.ts";
import { Modules } from "./modules.ts";
import { Pool, type PoolLimits } from "./pool.ts";
import { Sandbox } from "./sandbox.ts";
import { Supervisor } from "./supervisor.ts";
import { findWay } from "./walls.ts";

const { values } = parseArgs({
  options: {
    listen: { type: "string" },
    sandboxes: { type: "string", default: "8" },
    blanks: { type: "string", default: "1" },
    isolation: { type: "string", default: "tenant" },
  },
});
const way = await findWay();
const limits: PoolLimits = {
  isolation: isolation(values.isolation),
  sandboxes: count("sandboxes", values.sandboxes),
  blanks: count("blanks", values.blanks),
  waitingPerTenant: 1_000,
  waitMs: 30_000,
};
const pool = new Pool(limits, () => new Sandbox(way));
const around = { pool, modules: new Modules(), walls: way.walls, isolation: limits.isolation };

if (values.listen === undefined) {
  const supervisor = new Supervisor(process.stdin, process.stdout, around);
  const leave = async () => {
    supervisor.close();
    await pool.close();
    process.exit(0);
  };
  // The operator's end closes when it ends, however it ends: nothing here outlives it.
  process.stdin.on("end", () => void leave());
  process.stdin.on("error", () => void leave());
  process.stdout.on("error", () => void leave());
} else {
  const server = createServer((socket) => {
    const supervisor = new Supervisor(socket, socket, around);
    socket.on("error", () => undefined);
    socket.on("close", () => supervisor.close());
  });
  // What a supervisor that was killed has left: a container that is started again finds its old volume.
  rmSync(values.listen, { force: true });
  server.listen(values.listen, () => process.stdout.write("listening\n"));
  // The operators are asked to end in the same moment, and finish the passes that they have under way.
  process.on("SIGTERM", () => server.close(() => void pool.close().then(() => process.exit(0))));
}

function isolation(text: string): Isolation {
  if (text === "tenant" || text === "shared") return text;
  throw new RangeError(`--isolation ${text}: it takes tenant or shared`);
}

function count(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`--${flag} ${text}: it takes a whole number from 1`);
}
