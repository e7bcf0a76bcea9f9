import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { kafkaAt, observed, observedOnce, source } from "./kafka/bed.ts";
import { impostor, tell, type Asked, type Story } from "./kafka/impostor.ts";

/** A frame with this length before it, as far as it goes. */
const framed = (length: number, ...bytes: Buffer[]) => {
  const head = Buffer.alloc(4);
  head.writeInt32BE(length);
  return Buffer.concat([head, ...bytes]);
};
const int32 = (value: number) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const STRANGE = "lag: what it answered is not the answer of a Kafka broker";

async function said(answer: (asked: Asked) => void, timeoutMs = 1_000) {
  await using server = await impostor(answer);
  return await observedOnce(server.port, source({ timeoutMs }));
}

describe("what only says that it is a broker of Kafka", () => {
  test.each<[what: string, answer: (asked: Asked) => Buffer]>([
    ["HTTP", () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["a length below 0", () => framed(-1)],
    ["a length of 0", () => framed(0, int32(1))],
    ["a length of 2 GiB", () => framed(2 ** 31 - 1, Buffer.alloc(64))],
    ["a frame above 1 MiB", () => framed(1_024 * 1_024 + 1, Buffer.alloc(64))],
    ["the answer of another request", ({ correlation }) => framed(8, int32(correlation + 1), int32(0))],
    ["an empty answer", ({ correlation }) => framed(4, int32(correlation))],
    [
      "a list of 2^32 brokers",
      ({ correlation }) =>
        framed(14, int32(correlation), Buffer.from([0, 0, 0, 0, 0, 255, 255, 255, 255, 15])),
    ],
    ["nothing but 255", ({ correlation }) => framed(68, int32(correlation), Buffer.alloc(64, 255))],
  ])("%s is an error, and ends the connection", async (_what, answer) => {
    const seen = await said((asked) => asked.socket.write(answer(asked)));
    expect(seen).toMatchObject({ error: { code: "SourceInvalid", message: STRANGE } });
  });

  test("silence is an error when the time of the source is over", async () => {
    const seen = await said(() => undefined, 300);
    expect(seen).toMatchObject({
      error: { code: "SourceUnavailable", message: "lag: there was no answer in time" },
    });
  });

  test("an answer that drips is an error in time, and its connection is not kept", async () => {
    const timers = new Set<NodeJS.Timeout>();
    await using server = await impostor(({ socket, correlation }) => {
      socket.write(framed(100_000, int32(correlation)));
      timers.add(setInterval(() => socket.write("x"), 5));
    });
    const asked = kafkaAt(server.port);
    const seen = await observed(asked, source({ timeoutMs: 300 }));
    expect(seen).toMatchObject({ error: { code: "SourceUnavailable" } });
    expect(asked.connections).toBe(0);
    for (const one of timers) clearInterval(one);
    asked.close();
  });

  test("3,000 answers of random bytes are 3,000 errors and no end of the process", async () => {
    let seed = 1;
    await using server = await impostor(({ socket, correlation }) => {
      const bytes = randomBytes((seed = (seed * 48_271) % 2_147_483_647) % 200);
      // Half of them begin as an answer does.
      const start = Buffer.concat([int32(correlation), Buffer.from([0]), int32(0)]);
      const frame =
        seed % 2 === 0 ? Buffer.concat([start, bytes]) : Buffer.concat([int32(correlation), bytes]);
      socket.write(framed(frame.length, frame));
    });
    const asked = kafkaAt(server.port);
    const codes = new Set<string>();
    for (let round = 0; round < 3_000; round += 1) {
      const seen = await observed(asked, source({ timeoutMs: 2_000 }));
      codes.add(seen !== undefined && "error" in seen ? seen.error.code : JSON.stringify(seen));
    }
    asked.close();
    expect([...codes].sort()).toEqual(["SourceInvalid", "SourceUnavailable"].filter((one) => codes.has(one)));
    expect(codes.has("SourceInvalid")).toBe(true);
  }, 60_000);
});

describe("a broker that lies", () => {
  const told = async (story: Omit<Story, "port"> & { port?: number }) => {
    await using server = await impostor((asked) => tell(asked, { port: server.port, ...story }));
    return await observedOnce(server.port, source({ timeoutMs: 2_000 }));
  };

  test("is believed where nothing speaks against it: of 5 records 1 is committed", async () => {
    expect(await told({})).toMatchObject({
      series: [{ value: 4 }],
      partitions: [{ committed: 1, end: 5, lag: 4 }],
    });
  });

  test.each<[what: string, story: Omit<Story, "port">, message: string]>([
    ["an end below 0", { end: -5n }, "lag: the broker says the offset -5"],
    [
      "an end that JSON cannot hold",
      { end: 2n ** 60n },
      "lag: the broker says the offset 1152921504606846976",
    ],
    ["a commit below what means none", { committed: -2n }, "lag: the broker says the offset -2"],
    ["a partition twice", { partitions: [0, 0] }, "lag: the broker says one partition twice, or one below 0"],
    ["a partition below 0", { partitions: [-1] }, "lag: the broker says one partition twice, or one below 0"],
    [
      "1,001 partitions",
      { partitions: Array.from({ length: 1_001 }, (_, at) => at) },
      "lag: there are 1001 partitions; at most 1000 are read",
    ],
    ["another topic", { topic: "others" }, "lag: the broker says nothing of the topic clicks"],
  ])("%s is an error and no number", async (_what, story, message) => {
    expect(await told(story)).toMatchObject({ error: { code: "SourceInvalid", message } });
  });

  test("a partition without a leader is an error, and not a lag of none", async () => {
    expect(await told({ leader: -1 })).toMatchObject({
      error: { code: "SourceUnavailable", message: "lag: a partition has no leader now" },
    });
  });

  test.each([
    "169.254.169.254",
    "10.96.0.1",
    "0x7f.1",
    "kubernetes.default.svc",
    "kafka.team-b.svc",
    "a.b.kafka.team-a.svc",
    "evil.example.com",
    "kafka.team-a.svc.evil.example.com",
    "kafka@team-a.svc",
    "",
  ])("a broker that says it is at %j is not followed there", async (host) => {
    expect(await told({ host })).toMatchObject({ error: { code: "EffectDenied" } });
  });

  test("a broker that says a name without dots means a service of the policy's namespace, and no other thing of the name", async () => {
    expect(await told({ host: "localhost" })).toMatchObject({
      error: { code: "TargetNotFound", message: "lag: There is no Service localhost" },
    });
  });

  test("nor is one at another port of the same address", async () => {
    await using other = await impostor(() => undefined);
    expect(await told({ port: other.port })).toMatchObject({ error: { code: "EffectDenied" } });
    expect(other.connections()).toBe(0);
  });
});
