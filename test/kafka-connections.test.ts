import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Connections } from "../host/kafka/connections.ts";
import { tenantKey } from "../host/policy/index.ts";
import { kafkaAt, observed, SERVICE, source } from "./kafka/bed.ts";
import { impostor, tell, type Impostor } from "./kafka/impostor.ts";

const IN_THE_CLEAR = { tls: undefined, proof: undefined };
const NEVER = new AbortController().signal;
const placeOf = ({ port }: Impostor) => ({ host: "127.0.0.1", port, addresses: ["127.0.0.1"] });

describe("connections to brokers", () => {
  let server: Impostor;
  let all: Connections;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    server = await impostor(() => undefined);
    all = new Connections();
  });
  afterEach(async () => {
    all.close();
    vi.useRealTimers();
    await server[Symbol.asyncDispose]();
  });
  /** Uses a connection by which a broker is known under another name. */
  const use = (tenant: string, host: string, act: () => Promise<unknown> = () => Promise.resolve()) =>
    all.use(tenantKey(tenant), { ...placeOf(server), host }, IN_THE_CLEAR, act, NEVER);

  test("are closed when nobody has used them for 30 seconds, and not while one is used", async () => {
    await use("team-a", "a");
    await vi.advanceTimersByTimeAsync(29_000);
    expect(all.size).toBe(1);
    await use("team-a", "a");
    await vi.advanceTimersByTimeAsync(29_000);
    expect(all.size).toBe(1);
    await use("team-a", "a", async () => {
      await vi.advanceTimersByTimeAsync(120_000);
      expect(all.size).toBe(1);
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(all.size).toBe(0);
  });

  test("are sixteen of a tenant at the most: who has been idle longest is closed, and another tenant's stays", async () => {
    await use("team-b", "other");
    for (let at = 0; at < 20; at += 1) await use("team-a", `broker-${at}`);
    expect(all.size).toBe(17);
    await use("team-b", "other");
    expect(server.connections()).toBe(21);
    await use("team-a", "broker-19");
    expect(server.connections()).toBe(21);
    await use("team-a", "broker-0");
    expect(server.connections()).toBe(22);
  });

  test("that are all in use leave no room for another", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const used = Array.from({ length: 16 }, (_, at) => use("team-a", `broker-${at}`, () => promise));
    await expect(use("team-a", "one-more")).rejects.toMatchObject({ code: "SourceUnavailable" });
    await use("team-b", "other");
    resolve();
    await Promise.all(used);
    await use("team-a", "one-more");
  });
});

test("a broker that is silent, or not there, leaves the next one of the policy its time", async () => {
  await using silent = await impostor(() => undefined);
  await using good = await impostor((asked) => tell(asked, { port: good.port }));
  const gone = await impostor(() => undefined);
  await gone[Symbol.asyncDispose]();
  const bootstrap = ["gone", "silent", SERVICE.name].map((name) => ({ service: { name, port: 9092 } }));
  const asked = kafkaAt(good.port, undefined, { silent: silent.port, gone: gone.port });
  const seen = await observed(asked, source({ bootstrap, timeoutMs: 10_000 }));
  asked.close();
  expect(seen).toMatchObject({ series: [{ value: 4 }] });
  expect(silent.connections()).toBeGreaterThan(0);
}, 20_000);
