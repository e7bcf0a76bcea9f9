import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { every, inputWith, type Measured } from "./forecast-input.ts";
import { callStock } from "./stock.ts";

interface Case {
  readonly name: string;
  readonly config: object;
  readonly values: readonly number[];
  readonly forecast: readonly number[];
}
const path = join(import.meta.dirname, "vectors/forecast/holt-winters.json");
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { readonly cases: readonly Case[] };

let file = "";
beforeAll(async () => {
  file = await builtAlgorithm("holt-winters");
}, 240_000);

/** What is expected of `split`, or what the log says instead. */
async function expected(measured: readonly Measured[], config: object): Promise<number | string | undefined> {
  const { answer, error, logs } = await callStock(file, "analyze", inputWith(measured, config));
  if (error !== undefined) return error;
  const { nodes } = answer as { nodes: { split?: { forecast: number } } };
  return nodes.split?.forecast ?? logs.join();
}

const MINUTES = { everySeconds: 60, atLeastNow: false };
const COMPAT = { ...MINUTES, compat: "statsmodels" };

describe("holt-winters", () => {
  test("is held against 15 models, each with a beginning of its own and with a known one", () => {
    expect(cases).toHaveLength(30);
  });

  test.each(cases.map((one) => [one.name, one] as const))(
    "equals statsmodels to a millionth: %s",
    async (_name, { config, values, forecast }) => {
      for (const [at, wanted] of forecast.entries()) {
        const seen = await expected(every(60, values), {
          ...COMPAT,
          ...config,
          horizonSeconds: (at + 1) * 60,
        });
        expect(Math.abs((seen as number) / wanted - 1)).toBeLessThan(1e-6);
      }
    },
  );

  const steady = { ...MINUTES, alpha: 1, beta: 1, trend: "add" };
  test("goes on as a straight line does", async () => {
    const values = every(60, [100, 110, 120, 130]);
    expect(await expected(values, { ...steady, horizonSeconds: 60 })).toBeCloseTo(140, 9);
    expect(await expected(values, { ...steady, horizonSeconds: 150 })).toBeCloseTo(160, 9);
  });

  test.each([
    ["last", 160],
    ["maximum", 160],
    ["minimum", 140],
    ["mean", 150],
    ["median", 150],
  ])("takes the %s of the forecasts up to the horizon", async (decision, wanted) => {
    const config = { ...steady, decision, horizonSeconds: 180 };
    expect(await expected(every(60, [100, 110, 120, 130]), config)).toBeCloseTo(wanted, 9);
  });

  test("expects no less than there is now, unless it is told to", async () => {
    const falling = every(60, [130, 120, 110, 100]);
    expect(await expected(falling, { ...steady, atLeastNow: true })).toBe(100);
    expect(await expected(falling, steady)).toBeCloseTo(90, 9);
  });

  test("has the newest of every step of a season, where statsmodels has the last one a season old", async () => {
    // Nothing is learned but the season, at once: the last step is 30 now, and was 20.
    const values = every(60, [10, 20, 10, 20, 10, 30]);
    const config = { ...MINUTES, alpha: 0, gamma: 1, trend: "none", seasonal: "add", seasonalPeriods: 2 };
    expect(await expected(values, { ...config, horizonSeconds: 120 })).toBeCloseTo(30, 9);
    expect(await expected(values, { ...config, horizonSeconds: 120, compat: "statsmodels" })).toBeCloseTo(
      20,
      9,
    );
  });

  test("repeats a value that is missing now and then, and expects nothing where many are", async () => {
    const values = every(60, [100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 130]);
    const gap = values.filter(({ secondsAgo }) => secondsAgo !== 240);
    expect(await expected(gap, { ...steady, trend: "none" })).toBe(130);
    const gaps = values.filter(({ secondsAgo }) => secondsAgo < 120 || secondsAgo > 400);
    expect(await expected(gaps, { ...steady, trend: "none" })).toContain("0 of 2 values are there");
  });

  test("expects nothing before two seasons have been seen, and of a node without a value", async () => {
    const seasonal = { ...MINUTES, seasonal: "add", seasonalPeriods: 4 };
    expect(await expected(every(60, [1, 2, 3, 4, 1, 2, 3]), seasonal)).toContain("7 of 8 values are there");
    expect(await expected([{ secondsAgo: 60, value: 5 }], MINUTES)).toContain("rates has no value for it");
  });

  test("plans by itself where a rate an instance is configured, and says for when", async () => {
    const config = { ...steady, targetPerInstance: 30, horizonSeconds: 60 };
    const { answer } = await callStock(
      file,
      "plan",
      inputWith(every(60, [100, 110, 120, 130]), config, "plan"),
    );
    expect((answer as { nodes: object }).nodes).toEqual({
      split: { parallelism: 5, reason: "140/s expected in 60 s, at 30/s an instance" },
    });
  });
});
