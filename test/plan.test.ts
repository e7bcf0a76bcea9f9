import { describe, expect, test } from "vitest";
import { nextPassSeconds, readPlan } from "../host/loop/index.ts";
import { node, topology } from "./builders.ts";

const app = topology(node("split", 3), node("count", 2));
const read = (text: string) => readPlan(text, app);

describe("a plan", () => {
  test("is understood as whole numbers for the nodes it names", () => {
    const plan = read(
      '{"nodes":{"split":{"parallelism":5,"reason":"420/s"},"count":{"demand":2.1}},"recheckAfter":5}',
    );
    expect(plan.wanted).toEqual([
      { node: "split", parallelism: 5, says: "420/s" },
      { node: "count", parallelism: 3, demand: 2.1 },
    ]);
    expect(plan.recheckAfterSeconds).toBe(5);
  });

  test("knows one zero, whatever sign it is written with", () => {
    const plan = read('{"nodes":{"split":{"parallelism":-0},"count":{"demand":-0.0}}}');
    expect(plan.wanted.map(({ parallelism }) => Object.is(parallelism, 0))).toEqual([true, true]);
  });

  test("may leave nodes out, even all of them", () => {
    expect(read('{"nodes":{}}').wanted).toEqual([]);
  });

  test.each([
    ["not JSON", "parallelism: 5"],
    ["an array", "[]"],
    ["null", "null"],
    ["without nodes", "{}"],
    ["an unknown node", '{"nodes":{"sink":{"parallelism":1}}}'],
    ["a negative number", '{"nodes":{"split":{"parallelism":-1}}}'],
    ["a fraction", '{"nodes":{"split":{"parallelism":2.5}}}'],
    ["a number in a string", '{"nodes":{"split":{"parallelism":"5"}}}'],
    ["null for a number", '{"nodes":{"split":{"parallelism":null}}}'],
    ["infinity by overflow", '{"nodes":{"split":{"demand":1e400}}}'],
    ["a negative demand", '{"nodes":{"split":{"demand":-0.5}}}'],
    ["more than Kubernetes can hold", '{"nodes":{"split":{"parallelism":2147483648}}}'],
    ["neither number", '{"nodes":{"split":{}}}'],
    ["both numbers", '{"nodes":{"split":{"parallelism":1,"demand":1}}}'],
    ["a way to a prototype", '{"nodes":{"__proto__":{"parallelism":1}}}'],
    ["a constructor", '{"nodes":{"constructor":{"parallelism":1}}}'],
  ])("that is %s is refused as a whole", (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "OutputInvalid" }));
  });

  test("keeps at most 256 characters of what the algorithm says", () => {
    const plan = read(JSON.stringify({ nodes: { split: { parallelism: 1, reason: "x".repeat(250) } } }));
    expect(plan.wanted[0]?.says).toHaveLength(250);
  });
});

describe("the next pass", () => {
  test("comes after the interval when all is well", () => {
    expect(nextPassSeconds(15, 0)).toBe(15);
  });
  test("comes later the more often a policy has failed in a row: 30, 60, 120 s, and at most 10 minutes", () => {
    expect([1, 2, 3, 50].map((failures) => nextPassSeconds(15, failures))).toEqual([30, 60, 120, 480]);
    expect(nextPassSeconds(60, 9)).toBe(600);
  });
  test("comes no sooner than the other side asked for", () => {
    expect(nextPassSeconds(15, 0, 40)).toBe(40);
  });
});
