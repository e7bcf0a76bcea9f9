import { beforeAll, describe, expect, test } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import type { StepInput } from "../host/contract/index.ts";
import { checkMetadata, checkPlan, SECTION } from "../host/contract/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

let file = "";
beforeAll(async () => {
  file = (await buildAlgorithms()).find(({ name }) => name === "threshold")?.file ?? "";
}, 120_000);

const run = (change: Partial<StepInput>) => callStock(file, "plan", inputOf(change));

/** What is wanted for `split` at so many instances, at so many records a second. */
async function wantedAt(current: number, rate: number, config: object = {}): Promise<unknown> {
  const { answer } = await run({
    topology: { nodes: [nodeOf("split", current)], edges: [] },
    sources: { rates: valuesOf(sampleOf("split", rate)) },
    config: { targetPerInstance: 100, ...config },
  });
  expect(checkPlan(answer)).toEqual([]);
  return (answer as { nodes: Record<string, { parallelism: number }> }).nodes["split"]?.parallelism;
}

describe("threshold", () => {
  test("420 records a second at 100 an instance need 5 instances, and the plan says why", async () => {
    expect((await run({})).answer).toEqual({
      nodes: { split: { parallelism: 5, reason: "420/s at 100/s an instance" } },
    });
  });

  test.each([
    [2, 420, 5],
    [4, 420, 4], // 5 % over
    [4, 440, 4], // 10 % over
    [4, 441, 5],
    [4, 360, 4], // 10 % under
    [4, 359, 4], // 10.25 % under, and yet 3.59 instances are 4
    [4, 300, 3],
    [0, 420, 5],
    [0, 0, 0],
    [3, 0, 0],
    [1, 99_999, 1_000],
  ])("%i instances at %i records a second want %i", async (current, rate, wanted) => {
    expect(await wantedAt(current, rate)).toBe(wanted);
  });

  test("without tolerance every node is at its exact number", async () => {
    expect(await wantedAt(4, 401, { tolerance: 0 })).toBe(5);
    expect(await wantedAt(4, 401)).toBe(4);
  });

  test("a rounding error of the division is not worth an instance", async () => {
    // 1.1 / 0.1 is 11.000000000000002 in floating point.
    expect(await wantedAt(1, 1.1, { targetPerInstance: 0.1 })).toBe(11);
  });

  test("a node has its own target and tolerance where the config names it", async () => {
    expect(await wantedAt(2, 420, { nodes: { split: { targetPerInstance: 50 } } })).toBe(9);
    expect(await wantedAt(2, 420, { nodes: { count: { targetPerInstance: 50 } } })).toBe(5);
    expect(await wantedAt(4, 420, { nodes: { split: { tolerance: 0.01 } } })).toBe(5);
  });

  test("samples of one node are added up, those of others are not", async () => {
    const rates = valuesOf(sampleOf("split", 150), sampleOf("count", 90), sampleOf("split", 151));
    expect((await run({ sources: { rates } })).answer).toMatchObject({
      nodes: { split: { parallelism: 4 }, count: { parallelism: 1 } },
    });
  });

  test("the source is the one that the config names", async () => {
    const sources = { arriving: valuesOf(sampleOf("split", 700)) };
    const { answer } = await run({ sources, config: { targetPerInstance: 100, source: "arriving" } });
    expect(answer).toMatchObject({ nodes: { split: { parallelism: 7 } } });
  });
});

describe("threshold never scales on missing data", () => {
  const at = "2026-11-22T10:00:00.000Z";

  test("a node without a value is left out, with a line in the log", async () => {
    const { answer, logs } = await run({});
    expect(Object.keys((answer as { nodes: object }).nodes)).toEqual(["split"]);
    expect(logs).toEqual(["warn count is left as it is: rates has no value for it"]);
  });

  test("no data and an error leave all nodes out", async () => {
    expect((await run({ sources: { rates: { at, noData: true } } })).answer).toEqual({ nodes: {} });
    const failed = await run({
      sources: { rates: { at, error: { code: "SourceUnavailable", message: "timed out" } } },
    });
    expect(failed.answer).toEqual({ nodes: {} });
    expect(failed.logs[0]).toBe("warn split is left as it is: rates has no value for it (timed out)");
  });

  test("a rate below zero is no rate", async () => {
    const { answer, logs } = await run({ sources: { rates: valuesOf(sampleOf("split", -5)) } });
    expect(answer).toEqual({ nodes: {} });
    expect(logs[0]).toBe("warn split is left as it is: rates says -5, which is no rate");
  });

  test("a source that the policy does not have fails the step", async () => {
    expect((await run({ sources: {} })).error).toBe(
      'sources.rates: is missing: the policy has no source "rates" under spec.sources',
    );
  });
});

describe("the module of threshold", () => {
  const module = async () => new WebAssembly.Module(new Uint8Array(await readFile(file)));

  test("says what it is, and which config it takes", async () => {
    const [section] = WebAssembly.Module.customSections(await module(), SECTION);
    const metadata = JSON.parse(new TextDecoder().decode(section)) as { config: object };
    expect(checkMetadata(metadata)).toEqual([]);
    expect(metadata).toMatchObject({ name: "threshold", version: "1.0.0", steps: ["plan"] });
    const fits = new Ajv2020().compile(metadata.config);
    expect(fits({ targetPerInstance: 100, tolerance: 0.1, nodes: { split: { tolerance: 0 } } })).toBe(true);
    for (const wrong of [
      {},
      { targetPerInstance: 0 },
      { targetPerInstance: 1, tolerance: 2 },
      { target: 100 },
    ]) {
      expect(fits(wrong)).toBe(false);
    }
  });

  test("imports nothing but the Extism ABI, and exports nothing but its step and its memory", async () => {
    const modules = WebAssembly.Module.imports(await module()).map((one) => one.module);
    expect(new Set(modules)).toEqual(new Set(["extism:host/env"]));
    expect(WebAssembly.Module.exports(await module()).map(({ name }) => name)).toEqual(["plan", "memory"]);
  });

  test("begins with the eight pages of memory that 32 KB of input take, and has less than 32 KiB", async () => {
    const imports = new Proxy({}, { get: () => () => 0n });
    const { memory } = new WebAssembly.Instance(await module(), { "extism:host/env": imports }).exports;
    expect((memory as WebAssembly.Memory).buffer.byteLength).toBe(8 * 65_536);
    expect((await readFile(file)).length).toBeLessThan(32_768);
  });
});
