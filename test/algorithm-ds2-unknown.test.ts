import { describe, expect, test } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import { checkMetadata, SECTION } from "../host/contract/index.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import { ratesOf, run, wordcount } from "./ds2-wordcount.ts";
import { sampleOf, valuesOf } from "./step-input.ts";

const AT = "2026-11-22T10:00:00.000Z";

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

  test.each([
    [3, 2],
    [2, 3],
  ])("%i instances of which %i have said what they do are not added up", async (split, said) => {
    const rates = Array.from({ length: said }, () => sampleOf("split", 50));
    const sources = { ...ratesOf(split, 1), "true-processing": valuesOf(...rates, sampleOf("count", 100)) };
    const { nodes, logs } = await run(wordcount(split, 1, { sources }));
    expect(Object.keys(nodes)).toEqual(["clicks"]);
    expect(logs[0]).toBe(`warn split: true-processing is of ${said} instances, and ${split} are ready`);
  });

  test("instances that are not ready yet have no part in what was measured, and are not asked for again", async () => {
    const input = wordcount(2, 8, { sources: ratesOf(1, 4) });
    const nodes = input.topology.nodes.map((node) =>
      node.name === "split" ? { ...node, ready: 1 } : node.name === "count" ? { ...node, ready: 4 } : node,
    );
    const plan = await run({ ...input, topology: { ...input.topology, nodes } });
    expect(plan.nodes).toMatchObject({ split: { parallelism: 2 }, count: { parallelism: 8 } });
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

describe("the module of DS2", () => {
  test("says what it is, and which config it takes", async () => {
    const module = new WebAssembly.Module(new Uint8Array(await readFile(await builtAlgorithm("ds2"))));
    const [section] = WebAssembly.Module.customSections(module, SECTION);
    const metadata = JSON.parse(new TextDecoder().decode(section)) as { config: object };
    expect(checkMetadata(metadata)).toEqual([]);
    expect(metadata).toMatchObject({ name: "ds2", version: "1.0.0", steps: ["analyze", "plan"] });
    const fits = new Ajv2020().compile(metadata.config);
    expect(fits({ fitted: true, nodes: { clicks: { outputPerInstance: -1 } } })).toBe(true);
    expect(fits({ ds2: { fitted: true }, "topology-planner": { budget: 40 } })).toBe(true);
    const wrongs = [
      { ds2: { fited: true } },
      { target_rate_ratio_threshold: 1.05 },
      { targetRateRatio: 0.9 },
      { activation: 0 },
      { scalingFactor: -0.1 },
      { nodes: { clicks: { outputPerInstance: -2 } } },
    ];
    for (const wrong of wrongs) expect(fits(wrong)).toBe(false);
  });

  test("imports nothing but the Extism ABI", async () => {
    const module = new WebAssembly.Module(new Uint8Array(await readFile(await builtAlgorithm("ds2"))));
    const imports = WebAssembly.Module.imports(module).map((one) => one.module);
    expect(new Set(imports)).toEqual(new Set(["extism:host/env"]));
  });
});
