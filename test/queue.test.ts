import * as fc from "fast-check";
import { expect, test } from "vitest";
import { WorkQueue } from "../host/kube/index.ts";
import { HandTime } from "./kube/hand-time.ts";

/** A queue whose work is finished by hand. */
function queue(concurrency = 1, inARow = 1) {
  const time = new HandTime();
  const keys = new WorkQueue({ time });
  const stop = new AbortController();
  const started: string[] = [];
  const working = new Map<string, { done: () => void; fail: (thrown: Error) => void }>();
  let overlaps = 0;
  const process = (key: string) => {
    started.push(key);
    if (working.has(key)) overlaps += 1;
    return new Promise<void>((done, fail) => working.set(key, { done, fail }));
  };
  const ended = keys.run(process, { concurrency, inARow, signal: stop.signal });
  const finish = async (key: string, thrown?: Error) => {
    const work = working.get(key);
    working.delete(key);
    if (thrown === undefined) work?.done();
    else work?.fail(thrown);
    await settled();
  };
  return { time, keys, stop, started, working, finish, ended, overlaps: () => overlaps };
}

/** Lets everything that is already decided happen. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a key that is added three times before its turn is worked on once", async () => {
  const { keys, started, finish } = queue();
  for (const key of ["a/x", "a/x", "a/x"]) keys.add(key);
  await settled();
  await finish("a/x");
  expect(started).toEqual(["a/x"]);
});

test("a key that is added while it is in work comes again, and not before that ends", async () => {
  const { keys, started, finish } = queue(2);
  keys.add("a/x");
  await settled();
  keys.add("a/x");
  await settled();
  expect(started).toEqual(["a/x"]);
  await finish("a/x");
  expect(started).toEqual(["a/x", "a/x"]);
});

test("a tenant with one key waits for one key of a tenant with many", async () => {
  const { keys, started, finish } = queue();
  for (const key of ["big/1", "big/2", "big/3", "small/1"]) keys.add(key);
  await settled();
  for (const key of ["big/1", "big/2", "small/1"]) await finish(key);
  expect(started.indexOf("small/1")).toBe(1);
});

test("no more keys are in work than the concurrency allows", async () => {
  const { keys, working } = queue(2);
  for (const key of ["a/1", "b/2", "c/3"]) keys.add(key);
  await settled();
  expect(working.size).toBe(2);
  expect(keys.inWork).toBe(2);
  expect(keys.depth).toBe(1);
});

test("a tenant whose work hangs has half of what may be in work, and the rest is for others", async () => {
  const { keys, started, finish } = queue(4);
  for (const key of ["slow/1", "slow/2", "slow/3", "slow/4"]) keys.add(key);
  await settled();
  expect(started).toEqual(["slow/1", "slow/2"]);
  keys.add("other/1");
  await settled();
  expect(started.at(-1)).toBe("other/1");
  await finish("slow/1");
  expect(started.at(-1)).toBe("slow/3");
  expect(keys.depth).toBe(1);
});

test("as many keys of a tenant as are to come in a row do so, and then the next tenant has its turn", async () => {
  const { keys, started, finish } = queue(1, 3);
  for (const tenant of ["a", "b"]) for (const at of [1, 2, 3, 4]) keys.add(`${tenant}/${at}`);
  await settled();
  for (let at = 0; at < 7; at += 1) await finish(started[at] ?? "");
  expect(started).toEqual(["a/1", "a/2", "a/3", "b/1", "b/2", "b/3", "a/4", "b/4"]);
});

test("of two delays the earlier one holds", async () => {
  const { keys, time, started } = queue();
  keys.addAfter("a/x", 30_000);
  keys.addAfter("a/x", 10_000);
  keys.addAfter("a/x", 20_000);
  time.pass(9_999);
  await settled();
  expect(started).toEqual([]);
  time.pass(1);
  await settled();
  expect(started).toEqual(["a/x"]);
  expect(keys.delayed).toBe(0);
});

test("a key that keeps failing comes back after 5, 10, 20 ms, and after a success after 5 ms again", async () => {
  const { keys, time, started, finish } = queue();
  keys.add("a/x");
  await settled();
  for (const waitMs of [5, 10, 20]) {
    const before = started.length;
    await finish("a/x", new Error("no"));
    time.pass(waitMs - 1);
    await settled();
    expect(started).toHaveLength(before);
    time.pass(1);
    await settled();
    expect(started).toHaveLength(before + 1);
  }
  expect(keys.retries("a/x")).toBe(3);
  await finish("a/x");
  keys.forget("a/x");
  keys.addRateLimited("a/x");
  time.pass(5);
  await settled();
  expect(started).toHaveLength(5);
});

test.each([
  [0, 900],
  [0.5, 1_000],
  [1, 1_100],
])("after 40 failures, with chance %d, a key waits %d s", (chance, waitSeconds) => {
  expect(longestWait(chance) / 1_000).toBeCloseTo(waitSeconds, 3);
});

/** The pause after 40 failures in a row. */
function longestWait(chance: number): number {
  const time = new HandTime();
  time.random = () => chance;
  const keys = new WorkQueue({ time });
  for (let failed = 0; failed < 40; failed += 1) {
    keys.addRateLimited("a/x");
    time.pass(1_200_000);
  }
  let waitMs = 0;
  time.after = (ms) => {
    waitMs = ms;
    return () => undefined;
  };
  keys.addRateLimited("a/x");
  return waitMs;
}

