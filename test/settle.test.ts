import { guardrails } from "./builders.ts";
import { describe, expect, test } from "vitest";
import type { Policy, Settle } from "../host/policy/index.ts";
import { findings } from "../host/operator/conditions.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import { followUpSeconds } from "../host/loop/index.ts";
import { REFUSALS, SagaBed } from "./saga-bed.ts";

const hold: Settle = { timeoutSeconds: 60, onFailure: "Hold" };
const back: Settle = { timeoutSeconds: 60, onFailure: "Rollback" };

/** A bed with one node of 2 that has been scaled to 6, of which 3 serve. */
async function growing(settle: Settle | undefined, rest: Partial<Policy> = {}) {
  const bed = new SagaBed({ a: 2, b: 2 }, { settle, ...rest });
  bed.wants = { a: 6 };
  await bed.pass();
  ready(bed, "a", 3);
  return bed;
}
const ready = (bed: SagaBed, name: string, number: number | undefined) => {
  const found = bed.app.get(name);
  if (found !== undefined) found.ready = number;
};
async function after(bed: SagaBed, seconds: number, wants: Record<string, number>): Promise<Iteration> {
  bed.nowMs += seconds * 1_000;
  bed.wants = wants;
  const pass = await bed.pass();
  if (pass === undefined) throw new Error("it ended");
  return pass;
}
const reasonsOf = (pass: Iteration, node: string) =>
  pass.decision?.verdicts.find((verdict) => verdict.node === node)?.reasons;
const settled = (iteration: Iteration) =>
  findings({ stage: "passed", mode: "Enforce", iteration, stale: undefined }).find(
    ({ type }) => type === "Settled",
  );

describe("a change that does not serve yet", () => {
  test("lets its node grow further", async () => {
    const bed = await growing(hold);
    const pass = await after(bed, 15, { a: 8 });
    expect(pass).toMatchObject({
      outcome: "Scaled",
      followed: [{ node: "a", from: 2, to: 6, state: "Settling" }],
    });
    expect(bed.replicas()).toEqual({ a: 8, b: 2 });
  });

  test("keeps its node from shrinking until all of it is ready, and the policy is looked at again soon", async () => {
    const bed = await growing(hold);
    const waiting = await after(bed, 15, { a: 1 });
    expect(waiting.outcome).toBe("Unchanged");
    expect(reasonsOf(waiting, "a")).toEqual(["Settling"]);
    expect(followUpSeconds(waiting)).toBe(5);
    ready(bed, "a", 6);
    const done = await after(bed, 5, { a: 1 });
    expect(done).toMatchObject({ outcome: "Scaled", followed: [{ node: "a", state: "Settled" }] });
    expect(bed.replicas()).toEqual({ a: 1, b: 2 });
  });

  test("keeps a node that was shrunk from growing and from shrinking further", async () => {
    const bed = await growing(hold);
    ready(bed, "a", 6);
    await after(bed, 15, { a: 3 });
    for (const wanted of [9, 2]) {
      expect(reasonsOf(await after(bed, 1, { a: wanted }), "a")).toEqual(["Settling"]);
    }
    ready(bed, "a", 3);
    await after(bed, 1, { a: 9 });
    expect(bed.replicas()).toEqual({ a: 9, b: 2 });
  });

  test("does not concern other nodes, and gives them no room below the total that it has itself", async () => {
    const bed = await growing(hold, { guardrails: guardrails({ totalMax: 10 }) });
    await after(bed, 15, { a: 1, b: 9 });
    expect(bed.replicas()).toEqual({ a: 6, b: 4 });
  });

  test("does not keep a node outside its bounds", async () => {
    const bed = await growing(hold);
    const nodes = bed.nodes.map((node) => ({ ...node, bounds: { min: 1, max: 4 } }));
    const pass = await bed.pass(undefined, { nodes });
    expect(reasonsOf(pass!, "a")).toEqual(["OutOfBounds"]);
    expect(bed.replicas()).toEqual({ a: 4, b: 2 });
  });

  test("is followed as well where the rest of its decision was abandoned", async () => {
    const bed = new SagaBed({ a: 2, b: 2 }, { settle: hold });
    bed.refuses.set("b", REFUSALS.down);
    await after(bed, 0, { a: 6, b: 6 });
    ready(bed, "a", 3);
    const pass = await after(bed, 61, { a: 1 });
    expect(bed.decisions()[0]?.outcome).toBe("Abandoned");
    expect(reasonsOf(pass, "a")).toEqual(["Settling"]);
  });

  test("is not followed any more once somebody else has set the number", async () => {
    const bed = await growing(hold);
    bed.set("a", 7);
    expect((await after(bed, 15, {})).followed).toEqual([]);
    expect((await after(bed, 15, { a: 3 })).outcome).toBe("Scaled");
  });

  test("is followed over the end of the process", async () => {
    const bed = await growing(hold);
    expect(await bed.pass({ at: 2, when: "before" })).toBeUndefined();
    expect(reasonsOf(await after(bed, 15, { a: 1 }), "a")).toEqual(["Settling"]);
  });

  test("is nothing to a policy that follows none", async () => {
    const bed = await growing(undefined);
    const pass = await after(bed, 15, { a: 1 });
    expect(pass).toMatchObject({ outcome: "Scaled" });
    expect(pass).not.toHaveProperty("followed");
  });
});

