import { describe, expect, test } from "vitest";
import { guard } from "../host/loop/index.ts";
import type { Guardrails } from "../host/policy/index.ts";
import type { TopologyNode } from "../host/topology/index.ts";
import { guardrails, node, topology, wants } from "./builders.ts";

/** What a node of stream threads, two an instance, is granted where 4 run; and why. */
function granted(wanted: number, rest: Partial<TopologyNode> = {}, rails: Partial<Guardrails> = {}) {
  const nodes = topology(node("count", 4, { unit: 2, ...rest }));
  const ground = { topology: nodes, sources: {}, memory: undefined, at: new Date(0) };
  const [verdict] = guard([wants("count", wanted)], ground, guardrails(rails)).decision.verdicts;
  return [verdict?.granted, verdict?.reasons];
}

describe("parallelism that comes in whole instances", () => {
  test("is rounded up, which is told; a number that is whole stays without a reason", () => {
    expect(granted(5)).toEqual([6, ["WholeInstances"]]);
    expect(granted(6)).toEqual([6, []]);
    expect(granted(1)).toEqual([2, ["WholeInstances"]]);
  });

  test("does not shrink for half an instance", () => {
    expect(granted(3)).toEqual([4, ["WholeInstances"]]);
  });

  test("is never rounded above the maximum, but for the first instance", () => {
    expect(granted(7, { max: 7 })).toEqual([6, ["WholeInstances"]]);
    expect(granted(1, { max: 1 })).toEqual([2, ["WholeInstances"]]);
  });

  test("stays within the total: what that cuts is rounded down", () => {
    expect(granted(9, {}, { totalMax: 9 })).toEqual([
      8,
      ["WholeInstances", "TotalExceeded", "WholeInstances"],
    ]);
  });

  test("is zero where that is granted", () => {
    const zero = { allowed: true, idle: 0, cooldownSeconds: 0, signals: [] };
    expect(granted(0, { parallelism: 0, ready: 0, min: 0 }, { zero })).toEqual([0, []]);
  });
});
