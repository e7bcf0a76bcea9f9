import { beforeAll, describe, expect, test } from "vitest";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { StepInput } from "../host/contract/index.ts";
import { checkPlan } from "../host/contract/index.ts";
import { buildAlgorithms, compileAssemblyScript } from "../launcher/build/algorithms.ts";
import { callOf, comparable } from "./flink-functions.ts";
import * as scaling from "./flink-scaling.ts";
import * as steps from "./flink-steps.ts";
import { type Case, configOf, delaysOf, figureOf, type Given, vectorsOf } from "./flink-vectors.ts";
import { callStock } from "./stock.ts";

/** So many calls of single functions go through the sandbox at once. */
const CALLS_AT_ONCE = 40;
const FILES = { "vectors.json": await vectorsOf("vectors"), "generated.json": await vectorsOf("generated") };
const ALL = Object.entries(FILES).flatMap(([file, { cases }]) => cases.map((one) => ({ file, ...one })));

let module = "";
let functions = "";
beforeAll(async () => {
  const built = await buildAlgorithms();
  module = built.find(({ name }) => name === "flink-autoscaler")?.file ?? "";
  const source = resolve(import.meta.dirname, "../algorithms/flink-autoscaler/test/functions.ts");
  functions = join(await mkdtemp(join(tmpdir(), "sluice-flink-")), "functions.wasm");
  await compileAssemblyScript({ file: source }, functions);
}, 240_000);

/** Cases of one function, and of one file if there are several with it. */
const of = (fn: string) => ALL.filter((one) => one.fn === fn);

async function run(step: "monitor" | "analyze" | "plan", input: StepInput): Promise<unknown> {
  const { answer, error } = await callStock(module, step, input);
  expect(error).toBeUndefined();
  expect(step === "plan" ? checkPlan(answer) : []).toEqual([]);
  return answer;
}

/** Runs a check for each case and says which of them did not hold, with what came instead. */
async function differing<T extends { id: string }>(
  cases: readonly T[],
  check: (one: T) => Promise<{ got: unknown; expected: unknown }>,
): Promise<unknown[]> {
  const wrong: unknown[] = [];
  for (const one of cases) {
    const { got, expected } = await check(one);
    if (!same(got, expected)) wrong.push({ id: one.id, got, expected });
  }
  return wrong;
}

const same = (one: unknown, other: unknown) =>
  JSON.stringify(ordered(one)) === JSON.stringify(ordered(other));

