import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Decision, Wanted } from "../host/knowledge/index.ts";
import { guard } from "../host/loop/index.ts";
import type { Guardrails } from "../host/policy/index.ts";
import type { Topology } from "../host/topology/index.ts";
import { guardrails, node, topology, wants } from "./builders.ts";

/** A decision on a policy that is new. */
const decided = (wanted: readonly Wanted[], nodes: Topology, rest: Partial<Guardrails> = {}) =>
  guard(wanted, { topology: nodes, sources: {}, memory: undefined, at: new Date(0) }, guardrails(rest))
    .decision;
const granted = (decision: Decision) => decision.verdicts.map((verdict) => verdict.granted);
const reasons = (decision: Decision) => decision.verdicts.map((verdict) => verdict.reasons);

describe("bounds", () => {
  test("a plan above the maximum is granted the maximum, and the reason is recorded", () => {
    const decision = decided([wants("sink", 40)], topology(node("sink", 3)));
    expect(granted(decision)).toEqual([16]);
    expect(reasons(decision)).toEqual([["OutOfBounds"]]);
    expect(decision.changes).toEqual([{ node: "sink", from: 3, to: 16, revision: "1" }]);
  });

  test("a plan inside the bounds is granted as it is, without a reason", () => {
    const decision = decided([wants("sink", 5)], topology(node("sink", 3)));
    expect(granted(decision)).toEqual([5]);
    expect(reasons(decision)).toEqual([[]]);
  });

  test("a node that nobody wants changed stays, and nothing is written", () => {
    const decision = decided([], topology(node("sink", 3)));
    expect(decision.changes).toEqual([]);
    expect(decision.verdicts[0]?.wanted).toBeUndefined();
  });

  test("a node that stands outside its bounds is brought inside at once, even if nobody wants it changed", () => {
    const decision = decided([], topology(node("sink", 20)));
    expect(granted(decision)).toEqual([16]);
    expect(reasons(decision)).toEqual([["OutOfBounds"]]);
  });

  test("what cannot work in parallel is not granted: 8 partitions bound 12 instances", () => {
    const decision = decided([wants("split", 12)], topology(node("split", 3, { ceiling: 8 })));
    expect(granted(decision)).toEqual([8]);
    expect(reasons(decision)).toEqual([["AboveCeiling"]]);
  });

  test("what runs is not stopped altogether, even where the minimum is 0", () => {
    const decision = decided([wants("sink", 0)], topology(node("sink", 3, { min: 0 })));
    expect(granted(decision)).toEqual([1]);
    expect(reasons(decision)).toEqual([["ZeroNotAllowed"]]);
  });
});

describe("total", () => {
  test("what is left of the total goes to the smallest first: 10 for 2+2+2 that want 9, 3 and 2", () => {
    const nodes = topology(node("a", 2), node("b", 2), node("c", 2));
    const decision = decided([wants("a", 9), wants("b", 3), wants("c", 2)], nodes, { totalMax: 10 });
    expect(granted(decision)).toEqual([5, 3, 2]);
    expect(reasons(decision)).toEqual([["TotalExceeded"], [], []]);
  });

  test("who shrinks shrinks, and makes room for who grows", () => {
    const nodes = topology(node("a", 6), node("b", 2));
    const decision = decided([wants("a", 2), wants("b", 9)], nodes, { totalMax: 8 });
    expect(granted(decision)).toEqual([2, 6]);
  });

  test("an odd one goes to the first of equals: 7 for two that want 5 each", () => {
    const nodes = topology(node("a", 1), node("b", 1));
    expect(granted(decided([wants("a", 5), wants("b", 5)], nodes, { totalMax: 7 }))).toEqual([4, 3]);
  });

  test("where the application is already above the total, the largest give way", () => {
    const nodes = topology(node("a", 10), node("b", 4), node("c", 2));
    expect(granted(decided([], nodes, { totalMax: 12 }))).toEqual([6, 4, 2]);
  });

  test("no node is taken below its minimum for the sake of the total", () => {
    const nodes = topology(node("a", 5, { min: 4 }), node("b", 5, { min: 4 }));
    expect(granted(decided([], nodes, { totalMax: 6 }))).toEqual([4, 4]);
  });

  test("no node that runs is stopped for the sake of the total, even where its minimum is 0", () => {
    const nodes = topology(node("a", 1, { min: 0 }), node("b", 1, { min: 0 }), node("c", 5, { min: 0 }));
    expect(granted(decided([], nodes, { totalMax: 2 }))).toEqual([1, 1, 1]);
  });

  test("for any plan: within bounds, and within the total unless the minima alone are above it", () => {
    const someNode = fc.record({
      parallelism: fc.nat(30),
      min: fc.integer({ min: 1, max: 5 }),
      span: fc.nat(20),
      want: fc.nat(60),
    });
    fc.assert(
      fc.property(
        fc.array(someNode, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 80 }),
        (drawn, totalMax) => {
          const nodes = drawn.map((one, at) =>
            node(`n${at}`, one.parallelism, { min: one.min, max: one.min + one.span }),
          );
          const decision = decided(
            drawn.map((one, at) => wants(`n${at}`, one.want)),
            topology(...nodes),
            { totalMax },
          );
          const given = granted(decision);
          given.forEach((number, at) => {
            expect(number).toBeLessThanOrEqual(nodes[at]?.max ?? 0);
            expect(number).toBeGreaterThanOrEqual(Math.min(nodes[at]?.min ?? 0, number));
          });
          const minima = nodes.reduce((all, one) => all + one.min, 0);
          expect(given.reduce((all, one) => all + one, 0)).toBeLessThanOrEqual(Math.max(totalMax, minima));
          given.forEach((number, at) => expect(number).toBeGreaterThanOrEqual(nodes[at]?.min ?? 0));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
