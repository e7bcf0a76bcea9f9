import { beforeAll, describe, expect, test } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import type { StepInput } from "../host/contract/index.ts";
import { checkMetadata, checkPlan, SECTION } from "../host/contract/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

const AT = "2026-11-22T10:00:00.000Z";

let file = "";
beforeAll(async () => {
  file = (await buildAlgorithms()).find(({ name }) => name === "ds2")?.file ?? "";
}, 120_000);

interface Plan {
  readonly nodes: Record<string, { readonly parallelism: number; readonly reason: string }>;
  readonly carry?: Readonly<Record<string, unknown>> & { readonly ds2: Readonly<Record<string, unknown>> };
}

/** A source of 100 records a second, `split` at 50/s an instance that makes eight of one, `count` at 100/s an instance. */
const wordcount = (split: number, count: number, change: Partial<StepInput> = {}): StepInput =>
  inputOf({
    topology: {
      nodes: [nodeOf("clicks", 1), nodeOf("split", split), nodeOf("count", count)],
      edges: [
        { from: "clicks", to: "split" },
        { from: "split", to: "count" },
      ],
    },
    sources: ratesOf(split, count),
    config: {},
    ...change,
  });

const ratesOf = (split: number, count: number): StepInput["sources"] => ({
  "true-processing": valuesOf(sampleOf("split", 50 * split), sampleOf("count", 100 * count)),
  "true-output": valuesOf(sampleOf("clicks", 100), sampleOf("split", 400 * split)),
  "observed-output": valuesOf(sampleOf("clicks", 80)),
});

async function run(input: StepInput): Promise<Plan & { logs: readonly string[] }> {
  const { answer, error, logs } = await callStock(file, "plan", input);
  expect(error).toBeUndefined();
  expect(checkPlan(answer)).toEqual([]);
  return { ...(answer as Plan), logs };
}

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

describe("DS2 says why", () => {
  test("for a source, and for every operator", async () => {
    expect((await run(wordcount(1, 1))).nodes).toEqual({
      clicks: { parallelism: 1, reason: "a source of 100/s keeps its instances" },
      split: { parallelism: 2, reason: "100/s at 50/s an instance" },
      count: { parallelism: 8, reason: "800/s at 100/s an instance" },
    });
  });

  test("a share on top is named, and does not leak downstream", async () => {
    const { nodes } = await run(
      wordcount(1, 1, { config: { nodes: { split: { scalingFactor: 1 } }, scalingFactor: 0.25 } }),
    );
    expect(nodes["split"]).toEqual({ parallelism: 4, reason: "100/s at 50/s an instance and 100 % on top" });
    expect(nodes["count"]).toEqual({ parallelism: 10, reason: "800/s at 100/s an instance and 25 % on top" });
  });
});

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

describe("DS2 never scales on what it does not know", () => {
  const without = (source: string, node: string) => {
    const sources = ratesOf(1, 1);
    const { series = [], at } = sources[source] ?? { at: AT };
    return { ...sources, [source]: { at, series: series.filter((one) => one.node !== node) } };
  };

  test("an operator without a true processing rate is left out, and so is everything behind it", async () => {
    const { nodes, logs } = await run(wordcount(1, 1, { sources: without("true-processing", "split") }));
    expect(Object.keys(nodes)).toEqual(["clicks"]);
    expect(logs).toEqual([
      "warn split is left as it is: nothing says what one of its instances can process",
      "warn count is left as it is: what split will send is not known",
    ]);
  });

  test.each([0, -50])("a true processing rate of %i is none", async (rate) => {
    const sources = { ...ratesOf(1, 1), "true-processing": valuesOf(sampleOf("split", rate)) };
    expect(Object.keys((await run(wordcount(1, 1, { sources }))).nodes)).toEqual(["clicks"]);
  });

  test("a source without a rate leaves all out", async () => {
    const { nodes, logs } = await run(wordcount(1, 1, { sources: without("true-output", "clicks") }));
    expect(nodes).toEqual({});
    expect(logs[0]).toBe(
      "warn clicks is left as it is: nothing says how many records a second it is to emit",
    );
  });

  test("an operator without instances has nothing to be measured by", async () => {
    expect(Object.keys((await run(wordcount(1, 0))).nodes)).toEqual(["clicks", "split"]);
  });

  test("a loop of edges is left out, and what is before it is not", async () => {
    const input = wordcount(1, 1);
    const edges = [...input.topology.edges, { from: "count", to: "count" }];
    const { nodes, logs } = await run({ ...input, topology: { ...input.topology, edges } });
    expect(Object.keys(nodes)).toEqual(["clicks", "split"]);
    expect(logs[0]).toContain("it is on a loop of edges");
  });

  test("a rate so small that the answer is beyond every application leaves the node out", async () => {
    const sources = { ...ratesOf(1, 1), "true-processing": valuesOf(sampleOf("split", 1e-9)) };
    const { nodes, logs } = await run(wordcount(1, 1, { sources }));
    expect(Object.keys(nodes)).toEqual(["clicks"]);
    expect(logs[0]).toContain("is more than any application can have");
  });

  test("nothing arrives, nothing is needed: the guardrails say how low it may go", async () => {
    const sources = {
      ...ratesOf(2, 2),
      "true-output": valuesOf(sampleOf("clicks", 0), sampleOf("split", 400)),
    };
    expect((await run(wordcount(2, 2, { sources }))).nodes).toMatchObject({
      split: { parallelism: 0 },
      count: { parallelism: 0 },
    });
  });
});

