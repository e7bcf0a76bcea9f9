import { describe, expect, test } from "vitest";
import { guard } from "../host/loop/index.ts";
import { narrow } from "../host/loop/narrow.ts";
import { standings } from "../host/loop/settle.ts";
import type { Memory } from "../host/knowledge/index.ts";
import { followUpSeconds } from "../host/loop/schedule.ts";
import { guardrails, iteration, node, policy, topology, verdict, wants } from "./builders.ts";

/** `a` was scaled from 2 to 6, of which 3 serve. */
const memory: Memory = { nodes: { a: { settling: { from: 2, to: 6, sinceMs: 0, ready: 2 } } } };
const found = topology(node("a", 6, { ready: 3 }), node("b", 4));
const settling = policy({ settle: { timeoutSeconds: 60, onFailure: "Hold" } });

function granted(scope: "node" | "job", ...wanted: Parameters<typeof guard>[0]) {
  const allowed = narrow(found, standings(memory, found, settling, 1_000), wanted, scope);
  const ground = { topology: allowed.topology, sources: {}, memory, at: new Date(1_000) };
  const { verdicts } = allowed.explain(guard(wanted, ground, guardrails()).decision);
  return verdicts.map((one) => `${one.node} ${one.granted} ${one.reasons.join(",")}`.trim());
}

describe("while one node settles", () => {
  test("the others move, where the driver moves each alone", () => {
    expect(granted("node", wants("a", 8), wants("b", 1))).toEqual(["a 8", "b 1"]);
  });

  test("none moves, where the driver moves all together", () => {
    expect(granted("job", wants("a", 8), wants("b", 1))).toEqual(["a 6 Settling", "b 4 Settling"]);
  });

  test("a number that is outside the node's own bounds besides has both reasons", () => {
    expect(granted("node", wants("a", 0), wants("b", 40))).toEqual([
      "a 6 Settling,OutOfBounds",
      "b 16 OutOfBounds",
    ]);
  });
});

describe("a policy is looked at again sooner", () => {
  const waiting = { verdicts: [verdict("a", { reasons: ["Settling"] })], changes: [] };

  test("in 5 s where a change waits for another, in 1 s after a decision was only finished", () => {
    expect(followUpSeconds(iteration({ decision: waiting }))).toBe(5);
    expect(followUpSeconds(iteration({ resumed: true }))).toBe(1);
  });

  test("but not where nothing waits, and not while passes fail", () => {
    expect(followUpSeconds(iteration())).toBeUndefined();
    const fault = { code: "Conflict" as const, message: "a: moved" };
    expect(followUpSeconds(iteration({ decision: waiting, resumed: true, fault }))).toBeUndefined();
  });
});
