import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { every, inputWith, type Measured } from "./forecast-input.ts";
import { callStock } from "./stock.ts";

interface Case {
  readonly secondsAgo: readonly number[];
  readonly values: readonly number[];
  readonly lookAheadSeconds: number;
  readonly forecast: number;
}
const path = join(import.meta.dirname, "vectors/forecast/linear.json");
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { readonly cases: readonly Case[] };

let file = "";
beforeAll(async () => {
  file = await builtAlgorithm("linear");
}, 240_000);

async function expected(measured: readonly Measured[], config: object): Promise<number | string | undefined> {
  const { answer, error, logs } = await callStock(file, "analyze", inputWith(measured, config));
  if (error !== undefined) return error;
  const { nodes } = answer as { nodes: { split?: { forecast: number } } };
  return nodes.split?.forecast ?? logs.join();
}

describe("linear", () => {
  test.each(cases.map((one) => [one.values.length, one] as const))(
    "equals the least squares of statsmodels to a millionth, through %i values",
    async (size, { secondsAgo, values, lookAheadSeconds, forecast }) => {
      const measured = values.map((value, at) => ({ value, secondsAgo: secondsAgo[at] ?? 0 }));
      const seen = await expected(measured, { lookAheadSeconds, historySize: size, atLeastNow: false });
      expect(Math.abs((seen as number) / forecast - 1)).toBeLessThan(1e-6);
    },
  );

  test("looks at the newest values alone, and expects no less than there is now", async () => {
    const values = every(60, [900, 900, 100, 110, 120, 130]);
    expect(await expected(values, { lookAheadSeconds: 120, historySize: 4 })).toBeCloseTo(150, 9);
    expect(await expected(every(60, [130, 120]), { lookAheadSeconds: 60 })).toBe(120);
    expect(await expected(every(60, [130, 120]), { lookAheadSeconds: 60, atLeastNow: false })).toBeCloseTo(
      110,
      9,
    );
  });

  test("expects nothing of one value, and reads its settings under its own name beside another algorithm", async () => {
    expect(await expected(every(60, [100]), {})).toContain("one value makes no line");
    expect(await expected(every(60, [100, 110]), { linear: { lookAheadSeconds: 120 }, ds2: {} })).toBeCloseTo(
      130,
      9,
    );
  });

  test("plans by itself where a rate an instance is configured", async () => {
    const config = { lookAheadSeconds: 60, targetPerInstance: 50 };
    const { answer } = await callStock(file, "plan", inputWith(every(60, [100, 110]), config, "plan"));
    expect((answer as { nodes: object }).nodes).toEqual({
      split: { parallelism: 3, reason: "120/s expected in 60 s, at 50/s an instance" },
    });
  });
});
