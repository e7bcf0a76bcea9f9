import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, numbers, pass, type Place, type Wishes } from "./store-bed.ts";
import { killedWhileRemembering, rememberedUntilFull } from "./store-child.ts";
import { contract } from "./store-contract.ts";

let folder = "";
let file = "";
const opened: KnowledgeStore[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-store-"));
  file = join(folder, "state", "knowledge.db");
});
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((one) => one.close()));
  await rm(folder, { recursive: true });
});

async function store(path = file, wishes: Wishes = {}): Promise<KnowledgeStore> {
  const one = await openStore({ file: path, clock, ...wishes });
  opened.push(one);
  return one;
}

contract("a file", async (): Promise<Place> => ({
  open: (wishes) => store(file, wishes),
  tamper: async (sql) => tamper(file, sql),
  rows: async (sql) => {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  },
  // The folder is removed after every test.
  [Symbol.asyncDispose]: async () => undefined,
}));

describe("the file", () => {
  test("may be read by its owner alone", async () => {
    await store();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("has a pass whose remember() resolved, though the process was killed at once", async () => {
    expect(await killedWhileRemembering({ file })).toBe("SIGKILL");
    const passes = await (await store()).entries(policy().key, 1_000);
    expect(passes.at(-1)?.id).toBe("pass-41");
  });

  test("that cannot grow any more is unavailable, and has all that was acknowledged", async () => {
    const [code, acknowledged] = await rememberedUntilFull(file, 2_048);
    expect(code).toBe("StoreUnavailable");
    expect(acknowledged.length).toBeGreaterThan(5);
    const kept = await numbers(await store());
    expect(acknowledged.filter((number) => !kept.includes(number))).toEqual([]);
  });

  test("that is no knowledge file, or of a later version, is refused with one sentence and left as it is", async () => {
    await (await store()).close();
    tamper(file, "UPDATE schema SET version = 900");
    await expect(store(file)).rejects.toMatchObject({
      code: "StoreUnavailable",
      message: expect.stringContaining("900"),
    });
    await expect(store(import.meta.filename)).rejects.toMatchObject({
      message: expect.stringContaining("not a database"),
    });
  });
});

test("passes that are remembered at the same time share a flush: 2,000 of them take less than 2 s", async () => {
  const knowledge = await store(file);
  const policies = Array.from({ length: 200 }, (_, at) => policy({ key: `team/${at}` as never }));
  const passes = Array.from({ length: 2_000 }, (_, at) => pass(1 + Math.floor(at / 200)));
  const start = performance.now();
  await Promise.all(passes.map((one, at) => knowledge.remember(policies[at % 200] ?? policy(), one)));
  const seconds = (performance.now() - start) / 1_000;
  expect((await knowledge.recall(policies[199] ?? policy())).number).toBe(10);
  expect(seconds).toBeLessThan(2);
});

function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
