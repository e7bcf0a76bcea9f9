import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Fault } from "../host/fault/index.ts";
import type { Iteration, Observations } from "../host/knowledge/index.ts";
import type { HistoryOffer } from "../host/policy/index.ts";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { node, policy, topology } from "./builders.ts";

const NOON = Date.parse("2026-03-01T12:00:00.000Z");
const clock = { now: () => new Date(NOON) };
const keeping = (keep: number, history?: HistoryOffer) => policy({ knowledge: { keep, history } });

/** Pass `number`, decided `secondsAgo` before noon, that granted `split` its own number. */
const pass = (number: number, secondsAgo = 0, rest: Partial<Iteration> = {}): Iteration => ({
  id: `pass-${number}`,
  number,
  at: new Date(NOON - secondsAgo * 1_000).toISOString(),
  topology: topology(node("split", number)),
  sources: {},
  answers: { plan: '{"nodes":{"split":{"parallelism":12345678901234567890}}}' },
  decision: {
    verdicts: [{ node: "split", current: 1, wanted: undefined, granted: number, reasons: [] }],
    changes: [],
  },
  outcome: "Unchanged",
  changes: [],
  fault: undefined,
  carry: undefined,
  ...rest,
});

const opened: KnowledgeStore[] = [];
async function store(file = ":memory:", report?: (fault: Fault) => void): Promise<KnowledgeStore> {
  const one = await openStore({ file, clock, ...(report && { report }) });
  opened.push(one);
  return one;
}

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-store-"));
  file = join(folder, "state", "knowledge.db");
});
afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((one) => one.close()));
  await rm(folder, { recursive: true });
});

describe("what is recalled", () => {
  test("of a policy that never ran is number 0 and nothing else", async () => {
    const past = await (await store()).recall(policy());
    expect(past).toEqual({ number: 0, carry: undefined, history: [], open: undefined });
  });

  test("is the number of the last pass and what the last successful one carries, however long ago that was", async () => {
    const knowledge = await store();
    await knowledge.remember(keeping(2), pass(1, 30, { carry: '{"level":1.0}', outcome: "Scaled" }));
    for (const number of [2, 3, 4]) {
      await knowledge.remember(keeping(2), pass(number, 0, { outcome: "Failed", carry: "lost" }));
    }
    const past = await knowledge.recall(keeping(2));
    expect(past.number).toBe(4);
    expect(past.carry).toBe('{"level":1.0}');
  });

  test("includes a decision that was stored and never finished, until it is replaced under its id", async () => {
    const knowledge = await store();
    const open = pass(1, 0, { outcome: "Open" });
    await knowledge.remember(policy(), open);
    expect((await knowledge.recall(policy())).open).toStrictEqual(open);
    await knowledge.remember(policy(), { ...open, outcome: "Abandoned" });
    expect((await knowledge.recall(policy())).open).toBeUndefined();
    expect((await knowledge.entries(policy().key, 10)).map((one) => one.outcome)).toEqual(["Abandoned"]);
  });

  test("includes what the newest pass says is to be remembered, also of one that failed", async () => {
    const knowledge = await store();
    expect(await knowledge.recall(policy())).not.toHaveProperty("memory");
    const memory = (wrote: number) => ({ nodes: { split: { wrote } } });
    await knowledge.remember(policy(), pass(1, 30, { memory: memory(3) }));
    await knowledge.remember(policy(), pass(2, 15, { outcome: "Failed", memory: memory(4) }));
    expect((await knowledge.recall(policy())).memory).toEqual(memory(4));
    await knowledge.remember(policy(), pass(3));
    expect(await knowledge.recall(policy())).not.toHaveProperty("memory");
  });

  test("is nothing for a policy that was deleted and created again under the same name", async () => {
    const knowledge = await store();
    await knowledge.remember(policy({ uid: "first" }), pass(7));
    expect((await knowledge.recall(policy({ uid: "second" }))).number).toBe(0);
    expect(await knowledge.entries(policy().key, 10)).toEqual([]);
  });

  test("is nothing after a policy was forgotten, and its neighbour keeps what it has", async () => {
    const knowledge = await store();
    const neighbour = policy({ key: "team-b/clicks" as never });
    await knowledge.remember(policy(), pass(7));
    await knowledge.remember(neighbour, pass(8));
    await knowledge.forget(policy().key);
    expect((await knowledge.recall(policy())).number).toBe(0);
    expect((await knowledge.recall(neighbour)).number).toBe(8);
  });
});

