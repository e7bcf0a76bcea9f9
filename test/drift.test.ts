import { describe, expect, test } from "vitest";
import type { Iteration } from "../host/knowledge/index.ts";
import { NOTHING_BY_HAND, type ByHand, type Ownership, type Policy } from "../host/policy/index.ts";
import { guardrails } from "./builders.ts";
import { REFUSALS, SagaBed } from "./saga-bed.ts";

const correct: Ownership = { onDrift: "Correct", onDelete: "Keep" };
const yields: Ownership = { onDrift: "Yield", onDelete: "Keep" };

/** A bed whose node `a` was scaled from 2 to 5, after which somebody set it to 8. */
async function meddled(ownership: Ownership, to = 8) {
  const bed = new SagaBed({ a: 2, b: 2 }, { ownership });
  bed.wants = { a: 5 };
  await bed.pass();
  bed.set("a", to);
  return bed;
}
async function next(bed: SagaBed, rest: Partial<Policy> = {}): Promise<Iteration> {
  bed.nowMs += 15_000;
  const pass = await bed.pass(undefined, rest);
  if (pass === undefined) throw new Error("it ended");
  return pass;
}
const hand = (rest: Partial<ByHand>): Partial<Policy> => ({ byHand: { ...NOTHING_BY_HAND, ...rest } });
const reasonsOf = (pass: Iteration) => pass.decision?.verdicts[0]?.reasons;
const drifted = { node: "a", from: 5, to: 8, by: "kubectl" };

describe("a node that somebody else scaled", () => {
  test("is brought back by the next decision, which names who it was, once", async () => {
    const bed = await meddled(correct);
    const pass = await next(bed);
    expect(pass).toMatchObject({ outcome: "Scaled", drifted: [{ ...drifted, isYielded: false }] });
    expect(bed.replicas()).toEqual({ a: 5, b: 2 });
    expect((await next(bed)).drifted).toBeUndefined();
  });

  test("is told once also where the algorithm leaves it as it is", async () => {
    const bed = await meddled(correct);
    bed.wants = {};
    expect((await next(bed)).drifted).toHaveLength(1);
    expect((await next(bed)).drifted).toBeUndefined();
    expect(bed.replicas()).toEqual({ a: 8, b: 2 });
  });

  test.each([0, 40])(
    "is left to them where the policy yields, also outside its bounds: at %i",
    async (to) => {
      const bed = await meddled(yields, to);
      for (let passes = 0; passes < 3; passes += 1) {
        const pass = await next(bed);
        expect(pass.drifted).toEqual([{ ...drifted, to, isYielded: true }]);
        expect(reasonsOf(pass)).toEqual(["Yielded"]);
      }
      expect(bed.replicas()).toEqual({ a: to, b: 2 });
    },
  );

  test("does not keep the other nodes from being scaled", async () => {
    const bed = await meddled(yields);
    bed.wants = { a: 5, b: 4 };
    await next(bed);
    expect(bed.replicas()).toEqual({ a: 8, b: 4 });
  });

  test.each([
    ["the spec changes", { generation: 2 }],
    ["it is taken back by hand", hand({ takesBack: true })],
    ["an override says what it is to be", hand({ override: new Map([["a", 5]]) })],
  ])("is the policy's again when %s", async (_what, rest) => {
    const bed = await meddled(yields);
    await next(bed);
    await next(bed, rest);
    expect(bed.replicas()).toEqual({ a: 5, b: 2 });
  });

  test("is the policy's again when the algorithm wants that very number", async () => {
    const bed = await meddled(yields);
    await next(bed);
    bed.wants = { a: 8 };
    expect(reasonsOf(await next(bed))).toEqual([]);
    bed.wants = { a: 6 };
    expect(await next(bed)).toMatchObject({ outcome: "Scaled" });
    expect(bed.replicas()).toEqual({ a: 6, b: 2 });
  });

  test("is followed where they scale it again", async () => {
    const bed = await meddled(yields);
    await next(bed);
    bed.set("a", 9, "flux");
    const [now] = (await next(bed)).drifted ?? [];
    expect(now).toEqual({ node: "a", from: 5, to: 9, by: "flux", isYielded: true });
  });

  test("while others had the application is where the policy goes on from, without a word", async () => {
    const bed = await meddled(yields);
    const pass = await next(bed, hand({ resumes: true }));
    expect([pass.drifted, pass.outcome]).toEqual([undefined, "Scaled"]);
    expect(bed.replicas()).toEqual({ a: 5, b: 2 });
  });
});

