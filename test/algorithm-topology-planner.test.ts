import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import type { StepInput } from "../host/contract/index.ts";
import { checkMetadata, checkPlan, SECTION } from "../host/contract/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

let file = "";
let ds2 = "";
beforeAll(async () => {
  const built = await buildAlgorithms();
  file = built.find(({ name }) => name === "topology-planner")?.file ?? "";
  ds2 = built.find(({ name }) => name === "ds2")?.file ?? "";
}, 120_000);

/** A node and what it wants; nothing is known of it without a want. */
interface Wanting {
  readonly now?: number;
  readonly wants?: number;
  readonly min?: number;
  readonly max?: number;
  readonly ceiling?: number;
  readonly alignTo?: number;
  readonly weight?: number;
  readonly cost?: number;
}

interface Answer {
  readonly nodes: Record<string, { readonly parallelism: number; readonly reason: string }>;
}

/** The plan step of a policy with these nodes, whose wants an analyze step has answered. */
const inputFor = (nodes: Readonly<Record<string, Wanting>>, config: object): StepInput =>
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

async function run(input: StepInput): Promise<Answer & { logs: readonly string[] }> {
  const { answer, error, logs } = await callStock(file, "plan", input);
  expect(error).toBeUndefined();
  expect(checkPlan(answer)).toEqual([]);
  return { ...(answer as Answer), logs };
}

/** What each node is granted under a budget. */
async function granted(budget: number, nodes: Readonly<Record<string, Wanting>>, config: object = {}) {
  const plan = await run(inputFor(nodes, { budget, ...config }));
  return Object.fromEntries(Object.entries(plan.nodes).map(([name, { parallelism }]) => [name, parallelism]));
}

describe("a budget that is enough", () => {
  test("gives every node what it wants, and says why in the words of who wanted it", async () => {
    const input = inputFor({ split: { wants: 5 } }, { budget: 10 });
    const analyze = { nodes: { split: { demand: 4.2, reason: "420/s at 100/s an instance" } } };
    expect((await run({ ...input, analyze })).nodes).toEqual({
      split: { parallelism: 5, reason: "5 wanted (420/s at 100/s an instance)" },
    });
  });

  test("gives no node less than its least or more than its most", async () => {
    const { nodes } = await run(
      inputFor(
        { a: { wants: 0, min: 2 }, b: { wants: 90, max: 64 }, c: { wants: 9, ceiling: 6 } },
        { budget: 100 },
      ),
    );
    expect(nodes).toEqual({
      a: { parallelism: 2, reason: "0 wanted, 2 is the least that it may have" },
      b: { parallelism: 64, reason: "90 wanted, 64 is the most that it may have" },
      c: { parallelism: 6, reason: "9 wanted, 6 is the most that it may have" },
    });
  });

  test("a least above the partitions wins over them", async () => {
    expect(await granted(100, { a: { wants: 9, min: 8, ceiling: 6 } })).toEqual({ a: 8 });
  });
});

