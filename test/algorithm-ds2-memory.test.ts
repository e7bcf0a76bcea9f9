import { describe, expect, test } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { ratesOf, run, wordcount, type Plan } from "./ds2-wordcount.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

const AT = "2026-11-22T10:00:00.000Z";

/** What is wanted of split and count, pass after pass, where every want comes true if `grants`. */
async function passes(
  count: number,
  config: Record<string, unknown>,
  from: [number, number] = [1, 1],
  grants = true,
) {
  let [split, counts] = from;
  let carry: Plan["carry"];
  const wanted: string[] = [];
  for (let pass = 0; pass < count; pass++) {
    const plan = await run(wordcount(split, counts, { config, ...(carry === undefined ? {} : { carry }) }));
    carry = plan.carry;
    const [a, b] = [plan.nodes["split"]?.parallelism ?? NaN, plan.nodes["count"]?.parallelism ?? NaN];
    wanted.push(`${a} ${b}`);
    if (grants) [split, counts] = [a, b];
  }
  return wanted;
}

describe("DS2 takes its time", () => {
  test("after a change two passes are ignored, unless the config says otherwise", async () => {
    const plan = await run(
      wordcount(1, 1, { carry: { ds2: { nodes: { clicks: "1", split: "2", count: "1" } } } }),
    );
    expect(plan.nodes["count"]).toEqual({
      parallelism: 1,
      reason: "800/s at 100/s an instance: 8, but the application warms up after a change: 2 more passes",
    });
    expect(plan.carry?.ds2).toMatchObject({ warmingUp: 1, answers: 0 });
  });

  test("the passes to be ignored begin when the change is seen, not when it was wanted", async () => {
    expect(await passes(3, { warmUp: 2 }, [1, 1], false)).toEqual(["2 8", "2 8", "2 8"]);
    // 4 instances of count too many: the first answer is acted on, the next two are not, then nothing is left to do.
    const config = { warmUp: 1 };
    const moved = await run(wordcount(2, 12, { config }));
    expect(moved.nodes["count"]?.parallelism).toBe(8);
    const seen = await run(wordcount(2, 9, { config, carry: moved.carry }));
    expect(seen.nodes["count"]?.parallelism).toBe(9);
    const warm = await run(wordcount(2, 9, { config, carry: seen.carry }));
    expect(warm.nodes["count"]?.parallelism).toBe(8);
  });

  test("three answers are awaited where activation is 3", async () => {
    expect(await passes(4, { activation: 3, warmUp: 0 })).toEqual(["1 1", "1 1", "2 8", "2 8"]);
    const { nodes } = await run(wordcount(1, 1, { config: { activation: 3 } }));
    expect(nodes["split"]?.reason).toBe("100/s at 50/s an instance: 2, but 2 more answers are awaited");
  });

  test("a pass without any rate is no answer, and warms nothing up", async () => {
    const noData = { "true-processing": { at: AT, noData: true }, "true-output": { at: AT, noData: true } };
    const carry = { ds2: { warmingUp: 2, answers: 0, nodes: { clicks: "1", split: "1", count: "1" } } };
    const plan = await run(wordcount(1, 1, { sources: noData, carry }));
    expect(plan.nodes).toEqual({});
    expect(plan.carry?.ds2).toEqual(carry.ds2);
  });

  test("a drop of one is not worth a change where minDecrease is 2, unless something else is", async () => {
    const config = { minDecrease: 2 };
    const one = await run(wordcount(3, 8, { config }));
    expect(one.nodes["split"]).toEqual({
      parallelism: 3,
      reason: "100/s at 50/s an instance: 2, but fewer than 2 instances less are not worth a change",
    });
    expect((await run(wordcount(3, 10, { config }))).nodes["split"]?.parallelism).toBe(2);
    expect((await run(wordcount(3, 7, { config }))).nodes["split"]?.parallelism).toBe(2);
    expect((await run(wordcount(3, 8))).nodes["split"]?.parallelism).toBe(2);
  });
});