describe("a change whose time is over", () => {
  test("is kept, with a condition that lasts until it serves, and its node may move again", async () => {
    const bed = await growing(hold);
    const late = await after(bed, 61, { a: 6 });
    expect(late.followed).toEqual([{ node: "a", from: 2, to: 6, state: "Late" }]);
    expect(settled(late)).toMatchObject({ status: "False", reason: "SettleTimeout" });
    expect(settled(await after(bed, 300, { a: 6 }))).toMatchObject({
      reason: "SettleTimeout",
      message: "a: 2 → 6 late, and kept",
    });
    ready(bed, "a", 6);
    expect(settled(await after(bed, 15, { a: 6 }))).toMatchObject({ status: "True", reason: "Settled" });
    ready(bed, "a", 3);
    expect((await after(bed, 15, { a: 4 })).outcome).toBe("Scaled");
  });

  test("is taken back once, and neither it nor more of it is tried for ten minutes; less of it is", async () => {
    const bed = await growing(back);
    const pass = await after(bed, 61, { a: 6 });
    expect(pass).toMatchObject({ outcome: "Scaled", followed: [{ node: "a", state: "RolledBack" }] });
    expect(reasonsOf(pass, "a")).toEqual(["RolledBack"]);
    expect(bed.replicas()).toEqual({ a: 2, b: 2 });
    for (const wanted of [6, 9]) {
      const held = await after(bed, 100, { a: wanted });
      expect(reasonsOf(held, "a")).toEqual(["RolledBack"]);
      expect(bed.replicas()["a"]).toBe(2);
    }
    await after(bed, 100, { a: 5 });
    expect(bed.writes.map(({ to }) => to)).toEqual([6, 2, 5]);
  });

  test("is tried again after ten minutes", async () => {
    const bed = await growing(back);
    await after(bed, 61, { a: 6 });
    ready(bed, "a", undefined);
    await after(bed, 599, { a: 2 });
    await after(bed, 2, { a: 6 });
    expect(bed.replicas()).toEqual({ a: 6, b: 2 });
  });

  test("is taken back inside the bounds, and not where that exceeds the total", async () => {
    const bed = new SagaBed(
      { a: 9, b: 2 },
      {
        settle: back,
        guardrails: guardrails({ totalMax: 10 }),
      },
    );
    bed.wants = { a: 3 };
    await bed.pass();
    ready(bed, "a", 1);
    bed.set("b", 4);
    const pass = await after(bed, 61, { a: 3, b: 4 });
    expect(pass.followed).toMatchObject([{ node: "a", state: "Late" }]);
    expect(bed.replicas()).toEqual({ a: 3, b: 4 });
  });

  test("is taken back once whatever step the process ends at", async () => {
    const whole = await growing(back);
    await after(whole, 61, { a: 6 });
    for (let at = 1; at <= whole.steps; at += 1) {
      for (const when of ["before", "after"] as const) {
        const bed = await growing(back);
        bed.nowMs += 61_000;
        bed.wants = { a: 6 };
        await bed.pass({ at, when });
        for (let pass = 0; pass < 3; pass += 1) await after(bed, 1, { a: 2 });
        expect(bed.writes.map(({ to }) => to)).toEqual([6, 2]);
        expect(bed.overtaken).toEqual([]);
      }
    }
  });

  test("is one change as long as growth goes on and nothing more of it serves", async () => {
    const bed = await growing(back);
    ready(bed, "a", 2);
    await after(bed, 30, { a: 7 });
    ready(bed, "a", 2);
    await after(bed, 31, { a: 8 });
    expect(bed.replicas()).toEqual({ a: 2, b: 2 });
  });
});

describe("a number that a rule of the cluster refuses", () => {
  test("is told as such, and is not written with every pass", async () => {
    const bed = new SagaBed({ a: 2, b: 2 });
    const tries: number[] = [];
    let second = 0;
    bed.refuses.set("a", () => {
      tries.push(second);
      return REFUSALS.webhook();
    });
    for (; second < 1_500; second += 15) {
      const pass = await after(bed, second === 0 ? 0 : 15, { a: 5 });
      const found = findings({ stage: "passed", mode: "Enforce", iteration: pass, stale: undefined });
      expect(found.find(({ type }) => type === "ScalingActive")).toMatchObject({ reason: "AdmissionDenied" });
    }
    // 30 s, and twice as late each time, up to ten minutes.
    expect(tries).toEqual([0, 30, 90, 210, 450, 930]);
  });

  test("holds neither less than it nor what shrinks", async () => {
    const bed = new SagaBed({ a: 3, b: 2 });
    bed.refuses.set("a", REFUSALS.webhook);
    await after(bed, 0, { a: 8 });
    bed.refuses.clear();
    await after(bed, 1, { a: 9 });
    expect(bed.replicas()["a"]).toBe(3);
    await after(bed, 1, { a: 7 });
    expect(bed.replicas()["a"]).toBe(7);
    await after(bed, 1, { a: 2 });
    expect(bed.replicas()["a"]).toBe(2);
  });

  test("and another that the webhook makes of it is what is recorded", async () => {
    const bed = new SagaBed({ a: 2, b: 2 });
    bed.mutate = (_node, replicas) => Math.min(replicas, 3);
    const pass = await after(bed, 0, { a: 5 });
    expect(pass.changes).toEqual([{ node: "a", outcome: "Scaled", granted: 3 }]);
    expect(reasonsOf(await after(bed, 15, { a: 5 }), "a")).toEqual(["BackingOff"]);
  });
});