describe("a budget that is too small", () => {
  test("is shared out max-min fair: who wants little gets it, the others the same", async () => {
    const { nodes, logs } = await run(
      inputFor({ a: { wants: 2 }, b: { wants: 8 }, c: { wants: 10 } }, { budget: 12 }),
    );
    expect(nodes).toEqual({
      a: { parallelism: 2, reason: "2 wanted" },
      b: { parallelism: 5, reason: "8 wanted, 5 is its fair share of the budget of 12" },
      c: { parallelism: 5, reason: "10 wanted, 5 is its fair share of the budget of 12" },
    });
    expect(logs).toEqual(["info the budget of 12 leaves out: b 5 of 8, c 5 of 10"]);
  });

  test.each<[string, number, Record<string, Wanting>, Record<string, number>]>([
    ["what cannot be halved goes to the first", 11, { a: { wants: 9 }, b: { wants: 9 } }, { a: 6, b: 5 }],
    [
      "a weight of 2 is twice the share",
      12,
      { a: { wants: 20, weight: 2 }, b: { wants: 20 } },
      { a: 8, b: 4 },
    ],
    ["a cost of 3 takes three for one", 12, { a: { wants: 20, cost: 3 }, b: { wants: 20 } }, { a: 3, b: 3 }],
    ["a least is no part of the share", 10, { a: { wants: 9, min: 6 }, b: { wants: 9 } }, { a: 6, b: 4 }],
    [
      "what one cannot take is the other's",
      20,
      { a: { wants: 50, max: 5 }, b: { wants: 50 } },
      { a: 5, b: 15 },
    ],
    [
      "nodes may have none where their least is none",
      1,
      { a: { wants: 3, min: 0 }, b: { wants: 3, min: 0 } },
      { a: 1, b: 0 },
    ],
    [
      "a billion instances are shared out as well",
      2e9,
      { a: { wants: 2e9, max: 2e9 }, b: { wants: 2e9, max: 2e9 } },
      { a: 1e9, b: 1e9 },
    ],
  ])("%s", async (_, budget, nodes, expected) => {
    expect(await granted(budget, nodes)).toEqual(expected);
  });

  test("with fairness Need every node gets the same share of what it wants", async () => {
    const nodes = { a: { wants: 30 }, b: { wants: 60 }, c: { wants: 10 } };
    expect(await granted(50, nodes, { fairness: "Need" })).toEqual({ a: 15, b: 30, c: 5 });
    expect(await granted(50, nodes)).toEqual({ a: 20, b: 20, c: 10 });
  });
});

describe("partitions", () => {
  test.each([
    [7, "Balanced", 8], // on 7 instances the fullest has four of 24, as on 6; on 8 it has three
    [5, "Balanced", 5],
    [5, "Divisors", 6],
    [7, "Divisors", 8],
    [9, "Balanced", 12],
    [13, "Divisors", 24],
    [7, "Off", 7],
    [40, "Balanced", 24],
  ])("of 24, %i instances wanted are %s at %i", async (wants, align, expected) => {
    expect(await granted(100, { a: { wants, alignTo: 24 } }, { align })).toEqual({ a: expected });
  });

  test("say so in the reason", async () => {
    const { nodes } = await run(inputFor({ a: { wants: 7, alignTo: 24 } }, { budget: 100 }));
    expect(nodes["a"]?.reason).toBe("7 wanted, and its 24 partitions lie best on 8");
  });

  test("are balanced below what is wanted only where nothing is lost by it", async () => {
    // Of 23 partitions the fullest of 10 instances has three, as of 8; no divisor lies between 1 and 23.
    expect(await granted(100, { a: { wants: 10, max: 10, alignTo: 23 } })).toEqual({ a: 8 });
    expect(await granted(100, { a: { wants: 10, max: 10, alignTo: 23 } }, { align: "Divisors" })).toEqual({
      a: 10,
    });
  });

  test("a step that does not fit is left to the others", async () => {
    const nodes = { a: { wants: 24, alignTo: 24 }, b: { wants: 20 } };
    // a: 1 2 3 4 6 8; the step from 8 to 12 does not fit into 18 beside the 9 of b, and b goes on with what is left.
    expect(await granted(18, nodes, { align: "Divisors" })).toEqual({ a: 8, b: 10 });
  });

  test("a least above all partitions stays the least", async () => {
    for (const align of ["Balanced", "Divisors", "Off"])
      expect(await granted(100, { a: { wants: 40, min: 30, alignTo: 24 } }, { align })).toEqual({
        a: align === "Off" ? 40 : 30,
      });
  });
});