describe("a number that differs", () => {
  test("is nobody's drift before the policy has written anything, nor while it only decides", async () => {
    const bed = new SagaBed({ a: 2 }, { ownership: yields });
    bed.wants = { a: 5 };
    bed.set("a", 3);
    expect((await next(bed)).drifted).toBeUndefined();
    bed.set("a", 8);
    expect((await next(bed, { mode: "DryRun" })).drifted).toBeUndefined();
  });

  test("is nobody's drift where the host set it itself, such as another replica whose memory was lost", async () => {
    const bed = await meddled(yields);
    bed.set("a", 5);
    bed.set("a", 8, "sluice");
    const pass = await next(bed);
    expect([pass.drifted, pass.outcome]).toEqual([undefined, "Scaled"]);
  });

  test("is nobody's drift where a decision was abandoned that may have been written", async () => {
    const bed = await meddled(yields, 5);
    bed.wants = { a: 7 };
    bed.refuses.set("a", REFUSALS.down);
    expect((await next(bed)).outcome).toBe("Open");
    bed.set("a", 7);
    bed.refuses.clear();
    bed.nowMs += 600_000;
    expect((await next(bed)).drifted).toBeUndefined();
    expect([...bed.records.values()].map(({ outcome }) => outcome)).toContain("Abandoned");
  });
});

describe("asked by hand,", () => {
  test("a number holds whatever the algorithm wants, and no rate or window delays it", async () => {
    const bed = new SagaBed({ a: 2, b: 2 });
    bed.wants = { a: 9 };
    const pass = await next(bed, hand({ override: new Map([["a", 4]]) }));
    expect(reasonsOf(pass)).toEqual(["Override"]);
    expect(bed.replicas()).toEqual({ a: 4, b: 2 });
    await next(bed);
    expect(bed.replicas()).toEqual({ a: 9, b: 2 });
  });

  test("a number stays inside the node's bounds, which are 1 to 16", async () => {
    const bed = new SagaBed({ a: 2 });
    await next(bed, hand({ override: new Map([["a", 99]]) }));
    expect(bed.replicas()).toEqual({ a: 16 });
    await next(bed, hand({ override: new Map([["a", 0]]) }));
    expect(bed.replicas()).toEqual({ a: 1 });
  });

  test("a number holds also where the algorithm fails, and the pass keeps its fault", async () => {
    const bed = new SagaBed({ a: 2, b: 2 });
    bed.wants = { nobody: 3 };
    const pass = await next(bed, hand({ override: new Map([["a", 4]]) }));
    expect(pass.decision?.verdicts.map(({ granted }) => granted)).toEqual([4, 2]);
    expect(bed.replicas()).toEqual({ a: 4, b: 2 });
  });

  test("nothing grows, or nothing shrinks, and what is outside its bounds is brought inside all the same", async () => {
    const bed = new SagaBed({ a: 4, b: 4 });
    bed.wants = { a: 6, b: 2 };
    const up = await next(bed, hand({ isUpPaused: true }));
    expect(reasonsOf(up)).toEqual(["DirectionPaused"]);
    expect(bed.replicas()).toEqual({ a: 4, b: 2 });
    bed.wants = { a: 6, b: 1 };
    await next(bed, hand({ isDownPaused: true }));
    expect(bed.replicas()).toEqual({ a: 6, b: 2 });
    bed.set("a", 40);
    await next(bed, hand({ isDownPaused: true }));
    expect(bed.replicas()["a"]).toBeLessThanOrEqual(16);
  });

  test("nothing shrinks, and a fallback that would lower waits too", async () => {
    const bed = new SagaBed({ a: 4 });
    const fallback = { behavior: "Static", parallelism: 2, afterSeconds: 0, nodes: {} } as const;
    const rest = { guardrails: guardrails({ fallback }) };
    bed.wants = { nobody: 3 };
    await next(bed, { ...rest, ...hand({ isDownPaused: true }) });
    expect(bed.replicas()).toEqual({ a: 4 });
    await next(bed, rest);
    expect(bed.replicas()).toEqual({ a: 2 });
  });
});
