import { describe, expect, test } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import { checkMetadata, SECTION } from "../host/contract/index.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import { sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";
import { granted, inputFor, run, type Wanting } from "./topology-planner.ts";

describe("a budget that is enough", () => {
  test("gives every node what it wants, and says why in the words of who wanted it", async () => {
    const input = inputFor({ split: { wants: 5 } }, { budget: 10 });
    const analyze = { nodes: { split: { demand: 4.2, reason: "420/s at 100/s an instance" } } };
    expect((await run({ ...input, analyze })).nodes).toEqual({
      split: { parallelism: 5, reason: "5 wanted (420/s at 100/s an instance)" },
    });
  });

  test("gives no node less than its least or more than its most", async () => {
    const { nodes } = await run(
      inputFor(
        { a: { wants: 0, min: 2 }, b: { wants: 90, max: 64 }, c: { wants: 9, ceiling: 6 } },
        { budget: 100 },
      ),
    );
    expect(nodes).toEqual({
      a: { parallelism: 2, reason: "0 wanted, 2 is the least that it may have" },
      b: { parallelism: 64, reason: "90 wanted, 64 is the most that it may have" },
      c: { parallelism: 6, reason: "9 wanted, 6 is the most that it may have" },
    });
  });

  test("a least above the partitions wins over them", async () => {
    expect(await granted(100, { a: { wants: 9, min: 8, ceiling: 6 } })).toEqual({ a: 8 });
  });
});

describe("a budget that is too small", () => {
  test("is shared out max-min fair: who wants little gets it, the others the same", async () => {
    const { nodes, logs } = await run(
      inputFor({ a: { wants: 2 }, b: { wants: 8 }, c: { wants: 10 } }, { budget: 12 }),
    );
    expect(nodes).toEqual({
      a: { parallelism: 2, reason: "2 wanted" },
      b: { parallelism: 5, reason: "8 wanted, 5 is its fair share of the budget of 12" },
      c: { parallelism: 5, reason: "10 wanted, 5 is its fair share of the budget of 12" },
    });
    expect(logs).toEqual(["info the budget of 12 leaves out: b 5 of 8, c 5 of 10"]);
  });

  test.each<[string, number, Record<string, Wanting>, Record<string, number>]>([
    ["what cannot be halved goes to the first", 11, { a: { wants: 9 }, b: { wants: 9 } }, { a: 6, b: 5 }],
    [
      "a weight of 2 is twice the share",
      12,
      { a: { wants: 20, weight: 2 }, b: { wants: 20 } },
      { a: 8, b: 4 },
    ],
    ["a cost of 3 takes three for one", 12, { a: { wants: 20, cost: 3 }, b: { wants: 20 } }, { a: 3, b: 3 }],
    ["a least is no part of the share", 10, { a: { wants: 9, min: 6 }, b: { wants: 9 } }, { a: 6, b: 4 }],
    [
      "what one cannot take is the other's",
      20,
      { a: { wants: 50, max: 5 }, b: { wants: 50 } },
      { a: 5, b: 15 },
    ],
    [
      "nodes may have none where their least is none",
      1,
      { a: { wants: 3, min: 0 }, b: { wants: 3, min: 0 } },
      { a: 1, b: 0 },
    ],
    [
      "a billion instances are shared out as well",
      2e9,
      { a: { wants: 2e9, max: 2e9 }, b: { wants: 2e9, max: 2e9 } },
      { a: 1e9, b: 1e9 },
    ],
  ])("%s", async (_, budget, nodes, expected) => {
    expect(await granted(budget, nodes)).toEqual(expected);
  });

  test("with fairness Need every node gets the same share of what it wants", async () => {
    const nodes = { a: { wants: 30 }, b: { wants: 60 }, c: { wants: 10 } };
    expect(await granted(50, nodes, { fairness: "Need" })).toEqual({ a: 15, b: 30, c: 5 });
    expect(await granted(50, nodes)).toEqual({ a: 20, b: 20, c: 10 });
  });
});

describe("partitions", () => {
  test.each([
    [7, "Balanced", 8], // on 7 instances the fullest has four of 24, as on 6; on 8 it has three
    [5, "Balanced", 5],
    [5, "Divisors", 6],
    [7, "Divisors", 8],
    [9, "Balanced", 12],
    [13, "Divisors", 24],
    [7, "Off", 7],
    [40, "Balanced", 24],
  ])("of 24, %i instances wanted are %s at %i", async (wants, align, expected) => {
    expect(await granted(100, { a: { wants, alignTo: 24 } }, { align })).toEqual({ a: expected });
  });

  test("say so in the reason", async () => {
    const { nodes } = await run(inputFor({ a: { wants: 7, alignTo: 24 } }, { budget: 100 }));
    expect(nodes["a"]?.reason).toBe("7 wanted, and its 24 partitions lie best on 8");
  });

  test("are balanced below what is wanted only where nothing is lost by it", async () => {
    // Of 23 partitions the fullest of 10 instances has three, as of 8; no divisor lies between 1 and 23.
    expect(await granted(100, { a: { wants: 10, max: 10, alignTo: 23 } })).toEqual({ a: 8 });
    expect(await granted(100, { a: { wants: 10, max: 10, alignTo: 23 } }, { align: "Divisors" })).toEqual({
      a: 10,
    });
  });

  test("a step that does not fit is left to the others", async () => {
    const nodes = { a: { wants: 24, alignTo: 24 }, b: { wants: 20 } };
    // a: 1 2 3 4 6 8; the step from 8 to 12 does not fit into 18 beside the 9 of b, and b goes on with what is left.
    expect(await granted(18, nodes, { align: "Divisors" })).toEqual({ a: 8, b: 10 });
  });

  test("a least above all partitions stays the least", async () => {
    for (const align of ["Balanced", "Divisors", "Off"])
      expect(await granted(100, { a: { wants: 40, min: 30, alignTo: 24 } }, { align })).toEqual({
        a: align === "Off" ? 40 : 30,
      });
  });
});

