import { createServer } from "node:net";
import { threadId } from "node:worker_threads";

// Below the range the kernel takes ports for outgoing connections from, so that none of those comes between choosing
// a port and listening on it.
const FIRST = 20_000;
const COUNT = 12_000;

// Processes and threads that choose at the same time choose from different places.
let next = (process.pid * 64 + threadId * 1_024) % COUNT;

/** A number of loopback ports nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried++) {
    if (tried === COUNT) throw new Error(`no ${count} free ports on loopback`);
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** One loopback port nobody listens on. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
