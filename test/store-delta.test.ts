import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import type { Iteration } from "../host/knowledge/index.ts";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { node, policy, topology } from "./builders.ts";
import { clock, pass } from "./store-bed.ts";

let store: KnowledgeStore | undefined;
afterEach(() => store?.close());

const text = fc.string({ unit: "binary", maxLength: 40 });
/** Whatever an algorithm or a cluster may make a pass say: any Unicode, numbers that are strange, keys of all sorts. */
const said: fc.Arbitrary<Partial<Iteration>> = fc.record({
  topology: fc
    .array(fc.record({ name: text, parallelism: fc.nat(), attributes: fc.dictionary(text, text) }), {
      maxLength: 4,
    })
    .map((nodes) =>
      topology(...nodes.map(({ name, parallelism, attributes }) => node(name, parallelism, { attributes }))),
    ),
  answers: fc.record({ plan: fc.json() }),
  memory: fc.record({ nodes: fc.dictionary(text, fc.record({ wrote: fc.nat() })) }),
  outcome: fc.constantFrom(
    "Unchanged" as const,
    "Unchanged" as const,
    "Unchanged" as const,
    "Failed" as const,
    "Scaled" as const,
  ),
});

test("what is kept as a difference is given back as the very pass that was remembered, whatever it says", async () => {
  const knowledge = (store = await openStore({ file: ":memory:", clock }));
  let policies = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 30 }), async (all) => {
      policies += 1;
      const of = policy({ key: `team/${policies}` as never });
      // JSON has no word for -0, and no place for what is undefined: a pass is what its JSON says.
      const passes = all.map((rest, at) => JSON.parse(JSON.stringify(pass(at + 1, 0, rest))) as Iteration);
      for (const one of passes) await knowledge.remember(of, one);
      const kept = await knowledge.entries(of.key, 1_000);
      expect(kept.map((one) => JSON.stringify(one))).toEqual(
        passes.toReversed().map((one) => JSON.stringify(one)),
      );
      const { memory } = await knowledge.recall(of);
      expect(JSON.stringify(memory)).toBe(JSON.stringify(passes.at(-1)?.memory));
    }),
    { numRuns: 60 },
  );
});

test("two hundred passes that change nothing take less than a fifth of what they say", async () => {
  const knowledge = (store = await openStore({ file: ":memory:", clock }));
  let bytes = 0;
  for (let number = 1; number <= 200; number += 1) {
    const sources = {
      lag: { series: [{ labels: { partition: "0" }, value: number * 1.37, at: "" }], at: "" },
    };
    const one = pass(number, 15 * (200 - number), { sources, fuel: { plan: 40_000 + number } });
    bytes += JSON.stringify(one).length;
    await knowledge.remember(policy(), one);
  }
  const dump = await knowledge.dump(policy().key);
  expect(dump?.passes.filter(({ compact }) => !compact)).toHaveLength(10);
  expect(dump?.bytes).toBeLessThan(bytes / 5);
});