describe("what is not known is left out", () => {
  test("a node without a want keeps what it has, and the others share the rest", async () => {
    const plan = await run(inputFor({ a: { wants: 9 }, b: { now: 4 } }, { budget: 10 }));
    expect(plan.nodes).toEqual({
      a: { parallelism: 6, reason: "9 wanted, 6 is its fair share of the budget of 10" },
    });
    expect(plan.logs[0]).toBe("warn b is left as it is, at 4: the analyze step says nothing of it");
  });

  test("where nodes without a want leave no room for the least of the others, nothing changes", async () => {
    const plan = await run(inputFor({ a: { wants: 9, min: 2 }, b: { now: 9 } }, { budget: 10 }));
    expect(plan.nodes).toEqual({});
    expect(plan.logs.at(-1)).toBe(
      "warn all nodes are left as they are: 9 of 10 are taken by nodes without a want",
    );
  });

  test("a budget below the least of all nodes is the policy's mistake, and fails the step", async () => {
    const input = inputFor({ a: { wants: 9, min: 6 }, b: { min: 6 } }, { budget: 10 });
    expect((await callStock(file, "plan", input)).error).toMatch(
      /^config\.budget: 10 is less than the 12 that the least of every node takes/,
    );
  });

  test("a source can say what is wanted, and only where it has a number", async () => {
    const input = inputFor({ a: {}, b: {}, c: {} }, { budget: 10, source: "wanted" });
    const sources = { wanted: valuesOf(sampleOf("a", 2.5), sampleOf("b", -1)) };
    const plan = await run({ ...input, sources });
    expect(plan.nodes).toEqual({ a: { parallelism: 3, reason: "3 wanted" } });
    expect(plan.logs).toEqual([
      "warn b is left as it is, at 1: wanted has no number of instances for it",
      "warn c is left as it is, at 1: wanted has no number of instances for it",
    ]);
  });

  test("without a source and without an analyze step there is nobody to say what is wanted", async () => {
    const { analyze: _, ...input } = inputFor({ a: {} }, { budget: 10 });
    expect((await callStock(file, "plan", input)).error).toMatch(
      /^config\.source: is missing, and no analyze step/,
    );
  });
});

test("takes what DS2 wants in analyze, under one budget", async () => {
  const input = inputFor({ split: { wants: 0 }, count: { wants: 0 } }, { budget: 12 });
  const rates = {
    "true-processing": valuesOf(sampleOf("split", 50), sampleOf("count", 100)),
    "true-output": valuesOf(sampleOf("split", 400)),
    arrivals: valuesOf(sampleOf("split", 120)),
  };
  const topology = { ...input.topology, edges: [{ from: "split", to: "count" }] };
  const asked = { ...input, step: "analyze" as const, topology, sources: rates, config: {} };
  const { answer } = await callStock(ds2, "analyze", asked);
  expect((await run({ ...input, topology, analyze: answer as Record<string, unknown> })).nodes).toEqual({
    split: { parallelism: 3, reason: "3 wanted (120/s at 50/s an instance)" },
    count: {
      parallelism: 9,
      reason: "10 wanted (960/s at 100/s an instance), 9 is its fair share of the budget of 12",
    },
  });
});

/** The numbers of instances that no smaller number equals, by the fullest instance. */
const isBalanced = (instances: number, partitions: number) =>
  instances === 1 || Math.ceil(partitions / instances) < Math.ceil(partitions / (instances - 1));

interface Case {
  readonly nodes: Record<string, Required<Omit<Wanting, "now" | "ceiling">>>;
  readonly budget: number;
}

