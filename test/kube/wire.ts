import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy in front of a server: it counts, cuts and goes mute. */
export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** How many connections were ever opened. */
  readonly opened: number;
  /** How many are open. */
  readonly open: number;
  /** Swallows what the server says on the connections that are open; their sockets stay as they are. */
  mute(): void;
  /** Ends every open connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
}

export async function wire(serverPort: number): Promise<Wire> {
  const pairs = new Set<{ near: Socket; far: Socket; muted: boolean }>();
  let opened = 0;
  let refusing = false;
  const server: Server = createServer((near) => {
    if (refusing) return void near.destroy();
    opened += 1;
    const far = connectTcp(serverPort, "127.0.0.1");
    const pair = { near, far, muted: false };
    pairs.add(pair);
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => pair.muted || near.write(bytes));
    for (const socket of [near, far]) {
      socket.on("error", () => undefined);
      socket.on("close", () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const destroyAll = () => {
    for (const { near } of pairs) near.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get opened() {
      return opened;
    },
    get open() {
      return pairs.size;
    },
    mute: () => {
      for (const pair of pairs) pair.muted = true;
    },
    cut: () => {
      refusing = true;
      destroyAll();
    },
    mend: () => {
      refusing = false;
    },
    async [Symbol.asyncDispose]() {
      destroyAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
