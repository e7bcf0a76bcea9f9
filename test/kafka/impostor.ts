import { createServer, type AddressInfo, type Socket } from "node:net";
import { Writer } from "@platformatic/kafka";

/** A server that says it is a broker of Kafka. */
export interface Impostor extends AsyncDisposable {
  readonly port: number;
  /** How often it was connected to. */
  readonly connections: () => number;
}

/** A request as far as an impostor reads it. */
export interface Asked {
  readonly api: number;
  readonly correlation: number;
  readonly socket: Socket;
}

/** A server that answers every request as it is told. */
export async function impostor(answer: (asked: Asked) => void): Promise<Impostor> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (requests) => {
      // Requests are small: what arrives is one or several, whole.
      for (let at = 0; at + 12 <= requests.length; at += 4 + requests.readInt32BE(at))
        answer({ api: requests.readInt16BE(at + 4), correlation: requests.readInt32BE(at + 8), socket });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const one of sockets) one.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const API = { offsets: 2, metadata: 3, committed: 9, coordinator: 10 } as const;

/** What a broker of one topic `clicks` with one partition says. */
export interface Story {
  readonly host?: string;
  readonly port: number;
  readonly committed?: bigint;
  readonly end?: bigint;
  readonly partitions?: readonly number[];
  readonly leader?: number;
  /** The name of the topic that it speaks of. */
  readonly topic?: string;
}

/** Answers as a broker does, with the figures of a story. */
export function tell({ api, correlation, socket }: Asked, story: Story): void {
  const { host = "127.0.0.1", port, committed = 1n, end = 5n, topic = "clicks" } = story;
  const { partitions = [0], leader = 1 } = story;
  const writer = Writer.create().appendInt32(correlation).appendTaggedFields().appendInt32(0);
  if (api === API.metadata)
    writer
      .appendArray([1], (w) => w.appendInt32(1).appendString(host).appendInt32(port).appendString(null))
      .appendString("cluster")
      .appendInt32(1)
      .appendArray([topic], (w) =>
        w
          .appendInt16(0)
          .appendString(topic)
          .appendUUID(null)
          .appendBoolean(false)
          .appendArray([...partitions], (p, number) => {
            p.appendInt16(0).appendInt32(number).appendInt32(leader).appendInt32(0);
            for (let lists = 0; lists < 3; lists++) p.appendArray([], () => undefined, true, false);
          })
          .appendInt32(0),
      );
  if (api === API.coordinator)
    writer.appendArray(["counters"], (w) =>
      w
        .appendString("counters")
        .appendInt32(1)
        .appendString(host)
        .appendInt32(port)
        .appendInt16(0)
        .appendString(null),
    );
  if (api === API.committed)
    writer.appendArray(["counters"], (w) =>
      w
        .appendString("counters")
        .appendArray([topic], (t) =>
          t.appendString(topic).appendArray([...partitions], (p, number) => {
            p.appendInt32(number).appendInt64(committed).appendInt32(0).appendString(null).appendInt16(0);
          }),
        )
        .appendInt16(0),
    );
  if (api === API.offsets)
    writer.appendArray([topic], (t) =>
      t.appendString(topic).appendArray([...partitions], (p, number) => {
        p.appendInt32(number).appendInt16(0).appendInt64(0n).appendInt64(end).appendInt32(0);
      }),
    );
  socket.write(writer.appendTaggedFields().prependLength().buffer);
}
