import { expect, test } from "vitest";
import { node, topology } from "../builders.ts";
import { isUnassigned, reportOf, reportText, type LoadStep, type Pass } from "./report.ts";

const BEGAN = Date.parse("2026-11-23T10:00:00Z");
const after = (seconds: number) => BEGAN + seconds * 1_000;
const step = (rest: Partial<LoadStep> = {}): LoadStep => ({
  ...{ name: "up", fromMs: after(0), untilMs: after(20), needed: { split: 4 }, caughtUpAt: 10 },
  ...rest,
});
/** A pass that found so many asked for and ready, and changed them to another number. */
const pass = (seconds: number, asked: number, ready = asked, to?: number): Pass => ({
  at: new Date(after(seconds)).toISOString(),
  topology: topology(node("split", asked, { ready })),
  decision:
    to === undefined
      ? undefined
      : { verdicts: [], changes: [{ node: "split", from: asked, to, revision: "1" }] },
  changes: to === undefined ? [] : [{ node: "split", outcome: "Scaled" }],
});
const UP = [pass(-5, 2), pass(5, 2, 2, 6), pass(10, 6, 2), pass(12, 6, 6, 4), pass(15, 4)];

test("from 2 over 6 to the 4 that are needed are two decisions, of which the first one leads past it", () => {
  expect(reportOf({ passes: UP, steps: [step()] })).toEqual([
    {
      name: "up",
      needed: { split: 4 },
      decisions: 2,
      astray: ["split 2 → 6"],
      decidedSeconds: 12,
      settledSeconds: 15,
      caughtUpSeconds: undefined,
      // Two too many from second 10 to 15, of four needed for 20 seconds.
      overPercent: 12.5,
      // Two were missing until second 12.
      underPercent: 30,
      downSeconds: 0,
    },
  ]);
});

test("passes may come in any order, and those of other times count for nothing", () => {
  const others = [pass(-60, 9, 9, 2), pass(20, 4, 4, 9), pass(25, 9)];
  const steps = [step()];
  const [told] = reportOf({ passes: [...others, ...UP].toReversed(), steps });
  expect(told).toEqual(reportOf({ passes: UP, steps })[0]);
});

test("a change that was decided on and failed is no decision that changed something", () => {
  const failed = { code: "Conflict", message: "" } as const;
  const one: Pass = { ...pass(5, 2, 2, 6), changes: [{ node: "split", outcome: "Failed", ...failed }] };
  expect(reportOf({ passes: [one], steps: [step()] })[0]).toMatchObject({ decisions: 0, decidedSeconds: 0 });
});

test("on the way down a change that goes past what is needed leads astray, one that comes near does not", () => {
  const passes = [pass(1, 9, 9, 6), pass(2, 6, 6, 3)];
  expect(reportOf({ passes, steps: [step()] })[0]?.astray).toEqual(["split 6 → 3"]);
});

test("it has caught up when from then on no more waits than between two commits, not when it once was so", () => {
  const waiting = [0, 400, 8, 90, 10, 0].map((records, at) => ({ atMs: after(at), records }));
  expect(reportOf({ passes: UP, steps: [step()], waiting })[0]?.caughtUpSeconds).toBe(4);
  const behind = [...waiting, { atMs: after(19), records: 11 }];
  expect(reportOf({ passes: UP, steps: [step()], waiting: behind })[0]?.caughtUpSeconds).toBeUndefined();
});

test("it has not settled while a node has what it needs and has not caught up with it", () => {
  const unsettled: Pass = { ...pass(15, 4), topology: topology(node("split", 4, { settled: false })) };
  const [told] = reportOf({ passes: [...UP.slice(0, -1), unsettled], steps: [step()] });
  expect(told?.settledSeconds).toBeUndefined();
});

test("down is the time in which fewer serve than before a change up, or than after one down", () => {
  const passes = [pass(0, 4), pass(5, 6, 3), pass(8, 6, 4), pass(10, 6), pass(12, 2, 4), pass(14, 2)];
  expect(reportOf({ passes, steps: [step()] })[0]?.downSeconds).toBe(3);
});

test("an application of Kafka Streams is down while it rebalances, nobody has one of its tasks, or it waits for who is gone", () => {
  const streams = (state: string, assignedTasks: string, members: string) =>
    node("count", 2, { attributes: { state, assignedTasks, members, tasks: "8" } });
  expect(isUnassigned(streams("Stable", "8", "2"))).toBe(false);
  expect(isUnassigned(streams("Stable", "8", "1"))).toBe(false);
  expect(isUnassigned(streams("Stable", "7", "2"))).toBe(true);
  expect(isUnassigned(streams("Stable", "8", "4"))).toBe(true);
  expect(isUnassigned(streams("PreparingRebalance", "8", "2"))).toBe(true);
});

test("where it was measured otherwise, down is what was measured within the step", () => {
  const down = [
    { fromMs: after(-3), untilMs: after(1) },
    { fromMs: after(5), untilMs: after(7.5) },
    { fromMs: after(30), untilMs: after(40) },
  ];
  expect(reportOf({ passes: UP, steps: [step()], down })[0]?.downSeconds).toBe(3.5);
});

test("people read it as a line for each step", () => {
  expect(reportText("Flink", reportOf({ passes: UP, steps: [step()] }))).toBe(
    "Flink, up: 2 decisions, the last after 12.0 s, settled 15.0 s, caught up never, 13 % over, 30 % under, down 0.0 s\n",
  );
});