test("work that fails does not end the queue, and the failure is told as a fault", async () => {
  const time = new HandTime();
  const keys = new WorkQueue({ time });
  const stop = new AbortController();
  const faults: string[] = [];
  const ended = keys.run(() => Promise.reject(new Error("broken")), {
    concurrency: 1,
    signal: stop.signal,
    onFault: (key, fault) => faults.push(`${key}: ${fault.code}: ${fault.message}`),
  });
  keys.add("a/x");
  keys.add("b/y");
  await settled();
  expect(faults).toEqual(["a/x: Internal: broken", "b/y: Internal: broken"]);
  stop.abort();
  await ended;
});

test("when the signal is given, the work under way is waited for and no alarm is left", async () => {
  const { keys, time, stop, started, finish, ended } = queue();
  keys.add("a/x");
  keys.addAfter("a/y", 1_000);
  await settled();
  stop.abort();
  let over = false;
  void ended.then(() => (over = true));
  await settled();
  expect(over).toBe(false);
  await finish("a/x");
  await ended;
  keys.addAfter("a/z", 1_000);
  time.pass(5_000);
  expect(time.alarms).toBe(0);
  expect(started).toEqual(["a/x"]);
});

test("the oldest key tells how long it has waited", async () => {
  const { keys, time } = queue();
  keys.add("a/in-work");
  await settled();
  keys.add("a/x");
  time.pass(700);
  keys.add("a/y");
  time.pass(300);
  expect(keys.oldestMs).toBe(1_000);
});

const KEYS = ["a/1", "a/2", "b/1", "c/1"];
const key = fc.constantFrom(...KEYS);
const deed = fc.oneof(
  fc.record({ does: fc.constant("add" as const), key }),
  fc.record({ does: fc.constant("addAfter" as const), key, ms: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ does: fc.constant("addRateLimited" as const), key }),
  fc.record({ does: fc.constant("forget" as const), key }),
  fc.record({ does: fc.constant("finish" as const), key }),
  fc.record({ does: fc.constant("fail" as const), key }),
  fc.record({ does: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 100 }) }),
);

test("whatever happens, no key is in work twice, none is lost, and none is worked on more often than asked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(deed, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      async (deeds, concurrency) => {
        const { keys, time, started, working, finish, overlaps, stop, ended } = queue(concurrency);
        const asked = new Map<string, number>();
        /** Keys with a wish that no start has answered yet. */
        const owed = new Set<string>();
        const count = () => {
          for (const key of started.splice(0)) {
            owed.delete(key);
            asked.set(key, (asked.get(key) ?? 0) - 1);
          }
        };
        const ask = (key: string) => {
          owed.add(key);
          asked.set(key, (asked.get(key) ?? 0) + 1);
        };
        for (const deed of deeds) {
          if (deed.does === "pass") time.pass(deed.ms);
          else if (deed.does === "forget") keys.forget(deed.key);
          else if (deed.does === "finish") await finish(deed.key);
          else if (deed.does === "fail") {
            if (working.has(deed.key)) ask(deed.key);
            await finish(deed.key, new Error("no"));
          } else {
            ask(deed.key);
            if (deed.does === "addAfter") keys.addAfter(deed.key, deed.ms);
            else keys[deed.does](deed.key);
          }
          await settled();
          count();
          expect(working.size).toBeLessThanOrEqual(concurrency);
        }
        // Everything that was asked for is worked on in the end.
        for (let turn = 0; turn < 200 && owed.size + working.size > 0; turn += 1) {
          time.pass(2_000_000);
          for (const key of KEYS) await finish(key);
          count();
        }
        expect([...owed]).toEqual([]);
        expect(overlaps()).toBe(0);
        for (const left of asked.values()) expect(left).toBeGreaterThanOrEqual(0);
        stop.abort();
        await ended;
      },
    ),
    { numRuns: 200 },
  );
});

test("between two turns of a tenant that has more to do, every other tenant has one turn at most", async () => {
  const key = fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.nat({ max: 30 }));
  const run = async (given: readonly (readonly [string, number])[]) => {
    const { keys, started, finish } = queue();
    keys.add("first/0");
    await settled();
    for (const [tenant, name] of given) keys.add(`${tenant}/${name}`);
    for (let at = 0; at < started.length; at += 1) await finish(started[at] ?? "");
    const turns = started.map((one) => one.split("/")[0] ?? "");
    turns.forEach((tenant, at) => {
      const next = turns.indexOf(tenant, at + 1);
      const between = next === -1 ? [] : turns.slice(at + 1, next);
      expect(new Set(between).size).toBe(between.length);
    });
    expect(new Set(started).size).toBe(new Set(given.map((one) => one.join("/"))).size + 1);
  };
  await fc.assert(fc.asyncProperty(fc.array(key, { maxLength: 60 }), run), { numRuns: 100 });
});
