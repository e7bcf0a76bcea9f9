import { describe, expect, test } from "vitest";
import { simulate } from "./simulation/simulate.ts";

/** As many as a run of all tests has time for; `npm run simulate:faults` does a million. */
const SEEDS = Number(process.env["SLUICE_SEEDS"] ?? 2_000);
const IN_ONE_TEST = 100;

describe("an operator that has bad days: a cluster that does not answer, a full disk, a kill, a clock that jumps", () => {
  test.each(Array.from({ length: SEEDS / IN_ONE_TEST }, (_, at) => at * IN_ONE_TEST + 1))(
    "breaks no rule and finds back to what is wanted: a hundred seeds from %i",
    { timeout: 300_000 },
    async (first) => {
      const broken: string[] = [];
      for (let seed = first; seed < first + IN_ONE_TEST; seed += 1) {
        const outcome = await simulate(seed);
        broken.push(...outcome.broken.map((what) => `seed ${seed}: ${what}`));
      }
      expect(broken).toEqual([]);
    },
  );

  test("does the same for the same seed, bit for bit", async () => {
    const [once, again] = [await simulate(7), await simulate(7)];
    expect(again).toEqual(once);
    expect(once.writes).toBeGreaterThan(0);
  });
});
