import fc from "fast-check";
import { expect, test } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

/** An operator whose instances get into each other's way, a load that some number of them can take, and a start. */
interface Case {
  readonly perInstance: number;
  readonly contention: number;
  readonly load: number;
  readonly start: number;
}
const cases: fc.Arbitrary<Case> = fc
  .record({
    perInstance: fc.integer({ min: 10, max: 1_000_000 }),
    contention: fc.double({ min: 0, max: 0.06, noNaN: true }),
    share: fc.double({ min: 0.3, max: 1, noNaN: true }),
    suffices: fc.integer({ min: 2, max: 24 }),
    start: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ share, suffices, ...one }) => ({ ...one, load: share * capacity(one, suffices) }));

function capacity(
  { perInstance, contention }: Pick<Case, "perInstance" | "contention">,
  instances: number,
): number {
  return (perInstance * instances) / (1 + contention * (instances - 1));
}

const PASSES = 12;

/** Where each of the cases is after twelve passes, and the pass before; all are operators of one dataflow. */
async function settled(given: readonly Case[], fitted: boolean): Promise<[number, number][]> {
  let now = given.map(({ start }) => start);
  let before = now;
  let carry: Record<string, unknown> | undefined;
  for (let pass = 0; pass < PASSES; pass++) {
    const input = inputOf({
      topology: {
        nodes: given.flatMap((_, i) => [nodeOf(`source-${i}`, 1), nodeOf(`operator-${i}`, now[i] ?? NaN)]),
        edges: given.map((_, i) => ({ from: `source-${i}`, to: `operator-${i}` })),
      },
      sources: {
        "true-processing": valuesOf(
          ...given.map((one, i) => sampleOf(`operator-${i}`, capacity(one, now[i] ?? NaN))),
        ),
        "true-output": valuesOf(...given.map(({ load }, i) => sampleOf(`source-${i}`, load))),
      },
      config: { warmUp: 0, fitted },
      ...(carry === undefined ? {} : { carry }),
    });
    const { answer } = await callStock(await builtAlgorithm("ds2"), "plan", input);
    const plan = answer as {
      nodes: Record<string, { parallelism: number }>;
      carry?: Record<string, unknown>;
    };
    carry = plan.carry;
    before = now;
    now = given.map((_, i) => plan.nodes[`operator-${i}`]?.parallelism ?? NaN);
  }
  return now.map((instances, i) => [before[i] ?? NaN, instances]);
}

/** As many cases at once as there is room for all measurements of each. */
const many = fc.array(cases, { minLength: 1, maxLength: 20 });

test("on every concave curve DS2 comes to rest with and without the fit, where the load is taken", async () => {
  await fc.assert(
    fc.asyncProperty(many, fc.boolean(), async (given, fitted) => {
      for (const [i, [before, now]] of (await settled(given, fitted)).entries()) {
        const one = given[i];
        if (one === undefined) throw new Error("a case has no end");
        expect(now).toBe(before);
        expect(capacity(one, now) / one.load).toBeGreaterThanOrEqual(1 - 1e-9);
      }
    }),
    { numRuns: 20 },
  );
});

test("with the fit an operator never ends with more instances than without", async () => {
  await fc.assert(
    fc.asyncProperty(many, async (given) => {
      const [plain, fitted] = [await settled(given, false), await settled(given, true)];
      for (const [i, [, instances]] of fitted.entries())
        expect(instances).toBeLessThanOrEqual(plain[i]?.[1] ?? NaN);
    }),
    { numRuns: 15 },
  );
});