/** The same value with its fields in order, for whatever JSON can say. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== "object") return value;
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, one]) => [name, ordered(one)]));
}

const byName = (rows: readonly (readonly [string, ...number[]])[]) =>
  rows.map(([name, ...row]) => [name, row] as const);

describe("the vectors of Flink's autoscaler", () => {
  test("are 763 cases of 15 functions, and 158 generated ones with 350 alignments and 137 capacities", () => {
    const { "vectors.json": vectors, "generated.json": generated } = FILES;
    const counts: Record<string, number> = {};
    for (const { file, fn } of ALL) counts[`${file} ${fn}`] = (counts[`${file} ${fn}`] ?? 0) + 1;
    expect(counts).toEqual({
      "vectors.json scale": 137,
      "vectors.json computeScaleTargetParallelism": 221,
      "vectors.json computeScalingSummary": 41,
      "vectors.json computeEvaluatedMetrics": 22,
      "vectors.json computeProcessingRateThresholds": 109,
      "vectors.json computeTrueProcessingRate": 46,
      "vectors.json computeBusyTimeAvg": 29,
      "vectors.json computeEdgeOutputRatio": 18,
      "vectors.json computeEdgeDataRate": 19,
      "vectors.json computeDataRateMetrics": 45,
      "vectors.json getMaxRestartTimeOrDefault": 33,
      "vectors.json calculateObservedScalingCoefficient": 5,
      "vectors.json scalingWouldExceedResourceQuota": 21,
      "vectors.json estimateNumTaskSlotsAfterRescale": 8,
      "vectors.json inExcludedPeriod": 9,
      "generated.json computeScalingSummary": 81,
      "generated.json computeEvaluatedMetrics": 77,
    });
    expect(vectors.cases).toHaveLength(763);
    expect(generated.cases).toHaveLength(158);
    expect([generated.alignRows?.length, generated.capacityRows?.length]).toEqual([350, 137]);
  });
});

describe("the steps of flink-autoscaler answer what upstream does", () => {
  test(`monitor: computeDataRateMetrics (${of("computeDataRateMetrics").length})`, async () => {
    const check = async (one: Case) => steps.collected(one, await run("monitor", steps.collecting(one.in)));
    expect(await differing(of("computeDataRateMetrics"), check)).toEqual([]);
  });

  test(`analyze: computeEvaluatedMetrics (${of("computeEvaluatedMetrics").length})`, async () => {
    const check = async (one: Case) => ({
      got: await run("analyze", steps.evaluating(one.in)),
      expected: steps.evaluated(one),
    });
    expect(await differing(of("computeEvaluatedMetrics"), check)).toEqual([]);
  });

  test(`analyze: getMaxRestartTimeOrDefault (${of("getMaxRestartTimeOrDefault").length})`, async () => {
    const check = async (one: Case) => ({
      got: await run("analyze", steps.restarting(one.in)),
      expected: { restartSeconds: Number(one.out["restartTimeMs"]) / 1_000 },
    });
    expect(await differing(of("getMaxRestartTimeOrDefault"), check)).toEqual([]);
  });

  test(`plan: computeScalingSummary (${of("computeScalingSummary").length})`, async () => {
    const check = async (one: Case) => {
      const input = steps.summarizing(one.in);
      return { got: steps.changesOf(await run("plan", input), input), expected: one.out["changes"] };
    };
    expect(await differing(of("computeScalingSummary"), check)).toEqual([]);
  });

  const decisions = of("computeScaleTargetParallelism");
  const changeOf = ({ out }: Case) => out["change"] as Readonly<Record<string, number | boolean | null>>;

  test(`plan: computeScaleTargetParallelism, with its expected rate (${decisions.length})`, async () => {
    const check = async (one: Case) => {
      const input = steps.deciding(one.in, { beside: true, enabled: true });
      const answer = await run("plan", input);
      const { scalings } = (answer as { carry: { scalings: readonly (readonly unknown[])[] } }).carry;
      const last = scalings.find(([name]) => name === "v1")?.at(-1) as readonly unknown[] | undefined;
      const { newParallelism, noChange } = changeOf(one);
      const remembered = noChange === true ? {} : { expected: figureOf(last?.[4] as number | undefined) };
      return {
        got: { parallelism: steps.wantedOf(answer, input)["v1"], ...remembered },
        expected: {
          parallelism: newParallelism,
          ...(noChange === true ? {} : { expected: one.out["expectedProcessingRate"] }),
        },
      };
    };
    expect(await differing(decisions, check)).toEqual([]);
  });

  test(`plan: a job moves if the vertex is outside its bounds (${decisions.length})`, async () => {
    const check = async (one: Case) => {
      const input = steps.deciding(one.in, { beside: false, enabled: true });
      const { currentParallelism, outsideUtilizationBound } = changeOf(one);
      const wanted = steps.wantedOf(await run("plan", input), input)["v1"];
      return { got: wanted !== currentParallelism, expected: outsideUtilizationBound === true };
    };
    expect(await differing(decisions, check)).toEqual([]);
  });

  test(`plan: scale-downs that wait after the decision (${decisions.length})`, async () => {
    const check = async (one: Case) => {
      const answer = await run("plan", steps.deciding(one.in, { beside: true, enabled: false }));
      const expected = delaysOf(one.out["delayedScaleDownAfter"] as Given["delayedScaleDown"]);
      const { delays } = (answer as { carry: { delays: readonly (readonly [string, ...number[]])[] } }).carry;
      return { got: Object.fromEntries(byName(delays)), expected: Object.fromEntries(byName(expected)) };
    };
    expect(await differing(decisions, check)).toEqual([]);
  });

  test(`plan: scalingWouldExceedResourceQuota (${of("scalingWouldExceedResourceQuota").length})`, async () => {
    const check = async (one: Case) => {
      const input = steps.budgeting(one.in);
      const moves = Object.entries(one.in.changes).filter(([, [from, to]]) => from !== to);
      const expected = one.out["exceeds"] === true ? {} : Object.fromEntries(moves);
      return { got: steps.changesOf(await run("plan", input), input), expected };
    };
    expect(await differing(of("scalingWouldExceedResourceQuota"), check)).toEqual([]);
  });

  test(`plan: inExcludedPeriod (${of("inExcludedPeriod").length})`, async () => {
    const check = async (one: Case) => {
      const input = steps.excluding(one.in as Given & { instantMs: number });
      return {
        got: steps.wantedOf(await run("plan", input), input),
        expected: { v1: one.out["excluded"] === true ? 1 : 2 },
      };
    };
    expect(await differing(of("inExcludedPeriod"), check)).toEqual([]);
  });
});

describe("plan aligns as upstream does", () => {
  const NEW = "scaling.parallelism-alignment.mode";
  const OLD = "scaling.key-group.partitions.adjust.mode";
  /** Column of the rows, and the option that it belongs to. */
  const MODES = [
    [7, { [NEW]: "BALANCED" }],
    [8, { [NEW]: "EVENLY_SPREAD" }],
    [9, { [NEW]: "OFF" }],
    [10, { [OLD]: "EVENLY_SPREAD" }],
    [12, { [OLD]: "MAXIMIZE_UTILISATION" }],
  ] as const;
  const rows = (FILES["generated.json"].alignRows ?? []).map((row) => ({
    row,
    scaled: scaling.scaledOf(row),
  }));

  test.each(MODES)(`column %i of ${rows.length} rows, %o`, async (column, option) => {
    const groups = Object.values(
      Object.groupBy(rows, ({ scaled }) => `${scaled.least} ${scaled.most}`),
    ) as (typeof rows)[];
    let reached = 0;
    for (const group of groups) {
      const reachable = group.filter(({ scaled }) => scaling.isReachable(scaled));
      const input = scaling.scaling(
        reachable.map(({ scaled }) => scaled),
        option,
      );
      const wanted = steps.wantedOf(await run("plan", input), input);
      expect(reachable.map((_, at) => wanted[`v${at}`])).toEqual(reachable.map(({ row }) => row[column]));
      reached += reachable.length;
    }
    expect(reached).toBeGreaterThan(rows.length * 0.8);
  });

  test(`scale, where a policy can lead to it (${of("scale").length})`, async () => {
    const reachable = of("scale").filter(({ in: given }) => scaling.isReachable(scaling.scaledBy(given)));
    const check = async (one: Case) => {
      const { [NEW]: mode, [OLD]: old } = configOf(one.in.options);
      const input = scaling.scaling([scaling.scaledBy(one.in)], { [NEW]: mode, [OLD]: old });
      return {
        got: steps.wantedOf(await run("plan", input), input)["v0"],
        expected: one.out["newParallelism"],
      };
    };
    expect(await differing(reachable, check)).toEqual([]);
    expect(reachable.length).toBeGreaterThan(of("scale").length / 2);
  });
});

