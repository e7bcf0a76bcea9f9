import { describe, expect, test } from "vitest";
import { guard } from "../host/loop/index.ts";
import { guardrails, node, topology, wants } from "./builders.ts";

const bed = (group?: string) =>
  topology(
    node("source", 2, group === undefined ? {} : { slotGroup: group }),
    node("work", 4, group === undefined ? {} : { slotGroup: group }),
    node("sink", 2, group === undefined ? {} : { slotGroup: group }),
    node("model", 2, { slotGroup: "other" }),
  );

/** What is granted of wants for source, work, sink and model, in their order, and why it was moved. */
function granted(totalMax: number, wanted: readonly [number, number, number, number], group?: string) {
  const names = ["source", "work", "sink", "model"];
  const ground = { topology: bed(group), sources: {}, memory: undefined, at: new Date(0) };
  const { verdicts } = guard(
    names.map((name, at) => wants(name, wanted[at] ?? 0)),
    ground,
    guardrails({ totalMax }),
  ).decision;
  return [
    verdicts.map((one) => one.granted),
    verdicts.flatMap(({ node: name, reasons }) => (reasons.length > 0 ? [name, ...reasons] : [])),
  ];
}

describe("a total of slots", () => {
  test("counts the widest node of each group: 8 and 3 are 11 slots, not 17", () => {
    expect(granted(11, [4, 8, 2, 3], "all")).toEqual([[4, 8, 2, 3], []]);
    expect(granted(17, [4, 8, 2, 3])).toEqual([[4, 8, 2, 3], []]);
  });

  test("cuts the nodes of a group that are wider than its share, and leaves those that are not", () => {
    // 4 and 2 are had already; of the 3 that are left model, the smaller, gets one and then each group one more.
    expect(granted(9, [6, 8, 3, 4], "all")).toEqual([
      [5, 5, 3, 4],
      ["source", "TotalExceeded", "work", "TotalExceeded"],
    ]);
  });

  test("without groups every node counts by itself", () => {
    // 10 are had already; the one that is left goes to the first of the smallest.
    expect(granted(11, [4, 8, 2, 3])).toEqual([
      [3, 4, 2, 2],
      ["source", "TotalExceeded", "work", "TotalExceeded", "model", "TotalExceeded"],
    ]);
  });

  test("is never below what a node has at least", () => {
    expect(granted(1, [1, 1, 1, 1], "all")).toEqual([[1, 1, 1, 1], []]);
    expect(granted(1, [9, 9, 9, 9], "all")).toEqual([
      [1, 1, 1, 1],
      ["source", "TotalExceeded", "work", "TotalExceeded", "sink", "TotalExceeded", "model", "TotalExceeded"],
    ]);
  });
});