describe("what a source is to emit", () => {
  test("can be configured, an instance, or be what it really emits", async () => {
    const at = async (outputPerInstance: number) =>
      (await run(wordcount(1, 1, { config: { nodes: { clicks: { outputPerInstance } } } }))).nodes;
    expect((await at(500))["split"]?.reason).toBe("500/s at 50/s an instance");
    expect((await at(-1))["split"]?.reason).toBe("80/s at 50/s an instance");
  });

  test("is not asked where arrivals are measured: then the first node is sized as well", async () => {
    const input = wordcount(1, 1);
    const topology = { nodes: input.topology.nodes.slice(1), edges: [{ from: "split", to: "count" }] };
    const sources = { ...ratesOf(1, 1), arrivals: valuesOf(sampleOf("split", 420)) };
    expect((await run({ ...input, topology, sources })).nodes).toEqual({
      split: { parallelism: 9, reason: "420/s at 50/s an instance" },
      count: { parallelism: 34, reason: "3360/s at 100/s an instance" },
    });
    const failed = { ...sources, arrivals: { at: AT, noData: true } };
    const { nodes, logs } = await run({ ...input, topology, sources: failed });
    expect(nodes).toEqual({});
    expect(logs[0]).toBe("warn split is left as it is: what arrives at it is not known");
  });

  test("is what an analyze step expects where that is more, and the config says so", async () => {
    const at = async (forecast: number, config: Record<string, unknown>) =>
      (await run(wordcount(1, 1, { config, analyze: { nodes: { clicks: { forecast } } } }))).nodes["split"]
        ?.reason;
    expect(await at(150, { forecast: true })).toBe("150/s at 50/s an instance");
    expect(await at(90, { forecast: true })).toBe("100/s at 50/s an instance");
    expect(await at(150, {})).toBe("100/s at 50/s an instance");
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
    const { answer } = await callStock(file, "analyze", { ...input, step: "analyze" });
    const { nodes, carry } = await run(input);
    expect(answer).toEqual({ by: "ds2", nodes, carry });
    expect((await run({ ...input, analyze: answer as Record<string, unknown> })).nodes).toEqual(nodes);
  });

  test("remembers nothing where nothing needs a memory", async () => {
    expect((await run(wordcount(1, 1, { config: { warmUp: 0 } }))).carry).toBeUndefined();
  });
});

describe("the module of DS2", () => {
  test("says what it is, and which config it takes", async () => {
    const module = new WebAssembly.Module(new Uint8Array(await readFile(file)));
    const [section] = WebAssembly.Module.customSections(module, SECTION);
    const metadata = JSON.parse(new TextDecoder().decode(section)) as { config: object };
    expect(checkMetadata(metadata)).toEqual([]);
    expect(metadata).toMatchObject({ name: "ds2", version: "1.0.0", steps: ["analyze", "plan"] });
    const fits = new Ajv2020().compile(metadata.config);
    expect(fits({ fitted: true, nodes: { clicks: { outputPerInstance: -1 } } })).toBe(true);
    const wrongs = [
      { target_rate_ratio_threshold: 1.05 },
      { targetRateRatio: 0.9 },
      { activation: 0 },
      { scalingFactor: -0.1 },
      { nodes: { clicks: { outputPerInstance: -2 } } },
    ];
    for (const wrong of wrongs) expect(fits(wrong)).toBe(false);
  });

  test("imports nothing but the Extism ABI", async () => {
    const module = new WebAssembly.Module(new Uint8Array(await readFile(file)));
    const imports = WebAssembly.Module.imports(module).map((one) => one.module);
    expect(new Set(imports)).toEqual(new Set(["extism:host/env"]));
  });
});
