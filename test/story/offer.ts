import { setTimeout as sleep } from "node:timers/promises";
import { ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";
import type { Exposition } from "../world/index.ts";

/** Records that come to a topic at a rate, and are owed where they could not be written in time. */
export interface Offer extends AsyncDisposable {
  /** So many records a second from now on; returns the instant, in ms since 1970. */
  readonly turn: (perSecond: number) => number;
}

const TICK_MS = 100;

/** Writes to all partitions of a topic in turn, nothing at first, and shows as `records_offered_total` how many it were. */
export function offer(port: number, topic: string, partitions: number, shown: Exposition): Offer {
  const producer = new Producer({
    clientId: "offer",
    bootstrapBrokers: [`127.0.0.1:${port}`],
    serializers: stringSerializers,
    idempotent: true,
  });
  const state = { perSecond: 0, owed: 0, sent: 0, lookedMs: Date.now(), isOver: false };
  const owe = () => {
    const nowMs = Date.now();
    state.owed += (state.perSecond * (nowMs - state.lookedMs)) / 1_000;
    state.lookedMs = nowMs;
    return nowMs;
  };
  const write = async () => {
    owe();
    const count = Math.floor(state.owed);
    if (count === 0) return;
    const messages = Array.from({ length: count }, (_, at) => {
      const number = state.sent + at;
      return { topic, partition: number % partitions, key: `k${number}`, value: `w${number % 16}` };
    });
    await producer.send({ messages, acks: ProduceAcks.ALL });
    state.owed -= count;
    state.sent += count;
  };
  const work = (async () => {
    for (; !state.isOver; await sleep(TICK_MS)) {
      await write();
      shown.set("records_offered_total", state.sent, { topic });
    }
  })();
  // Whoever waits for what is written would not know why nothing comes.
  work.catch((thrown: unknown) => process.stderr.write(`${topic} is offered no more: ${String(thrown)}\n`));
  return {
    turn(perSecond) {
      const atMs = owe();
      state.perSecond = perSecond;
      return atMs;
    },
    async [Symbol.asyncDispose]() {
      state.isOver = true;
      await work.catch(() => undefined);
      await producer.close();
    },
  };
}
