import { beforeAll, describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import type { StepInput } from "../host/contract/index.ts";
import { checkPlan } from "../host/contract/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import type { AggregatedVector, InstanceVector, MeasuredCurve } from "./ds2-vectors.ts";
import { asMeasured, onFit, stepOf } from "./ds2-vectors.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

const vectorsOf = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./vectors/ds2/${name}.json`, import.meta.url), "utf8"));
const given = (vectorsOf("vectors") as { cases: AggregatedVector[] }).cases;
const generated = (vectorsOf("generated") as { cases: InstanceVector[] }).cases;
const { curves } = vectorsOf("capacity-curves") as { curves: Record<string, MeasuredCurve> };

let file = "";
beforeAll(async () => {
  file = (await buildAlgorithms()).find(({ name }) => name === "ds2")?.file ?? "";
}, 120_000);

interface Wanted {
  readonly parallelism?: number;
  readonly demand?: number;
  readonly reason: string;
}

/** What the module plans; a plan that is not one fails the test. */
async function planned(input: StepInput): Promise<Record<string, Wanted>> {
  const { answer, error } = await callStock(file, "plan", input);
  expect(error).toBeUndefined();
  expect(checkPlan(answer)).toEqual([]);
  return (answer as { nodes: Record<string, Wanted> }).nodes;
}

const numbers = (nodes: Record<string, Wanted>, of: object) =>
  Object.fromEntries(Object.keys(of).map((id) => [id, nodes[id]?.parallelism]));

describe(`DS2 on the ${given.length} cases of vectors.json`, () => {
  test.each(given)("$name", async (vector) => {
    const { optimal, adjusted, targetRate } = vector.expected;
    const nodes = await planned(stepOf(vector));
    expect(numbers(nodes, optimal)).toEqual(adjusted ?? optimal);
    const exact = await planned(stepOf(vector, { unrounded: true, targetRateRatio: 1e300 }));
    for (const [id, x] of Object.entries(vector.expected.optimalFractional)) {
      const demand = x * (1 + vector.scalingFactor);
      expect(exact[id]?.demand ?? exact[id]?.parallelism).toBe(demand);
      expect(Number(/^([\d.]+)\/s at/.exec(exact[id]?.reason ?? "")?.[1])).toBeCloseTo(targetRate[id] ?? NaN, 2);
    }
  });
});

describe(`DS2 on the ${generated.length} cases of generated.json`, () => {
  test.each(generated)("$name", async (vector) => {
    const { parallelism, optimalFractional } = vector.expected;
    expect(numbers(await planned(stepOf(vector)), parallelism)).toEqual(parallelism);
    const exact = await planned(stepOf(vector, { unrounded: true, targetRateRatio: 1e300 }));
    for (const [id, x] of Object.entries(optimalFractional)) {
      const demand = exact[id]?.demand ?? exact[id]?.parallelism ?? NaN;
      expect(Math.abs(demand / (x * (1 + vector.scalingFactor)) - 1)).toBeLessThan(1e-12);
    }
  });
});

/** What a chain of a source and one operator each does under a load, starting from every parallelism at once. */
async function closedLoop(load: number, starts: readonly number[], capacity: (p: number) => number, config = {}) {
  const paths = starts.map((start) => [start]);
  const names = starts.map((start) => `from${start}`);
  let carry: unknown;
  for (let pass = 0; pass < 8; pass++) {
    const now = paths.map((path) => path.at(-1) ?? NaN);
    const input = inputOf({
      topology: {
        nodes: [nodeOf("source", 1), ...names.map((name, i) => nodeOf(name, now[i] ?? NaN))],
        edges: names.map((name) => ({ from: "source", to: name })),
      },
      sources: {
        "true-processing": valuesOf(...names.map((name, i) => sampleOf(name, capacity(now[i] ?? NaN)))),
        "true-output": valuesOf(sampleOf("source", load)),
      },
      config: { warmUp: 0, ...config },
      ...(carry === undefined ? {} : { carry }),
    });
    const { answer, error } = await callStock(file, "plan", input);
    expect(error).toBeUndefined();
    const plan = answer as { nodes: Record<string, Wanted>; carry?: unknown };
    carry = plan.carry;
    for (const [i, name] of names.entries()) {
      const wanted = plan.nodes[name]?.parallelism ?? NaN;
      if (wanted !== now[i]) paths[i]?.push(wanted);
    }
  }
  return paths;
}

const LOADS = [1e6, 2e6, 4e6, 6e6];
const STARTS = Array.from({ length: 32 }, (_, i) => i + 1);
const leastOf = (capacity: (p: number) => number, load: number) => STARTS.find((p) => capacity(p) >= load) ?? NaN;

describe.each(Object.entries(curves))("the measured capacity of %s", (_, curve) => {
  test("is climbed by DS2 as it was on the curve that was fitted to it", async () => {
    for (const load of LOADS) {
      const rows = curve.ds2OnUsl.filter(([of]) => of === load);
      const paths = await closedLoop(load, rows.map(([, start]) => start), (p) => onFit(curve, p));
      expect(paths).toEqual(rows.map((row) => row[5]));
    }
  });

  test.each([
    ["the fitted curve", onFit],
    ["the measurements", asMeasured],
  ])("takes DS2 three changes at most from every start, on %s, with and without the fit", async (_, at) => {
    for (const load of LOADS) {
      for (const fitted of [false, true]) {
        const paths = await closedLoop(load, STARTS, (p) => at(curve, p), { fitted });
        for (const path of paths) {
          console.log(load, fitted, leastOf((p) => at(curve, p), load), path.join(" "));
          expect.soft(path.length - 1).toBeLessThanOrEqual(3);
          expect.soft(at(curve, path.at(-1) ?? NaN)).toBeGreaterThanOrEqual(load);
        }
      }
    }
  });
});