describe("single functions, from the arithmetic of the module, answer what upstream does", () => {
  const calls = ALL.flatMap((one) => {
    const call = callOf(one);
    return call === undefined ? [] : [{ one, call }];
  });
  const names = [...new Set(calls.map(({ one }) => one.fn))];

  test.each(names.map((fn) => [fn, of(fn).length] as const))("%s (%i)", async (fn) => {
    const mine = calls.filter(({ one }) => one.fn === fn && one.out["error"] === undefined);
    const wrong: unknown[] = [];
    for (let from = 0; from < mine.length; from += CALLS_AT_ONCE) {
      const chunk = mine.slice(from, from + CALLS_AT_ONCE);
      const { answer, error } = await callStock(functions, "evaluate", {
        calls: chunk.map(({ call }) => call.input),
      });
      expect(error).toBeUndefined();
      const { results } = answer as { results: unknown[] };
      chunk.forEach(({ one, call: { expected } }, at) => {
        const got = comparable(one, results[at]);
        if (!same(got, expected)) wrong.push({ id: one.id, got, expected });
      });
    }
    expect(wrong).toEqual([]);
  });

  test("a least parallelism above the most is refused, as upstream refuses it", async () => {
    const refused = calls.filter(({ one }) => one.out["error"] !== undefined);
    expect(refused).toHaveLength(1);
    for (const { call } of refused) {
      const { error } = await callStock(functions, "evaluate", { calls: [call.input] });
      expect(error).toBe("v1: its least parallelism, 500, is above its most, 499");
    }
  });

  const capacities = FILES["generated.json"].capacityRows ?? [];
  test(`target processing capacity (${capacities.length} rows)`, async () => {
    const input = capacities.map(([target, catchUp, utilization, withRestart, restart, catchUpSec]) => ({
      function: "capacity",
      topology: { nodes: [], edges: [] },
      config: { compat: "flink", "catch-up.duration": `${Number(catchUpSec)} s` },
      ...{ target, catchUp, utilization, withRestart, restart },
    }));
    const { answer } = await callStock(functions, "evaluate", { calls: input });
    expect(answer).toEqual({
      results: capacities.map((row) => ({ figure: row[6] === "Infinity" ? -2 : row[6] })),
    });
  });

  test("alignments with every bound and factor, and whether upstream says that it was limited (350 rows)", async () => {
    const rows = FILES["generated.json"].alignRows ?? [];
    for (const [column, option] of [
      [10, "EVENLY_SPREAD"],
      [12, "MAXIMIZE_UTILISATION"],
    ] as const) {
      const input = rows.map((row) => scaling.scaleCall(scaling.scaledOf(row), option));
      const { answer } = await callStock(functions, "evaluate", { calls: input });
      const expected = rows.map((row) => ({ parallelism: row[column], limited: row[column + 1] === 1 }));
      expect(answer).toEqual({ results: expected });
    }
  });
});
