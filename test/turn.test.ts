import { describe, expect, test } from "vitest";
import type { Time } from "../host/kube/index.ts";
import { nextTurnMs } from "../host/operator/turn.ts";
import type { PolicyKey } from "../host/policy/index.ts";

const dice = (random: number): Time => ({
  now: () => new Date(0),
  elapsedMs: () => 0,
  after: () => () => undefined,
  random: () => random,
});
const next = (
  key: string,
  startedMs: number,
  againSeconds: number | undefined,
  isRegular = true,
  random = 0,
) => nextTurnMs(dice(random), { key: key as PolicyKey, startedMs, againSeconds, isRegular });

describe("the turns of policies", () => {
  test("that began together are spread over the interval, and come after exactly it from then on", () => {
    const keys = Array.from({ length: 1_500 }, (_, at) => `team-${at % 50}/policy-${at}`);
    const second = keys.map((key) => next(key, 1_000_000, 15));
    expect(Math.min(...second)).toBeGreaterThanOrEqual(1_007_500);
    expect(Math.max(...second)).toBeLessThanOrEqual(1_022_500);
    const inEach = Array.from({ length: 15 }, (_, at) => 1_007_500 + at * 1_000).map(
      (from) => second.filter((ms) => ms >= from && ms < from + 1_000).length,
    );
    // A hundred each, and what chance adds or takes.
    expect(Math.min(...inEach)).toBeGreaterThan(60);
    expect(Math.max(...inEach)).toBeLessThan(140);
    keys.forEach((key, at) => {
      expect(next(key, second[at] ?? 0, 15)).toBeCloseTo((second[at] ?? 0) + 15_000, 3);
    });
  });

  test("that were late come back to their place", () => {
    const due = next("team/one", 1_000_000, 15);
    expect(next("team/one", due + 4_000, 15)).toBeCloseTo(due + 15_000, 3);
  });

  test("of a long interval are moved by half a minute at the most", () => {
    for (const key of ["a/a", "b/b", "c/c", "d/d"]) {
      const due = next(key, 0, 3_600);
      expect(Math.abs(due - 3_600_000)).toBeLessThanOrEqual(30_000);
      expect(next(key, due, 3_600)).toBeCloseTo(due + 3_600_000, 3);
    }
  });

  test("that something asks for are never sooner than it asks, and do not come back together", () => {
    expect(next("team/one", 1_000, 30, false, 0)).toBe(31_000);
    expect(next("team/one", 1_000, 30, false, 0.5)).toBeCloseTo(31_750, 3);
    expect(next("team/one", 1_000, undefined)).toBe(Infinity);
  });

  test("of a namespace come one after the other where a process is started for them, and namespaces evenly", () => {
    const at = (namespace: number, name: number) =>
      nextTurnMs(dice(0), {
        ...{ key: `team-${namespace}/policy-${name}` as PolicyKey, startedMs: 1_000_000 },
        ...{ againSeconds: 15, isRegular: true, together: 100 },
      });
    const spans = Array.from({ length: 20 }, (_, namespace) => {
      const turns = Array.from({ length: 100 }, (_, name) => at(namespace, name) % 15_000);
      const first = at(namespace, 0) % 15_000;
      return turns.map((ms) => Math.min(Math.abs(ms - first), 15_000 - Math.abs(ms - first)));
    });
    // A hundred of them take a second.
    expect(Math.max(...spans.flat())).toBeLessThan(1_000);
    expect(Math.max(...spans.flat())).toBeGreaterThan(500);
  });
});
