import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StepInput } from "../host/contract/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { FlinkJob, many, type Passed, type RunPass, stock } from "./flink-job.ts";

let engine: Bed;
let module = "";
let wasm: Uint8Array;
beforeAll(async () => {
  module = (await buildAlgorithms()).find(({ name }) => name === "flink-autoscaler")?.file ?? "";
  wasm = new Uint8Array(await readFile(module));
  engine = await bed();
}, 240_000);
afterAll(() => engine[Symbol.asyncDispose]());

/** The most that one step of all passes has burned. */
let burned = 0;

/** Runs the three steps in the engine's sandboxes, with the limits that every policy has. */
const sandboxed: RunPass = async ({ api: _api, step: _step, ...seen }: StepInput) => {
  const texts = Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  const { answers, carry, fuel } = await engine.run({ monitor: wasm, analyze: wasm, plan: wasm }, { texts });
  burned = Math.max(burned, ...Object.values(fuel));
  const { nodes } = JSON.parse(answers.plan ?? "") as Passed;
  const analyzed: unknown = JSON.parse(answers.analyze ?? "");
  return { nodes, carry: JSON.parse(carry ?? "null") as Passed["carry"], logs: [], analyzed };
};

test.each([2, 100])(
  "a job of %i vertices is decided in the sandbox as on the stock SDK, within the fuel of a step",
  async (count) => {
    const config = { "stabilization.interval": "0 s", "metrics.window": "5 min" };
    const doing = Object.fromEntries(
      many(count).nodes.map(({ name }) => [
        name,
        { read: 12_345.6, written: 12_345.6, busy: 1, lagging: 10 },
      ]),
    );
    const jobs = [sandboxed, stock(module)].map((run) => new FlinkJob(run, many(count), config));
    let passed: Passed[] = [];
    for (let pass = 0; pass < 12; pass += 1) {
      passed = [];
      for (const job of jobs) passed.push(await job.pass(30, doing));
    }
    const [inside, outside] = passed;
    expect(inside?.nodes).toEqual(outside?.nodes);
    expect(inside?.carry).toEqual(outside?.carry);
    expect(Object.keys(inside?.nodes ?? {})).toHaveLength(count);
    expect(inside?.nodes["operator-1"]?.parallelism).toBe(7);
    expect(burned).toBeGreaterThan(0);
    // Most of it goes into reading 120 KB of input: a quarter is left for more.
    expect(burned).toBeLessThan(LIMITS.fuelPerCpuMs * LIMITS.cpuMs * 0.75);
  },
  60_000,
);
