import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { guard } from "../host/loop/index.ts";
import { guardrails, node, topology, wants } from "./builders.ts";

interface Vector {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly plan: readonly number[];
  readonly expect: readonly number[];
}
const { vectors } = JSON.parse(readFileSync("test/vectors/kta/bounds.json", "utf8")) as { vectors: Vector[] };

describe("the bounds of KTA, all 5 vectors", () => {
  test.each(vectors)(
    "$name: $plan within $min and $max is $expect",
    ({ min, max, plan, expect: expected }) => {
      const nodes = plan.map((_wanted, at) => node(`node-${at}`, min, { min, max }));
      const wanted = plan.map((parallelism, at) => wants(`node-${at}`, parallelism));
      const input = { topology: topology(...nodes), sources: {}, memory: undefined, at: new Date(0) };
      const { decision } = guard(wanted, input, guardrails());
      expect(decision.verdicts.map(({ granted }) => granted)).toEqual(expected);
    },
  );

  test("there are 5", () => expect(vectors).toHaveLength(5));
});
