import { describe, expect, test } from "vitest";
import { fallbackInMs, followUpSeconds } from "../host/loop/index.ts";
import type { Fallback, Guardrails } from "../host/policy/index.ts";
import { guardrails, policy } from "./builders.ts";
import { SagaBed } from "./saga-bed.ts";

const after = (
  behavior: Fallback["behavior"],
  parallelism?: number,
  nodes: Fallback["nodes"] = {},
): Fallback => ({
  ...{ afterSeconds: 180, behavior, parallelism, nodes },
});

/** An application of `a` with 4 and `b` with 9 whose passes have failed for three minutes. */
async function failing(fallback: Fallback | undefined, rest: Partial<Guardrails> = {}) {
  const bed = new SagaBed({ a: 4, b: 9 }, { guardrails: guardrails({ fallback, ...rest }) });
  bed.wants = { elsewhere: 1 };
  for (const second of [0, 60, 120, 179]) {
    await bed.pass();
    expect(bed.replicas(), `${second} s`).toEqual({ a: 4, b: 9 });
    bed.nowMs += second === 120 ? 59_000 : second === 179 ? 1_000 : 60_000;
  }
  return { bed, pass: await bed.pass() };
}

describe("while every pass fails, and for longer than the policy says,", () => {
  test("nothing happens without a fallback", async () => {
    const { bed, pass } = await failing(undefined);
    expect(bed.writes).toEqual([]);
    expect(pass).toMatchObject({ outcome: "Failed", fault: { code: "OutputInvalid" }, decision: undefined });
  });

  test("the higher of what runs and the number is taken, and the pass keeps its fault", async () => {
    const { bed, pass } = await failing(after("CurrentIfHigher", 6));
    expect(bed.replicas()).toEqual({ a: 6, b: 9 });
    expect(pass).toMatchObject({ outcome: "Scaled", fallback: true, fault: { code: "OutputInvalid" } });
    expect(pass?.decision?.verdicts.map(({ reasons }) => reasons)).toEqual([["Fallback"], []]);
  });

  test.each(["Current", "CurrentIfLower"] as const)("%s keeps what runs", async (behavior) => {
    const { bed } = await failing(after(behavior, 6));
    expect(bed.writes).toEqual([]);
  });

  test("only Static takes something away, and a node's own number wins", async () => {
    const own = { b: { behavior: "Static", parallelism: 3 } } as const;
    const { bed } = await failing(after("CurrentIfHigher", 6, own));
    expect(bed.replicas()).toEqual({ a: 6, b: 3 });
  });

  test("bounds and total hold as ever, and rates do not: they look back on what was wanted", async () => {
    const slow = { windowSeconds: 600, select: "Min" as const, rates: [], tolerance: 0 };
    const behavior = { up: slow, down: slow, arithmetic: "Exact" as const, isPlain: false };
    const { bed } = await failing(after("CurrentIfHigher", 30), { behavior, totalMax: 20 });
    expect(bed.replicas()).toEqual({ a: 10, b: 10 });
  });

  test("a pass that succeeds ends it, and the time begins anew", async () => {
    const { bed } = await failing(after("Static", 6));
    bed.wants = { a: 2 };
    bed.nowMs += 15_000;
    expect(await bed.pass()).toMatchObject({ outcome: "Scaled", fault: undefined });
    bed.wants = { elsewhere: 1 };
    bed.nowMs += 15_000;
    expect(await bed.pass()).toMatchObject({ outcome: "Failed", decision: undefined });
    expect(bed.replicas()).toEqual({ a: 2, b: 6 });
  });

  test("what is due is known, so that no growing pause delays it", () => {
    const late = policy({ guardrails: guardrails({ fallback: after("Static", 6) }) });
    const pass = { memory: { nodes: {}, failingSinceMs: 60_000 } } as Parameters<typeof fallbackInMs>[1];
    expect(fallbackInMs(late, pass, new Date(100_000))).toBe(140_000);
    expect(fallbackInMs(late, { ...pass, fallback: true }, new Date(100_000))).toBeUndefined();
    expect(fallbackInMs(policy(), pass, new Date(100_000))).toBeUndefined();
  });
});

describe("an algorithm that asks to be run again", () => {
  test("is run sooner than the interval, and not sooner than in a second", () => {
    const asked = (recheckAfterSeconds: number) =>
      followUpSeconds({ outcome: "Unchanged", recheckAfterSeconds } as Parameters<typeof followUpSeconds>[0]);
    expect([asked(4), asked(0.01)]).toEqual([4, 1]);
  });
});