describe("what is not known is left out", () => {
  test("a node without a want keeps what it has, and the others share the rest", async () => {
    const plan = await run(inputFor({ a: { wants: 9 }, b: { now: 4 } }, { budget: 10 }));
    expect(plan.nodes).toEqual({
      a: { parallelism: 6, reason: "9 wanted, 6 is its fair share of the budget of 10" },
    });
    expect(plan.logs[0]).toBe("warn b is left as it is, at 4: the analyze step says nothing of it");
  });

  test("where nodes without a want leave no room for the least of the others, nothing changes", async () => {
    const plan = await run(inputFor({ a: { wants: 9, min: 2 }, b: { now: 9 } }, { budget: 10 }));
    expect(plan.nodes).toEqual({});
    expect(plan.logs.at(-1)).toBe(
      "warn all nodes are left as they are: 9 of 10 are taken by nodes without a want",
    );
  });

  test("a budget below the least of all nodes is the policy's mistake, and fails the step", async () => {
    const input = inputFor({ a: { wants: 9, min: 6 }, b: { min: 6 } }, { budget: 10 });
    expect((await callStock(await builtAlgorithm("topology-planner"), "plan", input)).error).toMatch(
      /^config\.budget: 10 is less than the 12 that the least of every node takes/,
    );
  });

  test("a source can say what is wanted, and only where it has a number", async () => {
    const input = inputFor({ a: {}, b: {}, c: {} }, { budget: 10, source: "wanted" });
    const sources = { wanted: valuesOf(sampleOf("a", 2.5), sampleOf("b", -1)) };
    const plan = await run({ ...input, sources });
    expect(plan.nodes).toEqual({ a: { parallelism: 3, reason: "3 wanted" } });
    expect(plan.logs).toEqual([
      "warn b is left as it is, at 1: wanted has no number of instances for it",
      "warn c is left as it is, at 1: wanted has no number of instances for it",
    ]);
  });

  test("without a source and without an analyze step there is nobody to say what is wanted", async () => {
    const { analyze: _, ...input } = inputFor({ a: {} }, { budget: 10 });
    expect((await callStock(await builtAlgorithm("topology-planner"), "plan", input)).error).toMatch(
      /^config\.source: is missing, and no analyze step/,
    );
  });
});

test("takes what DS2 wants in analyze, under one budget", async () => {
  const input = inputFor({ split: { wants: 0 }, count: { wants: 0 } }, { budget: 12 });
  const rates = {
    "true-processing": valuesOf(sampleOf("split", 50), sampleOf("count", 100)),
    "true-output": valuesOf(sampleOf("split", 400)),
    arrivals: valuesOf(sampleOf("split", 120)),
  };
  const topology = { ...input.topology, edges: [{ from: "split", to: "count" }] };
  const asked = { ...input, step: "analyze" as const, topology, sources: rates, config: {} };
  const { answer } = await callStock(await builtAlgorithm("ds2"), "analyze", asked);
  expect((await run({ ...input, topology, analyze: answer as Record<string, unknown> })).nodes).toEqual({
    split: { parallelism: 3, reason: "3 wanted (120/s at 50/s an instance)" },
    count: {
      parallelism: 9,
      reason: "10 wanted (960/s at 100/s an instance), 9 is its fair share of the budget of 12",
    },
  });
});

describe("the module of the planner", () => {
  test("says what it is, and which config it takes", async () => {
    const module = new WebAssembly.Module(
      new Uint8Array(await readFile(await builtAlgorithm("topology-planner"))),
    );
    const [section] = WebAssembly.Module.customSections(module, SECTION);
    const metadata = JSON.parse(new TextDecoder().decode(section)) as { config: object };
    expect(checkMetadata(metadata)).toEqual([]);
    expect(metadata).toMatchObject({ name: "topology-planner", version: "1.0.0", steps: ["plan"] });
    const fits = new Ajv2020().compile(metadata.config);
    expect(fits({ budget: 20, fairness: "Need", nodes: { split: { weight: 2, cost: 0.5 } } })).toBe(true);
    const wrongs = [
      {},
      { budget: 0 },
      { budget: 1, align: "Even" },
      { budget: 1, nodes: { a: { weight: 0 } } },
    ];
    for (const wrong of wrongs) expect(fits(wrong)).toBe(false);
    const imports = WebAssembly.Module.imports(module).map((one) => one.module);
    expect(new Set(imports)).toEqual(new Set(["extism:host/env"]));
  });
});