const cases: fc.Arbitrary<Case> = fc
  .array(
    fc.record({
      wants: fc.nat(40),
      min: fc.nat(6),
      max: fc.integer({ min: 6, max: 40 }),
      alignTo: fc.integer({ min: 1, max: 48 }),
      weight: fc.constantFrom(1, 2, 4),
      cost: fc.constantFrom(1, 2, 0.5),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .chain((nodes) => {
    const least = nodes.reduce((sum, { min, cost }) => sum + min * cost, 0);
    return fc.record({
      nodes: fc.constant(Object.fromEntries(nodes.map((node, i) => [`n${i}`, node]))),
      budget: fc.nat(120).map((more) => Math.max(0.5, least + more)),
    });
  });

/** The same rule, step by step and without any shortcut. */
function stepped({ nodes, budget }: Case): Record<string, number> {
  const all = Object.entries(nodes).map(([name, node]) => {
    const wanted = Math.min(node.max, node.wants, node.alignTo);
    const balanced = Array.from({ length: node.alignTo }, (_, i) => i + 1).filter((n) =>
      isBalanced(n, node.alignTo),
    );
    const up = balanced.find((n) => n >= wanted) ?? 0;
    const top =
      wanted <= node.min
        ? node.min
        : up <= node.max
          ? up
          : Math.max(node.min, balanced.findLast((n) => n <= wanted) ?? 0);
    return {
      ...node,
      name,
      has: node.min,
      levels: balanced.filter((n) => n > node.min && n <= top),
      isStuck: false,
    };
  });
  for (;;) {
    const open = all.filter(({ levels, isStuck }) => levels.length > 0 && !isStuck);
    const [first] = open.sort(
      (a, b) =>
        a.has / a.weight - b.has / b.weight || (a.levels[0] ?? 0) / a.weight - (b.levels[0] ?? 0) / b.weight,
    );
    if (first === undefined) return Object.fromEntries(all.map(({ name, has }) => [name, has]));
    const used = all.reduce((sum, { has, cost }) => sum + has * cost, 0);
    const next = first.levels[0] ?? 0;
    if (used + (next - first.has) * first.cost > budget) first.isStuck = true;
    else {
      first.has = next;
      first.levels.shift();
    }
  }
}

describe("for every topology", () => {
  const check = (holds: (given: Case, plan: Record<string, number>) => void) =>
    fc.assert(
      fc.asyncProperty(cases, async (given) => {
        holds(given, await granted(given.budget, given.nodes));
      }),
      { numRuns: 150 },
    );

  test("the plan is never above the budget", async () => {
    await check(({ nodes, budget }, plan) => {
      const used = Object.entries(nodes).reduce(
        (sum, [name, { cost }]) => sum + (plan[name] ?? NaN) * cost,
        0,
      );
      expect(used).toBeLessThanOrEqual(budget);
    });
  });

  test("no node is starved below its minimum, or given more than its maximum", async () => {
    await check(({ nodes }, plan) => {
      for (const [name, { min, max }] of Object.entries(nodes)) {
        expect(plan[name]).toBeGreaterThanOrEqual(min);
        expect(plan[name]).toBeLessThanOrEqual(Math.max(min, max));
      }
    });
  });

  test("the shares are those of raising the poorest step by step", async () => {
    await check((given, plan) => {
      expect(plan).toEqual(stepped(given));
    });
  });

  test("a larger budget takes nothing from the poorest", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(30), async ({ nodes, budget }, more) => {
        const unaligned = { align: "Off" };
        const [less, plenty] = [
          await granted(budget, nodes, unaligned),
          await granted(budget + more, nodes, unaligned),
        ];
        const poorest = (plan: Record<string, number>) =>
          Math.min(...Object.entries(nodes).map(([name, { weight }]) => (plan[name] ?? NaN) / weight));
        expect(poorest(plenty)).toBeGreaterThanOrEqual(poorest(less));
      }),
      { numRuns: 60 },
    );
  });
});

describe("the module of the planner", () => {
  test("says what it is, and which config it takes", async () => {
    const module = new WebAssembly.Module(new Uint8Array(await readFile(file)));
    const [section] = WebAssembly.Module.customSections(module, SECTION);
    const metadata = JSON.parse(new TextDecoder().decode(section)) as { config: object };
    expect(checkMetadata(metadata)).toEqual([]);
    expect(metadata).toMatchObject({ name: "topology-planner", version: "1.0.0", steps: ["plan"] });
    const fits = new Ajv2020().compile(metadata.config);
    expect(fits({ budget: 20, fairness: "Need", nodes: { split: { weight: 2, cost: 0.5 } } })).toBe(true);
    const wrongs = [
      {},
      { budget: 0 },
      { budget: 1, align: "Even" },
      { budget: 1, nodes: { a: { weight: 0 } } },
    ];
    for (const wrong of wrongs) expect(fits(wrong)).toBe(false);
    const imports = WebAssembly.Module.imports(module).map((one) => one.module);
    expect(new Set(imports)).toEqual(new Set(["extism:host/env"]));
  });
});