describe("the history that is offered", () => {
  test("has the newest pass of every minute within the span, newest first", async () => {
    const knowledge = await store();
    const hourly = keeping(100, { spanSeconds: 180, everySeconds: 60 });
    // Noon is a whole minute: 1 and 59 seconds before it are the same minute, 61 is the one before.
    for (const [number, ago] of [
      [1, 300],
      [2, 179],
      [3, 130],
      [4, 61],
      [5, 59],
      [6, 1],
    ] as const) {
      await knowledge.remember(hourly, pass(number, ago));
    }
    const { history } = await knowledge.recall(hourly);
    expect(history.map((entry) => entry.nodes)).toEqual([
      { split: { parallelism: 1, granted: 6 } },
      { split: { parallelism: 1, granted: 4 } },
      { split: { parallelism: 1, granted: 3 } },
    ]);
  });

  test("leaves out passes that came to no decision", async () => {
    const knowledge = await store();
    const offered = keeping(100, { spanSeconds: 600, everySeconds: 1 });
    await knowledge.remember(offered, pass(1, 20));
    await knowledge.remember(offered, pass(2, 10, { decision: undefined, outcome: "Failed" }));
    expect((await knowledge.recall(offered)).history.map((entry) => entry.at)).toEqual([
      "2026-03-01T11:59:40.000Z",
    ]);
  });

  test("ends where another entry would make it more than 256 KiB", async () => {
    const knowledge = await store();
    const offered = keeping(100, { spanSeconds: 600, everySeconds: 1 });
    const labels = { long: "x".repeat(100_000) };
    const sources: Observations = { rates: { series: [{ labels, value: 1, at: "" }], at: "" } };
    for (const number of [1, 2, 3]) await knowledge.remember(offered, pass(number, 10 - number, { sources }));
    expect((await knowledge.recall(offered)).history).toHaveLength(2);
  });
});

describe("the file", () => {
  test("keeps the newest passes and no more than the policy asks for", async () => {
    const knowledge = await store(file);
    for (const number of [1, 2, 3, 4, 5]) await knowledge.remember(keeping(3), pass(number));
    expect((await knowledge.entries(policy().key, 10)).map((one) => one.number)).toEqual([5, 4, 3]);
    expect((await knowledge.entries(policy().key, 1)).map((one) => one.number)).toEqual([5]);
  });

  test("gives back after it was closed and opened exactly what was remembered, and only its owner may read it", async () => {
    const before = await store(file);
    await before.remember(policy(), pass(1));
    await before.close();
    expect(await (await store(file)).entries(policy().key, 1)).toStrictEqual([pass(1)]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(before.recall(policy())).rejects.toMatchObject({ code: "StoreUnavailable" });
  });

  test("has a pass whose remember() resolved, though the process was killed at once", async () => {
    const door = new URL("../host/store/index.ts", import.meta.url).href;
    const script = `import { openStore } from ${JSON.stringify(door)};
      const store = await openStore({ file: ${JSON.stringify(file)}, clock: { now: () => new Date() } });
      const [policy, pass] = ${JSON.stringify([policy(), pass(41, 0, { outcome: "Open" })])};
      await store.remember(policy, pass);
      process.stdout.write("remembered");
      for (;;) await store.remember(policy, { ...pass, id: "next-" + Math.random(), number: 42 });`;
    const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    const [, signal] = (await once(child, "exit")) as [number | null, string];
    expect(signal).toBe("SIGKILL");
    const passes = await (await store(file)).entries(policy().key, 1_000);
    expect(passes.at(-1)?.id).toBe("pass-41");
  });

  test("drops a record that was changed behind its back, says so once, and uses the rest", async () => {
    const before = await store(file);
    for (const number of [1, 2, 3]) await before.remember(policy(), pass(number));
    await before.close();
    tamper(
      file,
      "UPDATE iterations SET body = replace(body, '12345678901234567890', '99') WHERE id = 'pass-2'",
    );
    const faults: Fault[] = [];
    const after = await store(file, (fault) => faults.push(fault));
    expect((await after.entries(policy().key, 10)).map((one) => one.number)).toEqual([3, 1]);
    expect((await after.entries(policy().key, 10)).map((one) => one.number)).toEqual([3, 1]);
    expect(faults.map((fault) => fault.code)).toEqual(["KnowledgeCorrupt"]);
    expect(faults[0]?.message).toContain("team-a/clicks");
  });

  test("whose carry was changed goes on with the number of the newest pass, and without a carry", async () => {
    const before = await store(file);
    await before.remember(policy(), pass(5, 0, { carry: "{}" }));
    await before.close();
    tamper(file, "UPDATE policies SET carry = '{\"evil\":1}', number = 900");
    const faults: Fault[] = [];
    const past = await (await store(file, (fault) => faults.push(fault))).recall(policy());
    expect([past.number, past.carry, faults.length]).toEqual([5, undefined, 1]);
  });

  test("that was written before bodies were kept is brought to this version, with all that it knew", async () => {
    const before = await store(file);
    await before.remember(policy(), pass(5, 0, { carry: "{}" }));
    await before.close();
    tamper(file, "DROP TABLE bodies; UPDATE schema SET version = 1");
    const after = await store(file);
    expect((await after.recall(policy())).number).toBe(5);
    const bodies = new Map([["sha256:1", new Uint8Array([1, 2])]]);
    const answered = { status: 200, headers: {}, body: { digest: "sha256:1", bytes: 2 } };
    const journal = { plan: [{ kind: "http", request: "", body: "", answers: [answered] }] } as const;
    await after.remember(policy(), pass(6, 0, { journal, bodies }));
    expect(await after.bodies(policy().key, journal)).toEqual(bodies);
  });

  test("that is no knowledge file, or of a later version, is refused with one sentence and left as it is", async () => {
    await (await store(file)).close();
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