describe("the target rate ratio", () => {
  const config = { targetRateRatio: 1.05, warmUp: 0 };

  test("enlarges all operators once when none wants to grow, and stays with it", async () => {
    // 100 records are offered a second and 80 emitted: 1.25 times 2 and 8.
    expect(await passes(4, config)).toEqual(["2 8", "3 10", "3 10", "3 10"]);
    const { nodes } = await run(wordcount(2, 8, { config }));
    expect(nodes["split"]?.reason).toBe(
      "100/s at 50/s an instance, times 1.25: so much more is offered to a source than it emitted",
    );
  });

  test("is not applied while something is unknown, or the source emits nothing", async () => {
    const sources = { ...ratesOf(2, 8), "true-processing": valuesOf(sampleOf("split", 100)) };
    expect((await run(wordcount(2, 8, { config, sources }))).nodes["split"]?.parallelism).toBe(2);
    const silent = { ...ratesOf(2, 8), "observed-output": valuesOf(sampleOf("clicks", 0)) };
    expect((await run(wordcount(2, 8, { config, sources: silent }))).nodes["split"]?.parallelism).toBe(2);
  });

  test("is forgotten when an operator wants to grow of itself", async () => {
    const carry = { ds2: { correction: 1.25, nodes: { clicks: "1", split: "1", count: "8" } } };
    const plan = await run(wordcount(1, 8, { config, carry }));
    expect(plan.nodes["split"]?.parallelism).toBe(2);
    expect(plan.carry?.ds2["correction"]).toBeUndefined();
  });
});

describe("the fit", () => {
  const known = (points: string) => ({
    ds2: { nodes: { clicks: "1", split: `1 ${points}`, count: "1" } },
  });
  const config = { fitted: true };

  test("says which number it replaces", async () => {
    // 50/s at 1, 120/s at 4 and 160/s at 8: by such a curve 2 do less than 100/s.
    const { nodes } = await run(wordcount(1, 1, { config, carry: known("4:120 8:160") }));
    expect(nodes["split"]?.reason).toMatch(
      /^100\/s at 50\/s an instance would be 2, and 3 by the curve of 3 measurements$/,
    );
  });

  test("forgets the curve when the same number of instances does another work than before", async () => {
    const { carry } = await run(wordcount(1, 1, { config, carry: known("1:90 4:120") }));
    expect(carry?.ds2["nodes"]).toMatchObject({ split: "1 1:50" });
  });

  test("does not measure while the application warms up, or while not all instances are ready", async () => {
    const warming = { ds2: { warmingUp: 1, nodes: { clicks: "1", split: "1", count: "1" } } };
    expect((await run(wordcount(1, 1, { config, carry: warming }))).carry?.ds2["nodes"]).toMatchObject({
      split: "1",
    });
    const input = wordcount(2, 1, { config });
    const nodes = input.topology.nodes.map((node) => (node.name === "split" ? { ...node, ready: 1 } : node));
    const plan = await run({ ...input, topology: { ...input.topology, nodes } });
    expect(plan.carry?.ds2["nodes"]).toMatchObject({ split: "2", count: "1 1:100" });
  });

  test("carries no more than the contract allows, for 100 nodes with the longest names", async () => {
    const names = Array.from({ length: 99 }, (_, i) => `${"n".repeat(60)}${100 + i}`);
    const carried = names.map((name) => [name, "99 99:123456.789 98:123456.788 97:123456.787 96:123456.786"]);
    const { carry } = await run(
      inputOf({
        topology: {
          nodes: [nodeOf("clicks", 1), ...names.map((name) => nodeOf(name, 99))],
          edges: names.map((name) => ({ from: "clicks", to: name })),
        },
        sources: {
          "true-processing": valuesOf(...names.map((name) => sampleOf(name, 123456.7891))),
          "true-output": valuesOf(sampleOf("clicks", 123456)),
        },
        carry: { ds2: { nodes: Object.fromEntries([["clicks", "1"], ...carried]) } },
        config,
      }),
    );
    expect(JSON.stringify(carry).length).toBeLessThan(16_384);
  });
});

describe("DS2 beside other algorithms", () => {
  test("hands on what others remember, of this pass where they do", async () => {
    const carry = { season: [1, 2, 3], ds2: { nodes: { clicks: "1", split: "1", count: "1" } } };
    expect((await run(wordcount(1, 1, { carry }))).carry).toMatchObject({ season: [1, 2, 3] });
    const analyze = { carry: { season: [4], trend: 1.5 } };
    const plan = await run(wordcount(1, 1, { carry, analyze }));
    expect(plan.carry).toEqual({ season: [4], trend: 1.5, ds2: expect.any(Object) as object });
  });

  test("in analyze it says the same as in plan, for a planner behind it", async () => {
    const input = wordcount(1, 1);
    const { answer } = await callStock(await builtAlgorithm("ds2"), "analyze", { ...input, step: "analyze" });
    const { nodes, carry } = await run(input);
    expect(answer).toEqual({ by: "ds2", nodes, carry });
    expect((await run({ ...input, analyze: answer as Record<string, unknown> })).nodes).toEqual(nodes);
  });

  test("remembers nothing where nothing needs a memory", async () => {
    expect((await run(wordcount(1, 1, { config: { warmUp: 0 } }))).carry).toBeUndefined();
  });
});
