import { expect } from "vitest";
import type { StepInput } from "../host/contract/index.ts";
import { checkPlan } from "../host/contract/index.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

/** What DS2 wants, and what it remembers. */
export interface Plan {
  readonly nodes: Record<string, { readonly parallelism: number; readonly reason: string }>;
  readonly carry?: Readonly<Record<string, unknown>> & { readonly ds2: Readonly<Record<string, unknown>> };
}

/** A source of 100 records a second, `split` at 50/s an instance that makes eight of one, `count` at 100/s an instance. */
export const wordcount = (split: number, count: number, change: Partial<StepInput> = {}): StepInput =>
  inputOf({
    topology: {
      nodes: [nodeOf("clicks", 1), nodeOf("split", split), nodeOf("count", count)],
      edges: [
        { from: "clicks", to: "split" },
        { from: "split", to: "count" },
      ],
    },
    sources: ratesOf(split, count),
    config: {},
    ...change,
  });

/** What is measured of so many instances of split and count. */
export const ratesOf = (split: number, count: number): StepInput["sources"] => ({
  "true-processing": valuesOf(sampleOf("split", 50 * split), sampleOf("count", 100 * count)),
  "true-output": valuesOf(sampleOf("clicks", 100), sampleOf("split", 400 * split)),
  "observed-output": valuesOf(sampleOf("clicks", 80)),
});

/** What the built module plans; an answer that is no plan fails the test. */
export async function run(input: StepInput): Promise<Plan & { logs: readonly string[] }> {
  const { answer, error, logs } = await callStock(await builtAlgorithm("ds2"), "plan", input);
  expect(error).toBeUndefined();
  expect(checkPlan(answer)).toEqual([]);
  return { ...(answer as Plan), logs };
}
