import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PassEnded, type PassAnswers } from "../host/loop/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { asking, get, world, type Doing, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";

let engine: Bed;
let server: World;
beforeAll(async () => {
  engine = await bed();
  server = await world();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const MONITOR: Doing = (text) => `(call $log_info ${text("looking")}) (call $say ${text('{"rate":1.0}')})`;
const END = "unreachable";
const log =
  (words: string): Doing =>
  (text) =>
    `(call $log_info ${text(words)})`;
const then =
  (...parts: readonly (Doing | string)[]): Doing =>
  (text) =>
    parts.map((part) => (typeof part === "string" ? part : part(text))).join(" ");

/** What a pass had done when it ended, and by which code. */
async function ended(work: Promise<unknown>): Promise<PassAnswers & { readonly code: string }> {
  const thrown = await work.catch((reason: unknown) => reason);
  if (thrown instanceof PassEnded) return { ...thrown.done, code: thrown.code };
  throw new Error(`no pass that ended, but ${String(thrown)}`);
}

const order = (plan: Doing) => {
  const module = asking({ monitor: MONITOR, plan });
  return engine.order({ monitor: module, plan: module }, { effects: server.perform });
};
const failing = (plan: Doing) => ended(engine.engine.pass(order(plan)));

describe("a pass whose step fails", () => {
  test.each([
    ["by a trap", then(log("before the end"), END), "GuestTrapped"],
    [
      "by an error of its own",
      then(log("before the end"), (text) => `(call $error_set ${text("no")}) (return (i32.const 1))`),
      "GuestFailed",
    ],
    ["by its fuel", then(log("before the end"), "(loop $l (br $l))"), "FuelExhausted"],
    [
      "by an answer that is none",
      then(log("before the end"), (text) => `(call $say ${text("[")})`),
      "OutputInvalid",
    ],
    [
      "by a full memory",
      then(log("before the end"), "(drop (call $alloc (i64.const -1)))"),
      "MemoryExceeded",
    ],
  ] as const)("%s keeps what was logged, answered and burned until then", async (_how, plan, code) => {
    const done = await failing(plan);
    expect(done.code).toBe(code);
    expect(done.logs).toEqual([
      { step: "monitor", level: "info", text: "looking" },
      { step: "plan", level: "info", text: "before the end" },
    ]);
    expect(done.answers).toEqual({ monitor: '{"rate":1.0}' });
    expect(done.fuel.monitor).toBeGreaterThan(0);
    expect(done.fuel.plan).toBeGreaterThan(0);
  });

  test("burns the same every time, up to its limit and no more than a stretch of code beyond it", async () => {
    const runs = await Promise.all([1, 2, 3].map(() => failing(() => "(loop $l (br $l))")));
    const [first] = runs;
    expect(new Set(runs.map(({ fuel }) => fuel.plan)).size).toBe(1);
    expect(first?.fuel.plan).toBeGreaterThan(LIMITS.cpuMs * LIMITS.fuelPerCpuMs);
    expect(first?.fuel.plan).toBeLessThan(LIMITS.cpuMs * LIMITS.fuelPerCpuMs + 1_000);
  });

  test("says nothing of its fuel where it ended by its stack, which is not as deep everywhere", async () => {
    const module = asking(
      { plan: (text) => `${log("down")(text)} (call $down)` },
      "(func $down (call $down))",
    );
    const done = await ended(engine.run({ plan: module }));
    expect([done.code, done.logs[0]?.text, done.fuel]).toEqual(["StackExceeded", "down", {}]);
  });

  test("keeps 64 lines of it at most, however many there were", async () => {
    const flood: Doing = (text) => `(loop $l (call $log_info ${text("again")}) (br $l))`;
    const done = await failing(flood);
    const lines = done.logs.filter(({ step }) => step === "plan");
    expect(lines).toHaveLength(LIMITS.logLines);
    expect(lines.at(-1)?.text).toContain("further lines were dropped");
  });

  test("keeps the lines of its last run only, after an effect, and is replayed to the same", async () => {
    const asks = order(then(log("asking"), (text) => get(text, `${server.origin}/a`), log("answered"), END));
    const done = await ended(engine.engine.pass(asks));
    expect(done.logs.map(({ text }) => text)).toEqual(["looking", "asking", "answered"]);
    expect(done.journal.plan).toHaveLength(1);

    const { effects: _effects, ...replayed } = asks;
    const again = await ended(engine.engine.replay(replayed, done));
    const { code, answers, logs, fuel, journal } = done;
    expect(again).toMatchObject({ code, answers, logs, fuel, journal });
  });

  test("is charged the processor time until it was killed", async () => {
    const done = await ended(
      engine.run({ plan: asking({ plan: () => "(loop $l (br $l))" }) }, { cpuMs: 100, fuel: 1e12 }),
    );
    expect(done.code).toBe("DeadlineExceeded");
    expect(done.cpuMs).toBeGreaterThanOrEqual(100);
  });
});
