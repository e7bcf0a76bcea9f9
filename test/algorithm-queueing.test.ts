import { beforeAll, describe, expect, test } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

let file = "";
beforeAll(async () => {
  file = await builtAlgorithm("queueing");
}, 240_000);

async function planned(rate: number, config: object, sources: object = {}) {
  const { answer, logs } = await callStock(
    file,
    "plan",
    inputOf({
      topology: { nodes: [nodeOf("split", 2)], edges: [] },
      sources: { rates: valuesOf(sampleOf("split", rate)), ...sources },
      config: config as never,
    }),
  );
  const { nodes } = answer as { nodes: { split?: { parallelism: number; reason: string } } };
  return { split: nodes.split, logs };
}

describe("queueing", () => {
  // One instance that is busy for 80 % of the time: a record waits 0.8 / 0.2 × 0.1 s = 0.4 s, and takes 0.1 s.
  const chance = { serviceSeconds: 0.1 };
  test.each([
    [0.51, 1],
    // Two of them: 0.4^(√6 − 1) / (2 × 0.6) × 0.1 s = 0.022 s.
    [0.49, 2],
    [0.123, 2],
    [0.121, 3],
  ])("8 records a second of 0.1 s each, within %f s, need %i", async (latencySeconds, wanted) => {
    expect((await planned(8, { ...chance, latencySeconds })).split?.parallelism).toBe(wanted);
  });

  test("says what a record waits then", async () => {
    expect((await planned(8, { ...chance, latencySeconds: 0.2 })).split?.reason).toBe(
      "8/s at 0.1 s each wait 0.022 s: within 0.2 s",
    );
  });

  test("records that come in bursts need more, and those that come evenly and take equally long need no slack", async () => {
    const within = { ...chance, latencySeconds: 0.15 };
    expect((await planned(80, within)).split?.parallelism).toBe(10);
    expect((await planned(80, { ...within, arrivalVariance: 8 })).split?.parallelism).toBe(11);
    expect(
      (await planned(80, { ...within, arrivalVariance: 0, serviceVariance: 0 })).split?.parallelism,
    ).toBe(9);
  });

  test("takes the time of a record from a source, where there is one", async () => {
    const source = { work: valuesOf(sampleOf("split", 0.1)) };
    const config = { serviceSource: "work", latencySeconds: 0.49 };
    expect((await planned(8, config, source)).split?.parallelism).toBe(2);
  });

  test("leaves a node alone whose records take longer than allowed, or of which nothing is known", async () => {
    const seen = await planned(8, { ...chance, latencySeconds: 0.05 });
    expect(seen.split).toBeUndefined();
    expect(seen.logs.join()).toContain("one record takes 0.1 s, and 0.05 s are allowed");
    expect((await planned(-1, { ...chance, latencySeconds: 1 })).logs.join()).toContain("rates says -1");
    const zero = { work: valuesOf(sampleOf("split", 0)) };
    expect((await planned(8, { serviceSource: "work", latencySeconds: 1 }, zero)).split).toBeUndefined();
  });

  test("wants none where nothing arrives, and as many as can keep up at a great rate", async () => {
    expect((await planned(0, { ...chance, latencySeconds: 1 })).split?.parallelism).toBe(0);
    const { split } = await planned(10_000, { ...chance, latencySeconds: 0.2 });
    expect(split?.parallelism).toBeGreaterThan(1_000);
    expect(split?.parallelism).toBeLessThan(1_020);
  });
});
