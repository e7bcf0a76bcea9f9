import { describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import type { StepInput } from "../host/contract/index.ts";
import { checkPlan } from "../host/contract/index.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import type { AggregatedVector, InstanceVector, MeasuredCurve } from "./ds2-vectors.ts";
import { asMeasured, onFit, stepOf } from "./ds2-vectors.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

interface Published {
  readonly heronWordcount: {
    readonly sourceSentencesPerMin: number;
    readonly flatMapMaxPerInstancePerMin: number;
    readonly wordsPerSentence: number;
    readonly countMaxPerInstancePerMin: number;
    readonly optimal: Readonly<Record<string, number>>;
  };
  readonly nexmarkFlink: readonly { readonly query: string; readonly status: string }[];
}

const vectorsOf = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`./vectors/ds2/${name}.json`, import.meta.url), "utf8"));
const given = (vectorsOf("vectors") as { cases: AggregatedVector[] }).cases;
const generated = (vectorsOf("generated") as { cases: InstanceVector[] }).cases;
const published = vectorsOf("published") as Published;
const { curves } = vectorsOf("capacity-curves") as { curves: Record<string, MeasuredCurve> };

interface Wanted {
  readonly parallelism?: number;
  readonly demand?: number;
  readonly reason: string;
}

/** What the module plans; a plan that is not one fails the test. */
async function planned(input: StepInput): Promise<Record<string, Wanted>> {
  const { answer, error } = await callStock(await builtAlgorithm("ds2"), "plan", input);
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
      expect(Number(/^([\d.]+)\/s at/.exec(exact[id]?.reason ?? "")?.[1])).toBeCloseTo(
        targetRate[id] ?? NaN,
        2,
      );
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

describe("DS2 on published.json", () => {
  test("brings Heron's word count to 10 and 20 instances in one step, and stays there", async () => {
    const setting = published.heronWordcount;
    const at = (flatMap: number, count: number) => {
      const split = flatMap * setting.flatMapMaxPerInstancePerMin;
      return planned(
        inputOf({
          topology: chainOf(["Source", 1], ["FlatMap", flatMap], ["Count", count]),
          sources: {
            "true-processing": valuesOf(
              sampleOf("FlatMap", split),
              sampleOf("Count", count * setting.countMaxPerInstancePerMin),
            ),
            "true-output": valuesOf(
              sampleOf("Source", setting.sourceSentencesPerMin),
              sampleOf("FlatMap", split * setting.wordsPerSentence),
            ),
          },
          config: {},
        }),
      );
    };
    expect(setting.optimal).toEqual({ FlatMap: 10, Count: 20 });
    expect(numbers(await at(1, 1), setting.optimal)).toEqual({ FlatMap: 10, Count: 20 });
    expect(numbers(await at(10, 20), setting.optimal)).toEqual({ FlatMap: 10, Count: 20 });
  });

  test("leaves the six Nexmark rows out: they are recalled figures, and say nothing of capacities to compute from", () => {
    expect(published.nexmarkFlink).toHaveLength(6);
    for (const row of published.nexmarkFlink) expect(row.status).toContain("recalled");
  });
});

const chainOf = (...nodes: [string, number][]): StepInput["topology"] => ({
  nodes: nodes.map(([name, parallelism]) => nodeOf(name, parallelism)),
  edges: nodes.slice(1).map(([to], i) => ({ from: nodes[i]?.[0] ?? "", to })),
});

/** What a chain of a source and one operator each does under a load, starting from every parallelism at once. */
async function closedLoop(
  load: number,
  starts: readonly number[],
  capacity: (p: number) => number,
  config = {},
) {
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
    const { answer, error } = await callStock(await builtAlgorithm("ds2"), "plan", input);
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
/** Every parallelism that was measured, and those between. */
const STARTS = Array.from({ length: 26 }, (_, i) => i + 1);
const leastOf = (capacity: (p: number) => number, load: number) =>
  STARTS.find((p) => capacity(p) >= load) ?? NaN;

describe.each(Object.entries(curves))("the measured capacity of %s", (_, curve) => {
  test("is climbed by DS2 as it was on the curve that was fitted to it", async () => {
    for (const load of LOADS) {
      const rows = curve.ds2OnUsl.filter(([of]) => of === load);
      const paths = await closedLoop(
        load,
        rows.map(([, start]) => start),
        (p) => onFit(curve, p),
      );
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
          expect(path.length - 1).toBeLessThanOrEqual(3);
          expect(at(curve, path.at(-1) ?? NaN)).toBeGreaterThanOrEqual(load);
        }
      }
    }
  });

  test("ends at the least that suffices with the fit, from every start that is no fixed point of DS2", async () => {
    for (const load of LOADS) {
      const capacity = (p: number) => onFit(curve, p);
      const paths = await closedLoop(load, STARTS, capacity, { fitted: true });
      const moved = paths.filter((path) => path.length > 1);
      expect(new Set(moved.map((path) => path.at(-1)))).toEqual(new Set([leastOf(capacity, load)]));
    }
  });
});

test("at 6 million records a second from 24 instances DS2 stops at 20, and at 19 with the fit", async () => {
  const capacity = (p: number) => onFit(curves["nexmark_q1_mapper"]!, p);
  expect(await closedLoop(6e6, [24], capacity)).toEqual([[24, 21, 20]]);
  expect(await closedLoop(6e6, [24], capacity, { fitted: true })).toEqual([[24, 21, 19]]);
});
