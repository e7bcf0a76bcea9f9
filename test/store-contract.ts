import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Observations } from "../host/knowledge/index.ts";
import { policy } from "./builders.ts";
import { keeping, numbers, pass, place, store, use, type Place } from "./store-bed.ts";
import { corrupt, terms } from "./store-trouble.ts";

/** What every place of knowledge promises; run against each of them. */
export function contract(name: string, make: () => Promise<Place>): void {
  describe(`knowledge in ${name}`, () => {
    beforeEach(async () => {
      use(await make());
    });
    afterEach(() => place()[Symbol.asyncDispose]());
    describe("what is recalled", () => {
      recalled();
    });
    describe("the history that is offered", () => {
      offered();
    });
    describe("what is kept", () => {
      kept();
    });
    describe("a record that was changed behind the store's back", () => {
      corrupt();
    });
    describe("a replica whose term is over", () => {
      terms();
    });
  });
}

function recalled(): void {
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
    expect(await knowledge.keys()).toEqual(["team-a/clicks", "team-b/clicks"]);
    await knowledge.forget(policy().key);
    expect((await knowledge.recall(policy())).number).toBe(0);
    expect((await knowledge.recall(neighbour)).number).toBe(8);
    expect(await knowledge.keys()).toEqual(["team-b/clicks"]);
  });
}

function offered(): void {
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
    const wide = keeping(100, { spanSeconds: 600, everySeconds: 1 });
    await knowledge.remember(wide, pass(1, 20));
    await knowledge.remember(wide, pass(2, 10, { decision: undefined, outcome: "Failed" }));
    expect((await knowledge.recall(wide)).history.map((entry) => entry.at)).toEqual([
      "2026-03-01T11:59:40.000Z",
    ]);
  });

  test("ends where another entry would make it more than 256 KiB", async () => {
    const knowledge = await store();
    const wide = keeping(100, { spanSeconds: 600, everySeconds: 1 });
    const labels = { long: "x".repeat(100_000) };
    const sources: Observations = { rates: { series: [{ labels, value: 1, at: "" }], at: "" } };
    for (const number of [1, 2, 3]) await knowledge.remember(wide, pass(number, 10 - number, { sources }));
    expect((await knowledge.recall(wide)).history).toHaveLength(2);
  });
}

const FORMATS = "SELECT number, format FROM iterations ORDER BY number";

function kept(): void {
  test("is the newest passes and no more than the policy asks for", async () => {
    const knowledge = await store();
    for (const number of [1, 2, 3, 4, 5]) await knowledge.remember(keeping(3), pass(number));
    expect(await numbers(knowledge)).toEqual([5, 4, 3]);
    expect((await knowledge.entries(policy().key, 1)).map((one) => one.number)).toEqual([5]);
  });

  test("is given back exactly after it was closed and opened", async () => {
    const before = await store();
    const passes = [pass(1), pass(2), pass(3, 0, { outcome: "Scaled" }), pass(4)];
    for (const one of passes) await before.remember(policy(), one);
    await before.close();
    expect(await (await store()).entries(policy().key, 10)).toStrictEqual(passes.toReversed());
    await expect(before.recall(policy())).rejects.toMatchObject({ code: "StoreUnavailable" });
  });

  test("is whole where something changed or failed and every 20th time, and else the difference to that", async () => {
    const knowledge = await store();
    for (let number = 1; number <= 23; number += 1) {
      const rest = number === 22 ? { outcome: "Failed" as const, decision: undefined } : {};
      await knowledge.remember(policy(), pass(number, 0, rest));
    }
    const full = (await place().rows(FORMATS)).filter(({ format }) => Number(format) === 1);
    expect(full.map(({ number }) => Number(number))).toEqual([1, 21, 22]);
    expect(await numbers(knowledge)).toEqual(Array.from({ length: 23 }, (_, at) => 23 - at));
  });

  test("includes passes that are the difference to one that is replaced, or is above what is kept", async () => {
    const knowledge = await store();
    for (const number of [1, 2, 3]) await knowledge.remember(keeping(2), pass(number));
    expect(await numbers(knowledge)).toEqual([3, 2]);
    await knowledge.remember(keeping(2), pass(1, 0, { outcome: "Abandoned" }));
    expect(await knowledge.entries(policy().key, 10)).toStrictEqual([pass(3), pass(2)]);
  });

  test("is at most 4 MiB of a policy, the newest of it", async () => {
    const knowledge = await store();
    for (const number of [1, 2, 3, 4]) {
      const bytes = new Uint8Array(1_500_000).fill(number);
      await knowledge.remember(policy(), pass(number, 0, { bodies: new Map([[`sha256:${number}`, bytes]]) }));
    }
    expect(await numbers(knowledge)).toEqual([4, 3]);
    const [{ bytes = 0 } = {}] = await place().rows("SELECT sum(octet_length(bytes)) AS bytes FROM bodies");
    expect(Number(bytes)).toBe(3_000_000);
  });

  test("includes the newest pass although it alone is above 4 MiB", async () => {
    const knowledge = await store();
    const bodies = new Map([["sha256:1", new Uint8Array(5_000_000)]]);
    for (const number of [1, 2]) await knowledge.remember(policy(), pass(number, 0, { bodies }));
    expect(await numbers(knowledge)).toEqual([2]);
  });

  test("of passes that are remembered at the same time is all of them", async () => {
    const knowledge = await store();
    const policies = Array.from({ length: 20 }, (_, at) => policy({ key: `team/${at}` as never }));
    const all = policies.flatMap((of) =>
      [1, 2, 3, 4, 5].map((number) => knowledge.remember(of, pass(number))),
    );
    await Promise.all(all);
    const found = await Promise.all(policies.map((of) => knowledge.recall(of)));
    expect(found.map(({ number }) => number)).toEqual(policies.map(() => 5));
  });
}
