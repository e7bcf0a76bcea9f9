import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { granted, type Wanting } from "./topology-planner.ts";

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
