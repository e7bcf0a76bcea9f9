import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { engineFor } from "../host/engine/index.ts";
import { iterate, type Engine } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { simulate } from "../host/simulator/index.ts";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { asking, get, world, type Doing, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";

const clock = { now: () => new Date("2026-03-01T12:00:00.000Z") };
const KEEP = 3;

let engine: Bed;
let server: World;
let folder = "";
let store: KnowledgeStore;
beforeAll(async () => {
  engine = await bed();
  server = await world();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-replay-"));
  store = await openStore({ file: join(folder, "knowledge.db"), clock });
  server.asked.length = 0;
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

const at = (path: string) => `${server.origin}${path}`;
const answer: Doing = (text) => `(call $say ${text('{"nodes":{}}')})`;

/** The loop's engine over one module that does this. */
function looping(doing: Doing): { readonly loop: Engine; readonly module: Uint8Array } {
  const module = asking({ plan: doing });
  const digest = engine.add(module);
  const loop = engineFor(
    engine.engine,
    () => [{ step: "all", digest }],
    () => server.perform,
  );
  return { loop, module };
}

const keeping = (): Policy => policy({ knowledge: { keep: KEEP, history: undefined } });
const passOf = (loop: Engine, of = keeping()) =>
  iterate(of, { clock, ...simulate({ clock }), engine: loop, store });

/** How many bodies the file holds, and of how many bytes. */
function keptBodies(): unknown {
  const database = new DatabaseSync(join(folder, "knowledge.db"), { readOnly: true });
  try {
    return database.prepare("SELECT count(*) AS bodies, sum(length(bytes)) AS bytes FROM bodies").get();
  } finally {
    database.close();
  }
}

describe("a pass with effects", () => {
  test("is replayed from what the store recalls, bit for bit, and asks nobody", async () => {
    const doing: Doing = (text) => get(text, at("/bytes/100000")) + get(text, at("/a")) + answer(text);
    const { loop, module } = looping(doing);
    const first = await passOf(loop);
    expect([first.outcome, first.fault]).toEqual(["Unchanged", undefined]);
    expect(server.asked).toEqual(["GET /bytes/100000", "GET /a"]);
    const [kept] = await store.entries(keeping().key, 1);
    const journal = kept?.journal ?? {};
    expect(kept).not.toHaveProperty("bodies");
    expect(journal.plan?.map(({ answers }) => answers[0]?.status)).toEqual([200, 200]);
    const bodies = await store.bodies(keeping().key, journal);
    expect([...bodies.values()].map(({ length }) => length)).toEqual([100_000]);

    server.asked.length = 0;
    const again = await engine.engine.replay(engine.order({ plan: module }), { journal, bodies });
    expect(again.answers).toEqual(first.answers);
    expect(again.fuel).toEqual(first.fuel);
    expect(kept?.fuel).toEqual(first.fuel);
    expect(server.asked).toEqual([]);
  });

  test("that ends in a fault is kept with the effects that it had until then", async () => {
    const { loop } = looping((text) => get(text, at("/a")) + "unreachable");
    const failed = await passOf(loop);
    expect([failed.outcome, failed.fault?.code]).toEqual(["Failed", "GuestTrapped"]);
    const [kept] = await store.entries(keeping().key, 1);
    expect(kept?.journal?.plan?.map(({ kind }) => kind)).toEqual(["http"]);
  });

  test("keeps a long body once, for as long as a kept pass names it", async () => {
    const long = looping((text) => get(text, at("/bytes/100000")) + answer(text));
    for (let pass = 0; pass < KEEP; pass += 1) await passOf(long.loop);
    expect(keptBodies()).toEqual({ bodies: 1, bytes: 100_000 });
    const short = looping(answer);
    for (let pass = 0; pass < KEEP - 1; pass += 1) await passOf(short.loop);
    expect(keptBodies()).toEqual({ bodies: 1, bytes: 100_000 });
    await passOf(short.loop);
    expect(keptBodies()).toEqual({ bodies: 0, bytes: null });
  });

  test("is gone with its policy", async () => {
    await passOf(looping((text) => get(text, at("/bytes/100000")) + answer(text)).loop);
    await store.forget(keeping().key);
    expect(keptBodies()).toEqual({ bodies: 0, bytes: null });
    expect((await store.bodies(policy().key, {})).size).toBe(0);
  });
});
