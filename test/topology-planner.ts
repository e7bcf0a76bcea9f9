import { expect } from "vitest";
import type { StepInput } from "../host/contract/index.ts";
import { checkPlan } from "../host/contract/index.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import { inputOf, nodeOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

/** A node and what it wants; nothing is known of it without a want. */
export interface Wanting {
  readonly now?: number;
  readonly wants?: number;
  readonly min?: number;
  readonly max?: number;
  readonly ceiling?: number;
  readonly alignTo?: number;
  readonly weight?: number;
  readonly cost?: number;
}

/** What the planner wants. */
export interface Answer {
  readonly nodes: Record<string, { readonly parallelism: number; readonly reason: string }>;
}

/** The plan step of a policy with these nodes, whose wants an analyze step has answered. */
export const inputFor = (nodes: Readonly<Record<string, Wanting>>, config: object): StepInput =>
  inputOf({
    topology: {
      nodes: Object.entries(nodes).map(([name, { now = 1, min = 1, max = 1_000, ceiling, alignTo }]) => ({
        ...nodeOf(name, now),
        min,
        max,
        ...(ceiling === undefined ? {} : { ceiling }),
        ...(alignTo === undefined ? {} : { alignTo }),
      })),
      edges: [],
    },
    sources: {},
    analyze: {
      nodes: Object.fromEntries(
        Object.entries(nodes).flatMap(([name, { wants }]) =>
          wants === undefined ? [] : [[name, { parallelism: wants }]],
        ),
      ),
    },
    config: {
      nodes: Object.fromEntries(
        Object.entries(nodes).map(([name, { weight = 1, cost = 1 }]) => [name, { weight, cost }]),
      ),
      ...config,
    },
  });

/** What the built module plans; an answer that is no plan fails the test. */
export async function run(input: StepInput): Promise<Answer & { logs: readonly string[] }> {
  const { answer, error, logs } = await callStock(await builtAlgorithm("topology-planner"), "plan", input);
  expect(error).toBeUndefined();
  expect(checkPlan(answer)).toEqual([]);
  return { ...(answer as Answer), logs };
}

/** What each node is granted under a budget. */
export async function granted(budget: number, nodes: Readonly<Record<string, Wanting>>, config: object = {}) {
  const plan = await run(inputFor(nodes, { budget, ...config }));
  return Object.fromEntries(Object.entries(plan.nodes).map(([name, { parallelism }]) => [name, parallelism]));
}
