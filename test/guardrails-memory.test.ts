import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Decision, Memory, Observations, Wanted } from "../host/knowledge/index.ts";
import { guard, windowed } from "../host/loop/guardrails/index.ts";
import type { Behavior, Guardrails, Scaling } from "../host/policy/index.ts";
import type { TopologyNode } from "../host/topology/index.ts";
import { guardrails, node, topology, wants } from "./builders.ts";

const MINUTE_MS = 60_000;
const scaling = (rest: Partial<Scaling> = {}): Scaling => ({
  windowSeconds: 0,
  select: "Max",
  rates: [{ type: "Percent", value: 1_000, periodSeconds: 15 }],
  tolerance: 0,
  ...rest,
});
const behavior = (up: Partial<Scaling> = {}, down: Partial<Scaling> = {}): Behavior => ({
  up: scaling(up),
  down: scaling({ rates: [{ type: "Percent", value: 100, periodSeconds: 15 }], ...down }),
  arithmetic: "Exact",
  isPlain: false,
});

interface Said {
  readonly want: number | Wanted | undefined;
  readonly sources?: Observations;
}

/** An application of one node that gets what is granted at once, one pass after the other. */
function passes(rails: Partial<Guardrails>, start: Partial<TopologyNode> = {}, lost?: Memory) {
  let one = node("split", 4, { max: 64, ...start });
  let memory: Memory | undefined = lost;
  return (atMs: number, { want, sources = {} }: Said) => {
    const wanted = want === undefined ? [] : [typeof want === "number" ? wants("split", want) : want];
    const at = new Date(atMs);
    const nodes = windowed(topology(one), guardrails(rails), at);
    const result = guard(wanted, { topology: nodes, sources, memory, at }, guardrails(rails));
    memory = JSON.parse(JSON.stringify(result.memory)) as Memory;
    const [verdict] = result.decision.verdicts;
    one = { ...one, parallelism: verdict?.granted ?? 0 };
    return [verdict?.granted, ...(verdict?.reasons ?? [])];
  };
}

describe("stabilisation", () => {
  test("scales down to the most that was wanted within the window, and not before the window has passed", () => {
    const pass = passes({ behavior: behavior({}, { windowSeconds: 300 }) });
    expect(pass(0, { want: 10 })).toEqual([10]);
    expect(pass(1 * MINUTE_MS, { want: 6 })).toEqual([10, "Stabilized"]);
    expect(pass(2 * MINUTE_MS, { want: 3 })).toEqual([10, "Stabilized"]);
    expect(pass(5 * MINUTE_MS, { want: 3 })).toEqual([6, "Stabilized"]);
    expect(pass(6 * MINUTE_MS, { want: 3 })).toEqual([3]);
  });

  test("scales up to the least that was wanted within the window", () => {
    const pass = passes({ behavior: behavior({ windowSeconds: 120 }) });
    expect(pass(0, { want: 12 })).toEqual([4, "Stabilized"]);
    expect(pass(1 * MINUTE_MS, { want: 9 })).toEqual([4, "Stabilized"]);
    expect(pass(2 * MINUTE_MS, { want: 12 })).toEqual([9, "Stabilized"]);
  });

  test("of a node that was never decided on counts as if what runs had been wanted", () => {
    const pass = passes({ behavior: behavior({}, { windowSeconds: 300 }) });
    expect(pass(0, { want: 2 })).toEqual([4, "Stabilized"]);
    expect(pass(5 * MINUTE_MS, { want: 2 })).toEqual([2]);
  });
});

describe("rates", () => {
  const FOUR_A_MINUTE = behavior({ rates: [{ type: "Pods", value: 4, periodSeconds: 60 }] });

  test("of four a minute let four be added a minute, over several passes", () => {
    const pass = passes({ behavior: FOUR_A_MINUTE });
    expect(pass(0, { want: 7 })).toEqual([7]);
    expect(pass(30_000, { want: 20 })).toEqual([8, "RateLimited"]);
    expect(pass(59_000, { want: 20 })).toEqual([8, "RateLimited"]);
    expect(pass(60_000, { want: 20 })).toEqual([11, "RateLimited"]);
    expect(pass(90_000, { want: 20 })).toEqual([12, "RateLimited"]);
  });

  test("count exactly: ten percent of a hundred are ten, and eleven only where the HorizontalPodAutoscaler is to be mirrored", () => {
    const tenPercent = behavior({ rates: [{ type: "Percent", value: 10, periodSeconds: 60 }] });
    const start = { parallelism: 100, max: 500 };
    expect(passes({ behavior: tenPercent }, start)(0, { want: 300 })).toEqual([110, "RateLimited"]);
    const mirrored = { ...tenPercent, arithmetic: "Doubles" as const };
    expect(passes({ behavior: mirrored }, start)(0, { want: 300 })).toEqual([111, "RateLimited"]);
  });

  test("do not hold up a node that stands outside its bounds: 100 of at most 64 are 64 at once", () => {
    const slow = behavior({}, { rates: [{ type: "Pods", value: 1, periodSeconds: 60 }] });
    expect(passes({ behavior: slow }, { parallelism: 100 })(0, { want: undefined })).toEqual([
      64,
      "OutOfBounds",
    ]);
    expect(passes({ behavior: slow }, { parallelism: 100 })(0, { want: 50 })).toEqual([63, "RateLimited"]);
  });

  test("of a node itself win over those of all", () => {
    const pass = passes({
      behavior: FOUR_A_MINUTE,
      nodes: { split: { behavior: behavior({ select: "Disabled" }) } },
    });
    expect(pass(0, { want: 20 })).toEqual([4, "RateLimited"]);
  });

  test("move nothing for a demand within the tolerance: 4.3 is within a tenth of 4, and 4.5 is not", () => {
    const tolerant = behavior({ tolerance: 0.1 }, { tolerance: 0.1 });
    const demand = (number: number) => ({
      want: { node: "split", parallelism: Math.ceil(number), demand: number },
    });
    expect(passes({ behavior: tolerant })(0, demand(4.3))).toEqual([4, "WithinTolerance"]);
    expect(passes({ behavior: tolerant })(0, demand(4.5))).toEqual([5]);
    expect(passes({})(0, demand(4.3))).toEqual([5]);
  });
});

describe("reversals", () => {
  test("of two an hour let a node turn twice, and then it stays until an hour has passed", () => {
    const pass = passes({ maxReversalsPerHour: 2 });
    expect(pass(0, { want: 6 })).toEqual([6]);
    expect(pass(1 * MINUTE_MS, { want: 5 })).toEqual([5]);
    expect(pass(2 * MINUTE_MS, { want: 7 })).toEqual([7]);
    expect(pass(3 * MINUTE_MS, { want: 5 })).toEqual([7, "TooManyReversals"]);
    expect(pass(4 * MINUTE_MS, { want: 9 })).toEqual([9]);
    expect(pass(61 * MINUTE_MS, { want: 5 })).toEqual([5]);
  });
});

describe("scale to zero", () => {
  const zero = { allowed: true, idle: 0, cooldownSeconds: 120, signals: [{ source: "lag", above: 0 }] };
  const lag = (value: number): Observations => ({ lag: { series: [{ labels: {}, value, at: "" }], at: "" } });
  const NO_DATA: Observations = { lag: { noData: true, at: "" } };

  test("needs every signal quiet for the whole cooldown, and two decisions in a row that want it", () => {
    const pass = passes({ zero });
    expect(pass(0, { want: 0, sources: lag(0) })).toEqual([1, "OutOfBounds"]);
    expect(pass(1 * MINUTE_MS, { want: 2, sources: lag(0) })).toEqual([2]);
    expect(pass(2 * MINUTE_MS, { want: 0, sources: lag(0) })).toEqual([1, "OutOfBounds"]);
    expect(pass(3 * MINUTE_MS, { want: 0, sources: lag(0) })).toEqual([0]);
  });

  test("never happens on missing data: the cooldown begins anew when there is data again", () => {
    const pass = passes({ zero });
    pass(0, { want: 0, sources: lag(0) });
    expect(pass(2 * MINUTE_MS, { want: 0, sources: NO_DATA })).toEqual([1, "OutOfBounds"]);
    expect(pass(3 * MINUTE_MS, { want: 0, sources: lag(0) })).toEqual([1, "OutOfBounds"]);
    expect(pass(5 * MINUTE_MS, { want: 0, sources: lag(0) })).toEqual([0]);
  });

  test("ends with the first signal, and not with missing data", () => {
    const pass = passes({ zero }, { parallelism: 0 });
    expect(pass(0, { want: 0, sources: NO_DATA })).toEqual([0]);
    expect(pass(1 * MINUTE_MS, { want: undefined, sources: {} })).toEqual([0]);
    expect(pass(2 * MINUTE_MS, { want: 0, sources: lag(5) })).toEqual([1, "SignalAbove"]);
  });

  test("takes a node to its idle parallelism where that is not zero", () => {
    const pass = passes({ zero: { ...zero, idle: 1 } }, { min: 3 });
    pass(0, { want: 1, sources: lag(0) });
    expect(pass(1 * MINUTE_MS, { want: 1, sources: lag(0) })).toEqual([3, "OutOfBounds"]);
    expect(pass(2 * MINUTE_MS, { want: 1, sources: lag(0) })).toEqual([1]);
  });
});

describe("windows", () => {
  const night = {
    name: "nights",
    start: "0 22 * * *",
    end: "0 6 * * *",
    timeZone: "Europe/Vienna",
    bounds: { min: 0, max: 8 },
    isFreeze: false,
  };
  const at = (time: string) => Date.parse(time);

  test("have other bounds from ten in the evening until six, in Vienna: in summer that is 20:00 to 04:00 UTC", () => {
    const pass = (time: string) => passes({ windows: [night] })(at(time), { want: 20 });
    expect(pass("2026-07-01T19:59:59Z")).toEqual([20]);
    expect(pass("2026-07-01T20:00:00Z")).toEqual([8, "OutOfBounds"]);
    expect(pass("2026-07-02T03:59:59Z")).toEqual([8, "OutOfBounds"]);
    expect(pass("2026-07-02T04:00:00Z")).toEqual([20]);
    expect(pass("2026-12-01T20:59:59Z")).toEqual([20]);
    expect(pass("2026-12-01T21:00:00Z")).toEqual([8, "OutOfBounds"]);
  });

  test("give way to bounds that a node has of its own", () => {
    const pass = passes({ windows: [night], nodes: { split: { max: 16 } } }, { max: 16 });
    expect(pass(at("2026-07-01T21:00:00Z"), { want: 20 })).toEqual([16, "OutOfBounds"]);
  });

  test("that freeze move nothing, whatever is wanted and whatever else is configured", () => {
    const freeze = { ...night, bounds: undefined, isFreeze: true };
    const pass = passes({ windows: [freeze], totalMax: 2 }, { parallelism: 100 });
    expect(pass(at("2026-07-01T21:00:00Z"), { want: 20 })).toEqual([100, "Frozen"]);
  });
});

describe("memory that was lost", () => {
  test("holds what runs for one window, and lets it grow", () => {
    const pass = passes({ behavior: behavior({}, { windowSeconds: 60 }) }, {}, { nodes: {}, lostAtMs: 0 });
    expect(pass(0, { want: 6 })).toEqual([6]);
    expect(pass(59_000, { want: 2 })).toEqual([6, "Stabilized"]);
    expect(pass(61_000, { want: 2 })).toEqual([2]);
  });

  test("holds for the longest period of the rates where there is no window", () => {
    const slow = behavior({}, { rates: [{ type: "Pods", value: 9, periodSeconds: 120 }] });
    const pass = passes({ behavior: slow }, {}, { nodes: {}, lostAtMs: 0 });
    expect(pass(119_000, { want: 2 })).toEqual([4, "WindowUnknown"]);
    expect(pass(120_000, { want: 2 })).toEqual([2]);
  });
});

describe("a clock that is set back by an hour", () => {
  test("keeps every window, and makes none longer", () => {
    const pass = passes({ behavior: behavior({}, { windowSeconds: 60 }) });
    expect(pass(60 * MINUTE_MS, { want: 6 })).toEqual([6]);
    expect(pass(30_000, { want: 2 })).toEqual([6, "Stabilized"]);
    expect(pass(89_000, { want: 2 })).toEqual([6, "Stabilized"]);
    expect(pass(91_000, { want: 2 })).toEqual([2]);
  });
});

describe("for any plans, one after the other,", () => {
  const rails = guardrails({
    totalMax: 40,
    behavior: behavior(
      { windowSeconds: 30, rates: [{ type: "Pods", value: 3, periodSeconds: 60 }] },
      { windowSeconds: 300 },
    ),
    maxReversalsPerHour: 3,
  });
  const plans = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 60 }), fc.array(fc.nat(50), { minLength: 3, maxLength: 3 })),
    { minLength: 1, maxLength: 60 },
  );

  test("what is granted is within bounds and total, follows from what is known, and is explained where it was moved", () => {
    fc.assert(
      fc.property(plans, (drawn) => {
        let memory: Memory | undefined;
        let [nowMs, running] = [0, [2, 3, 4]];
        for (const [seconds, numbers] of drawn) {
          nowMs += seconds * 1_000;
          const nodes = running.map((parallelism, at) => node(`n${at}`, parallelism, { max: 20 }));
          const ground = { topology: topology(...nodes), sources: {}, memory, at: new Date(nowMs) };
          const wanted = numbers.map((number, at) => wants(`n${at}`, number));
          const result = guard(wanted, ground, rails);
          expect(guard(wanted, ground, rails)).toEqual(result);
          check(result.decision);
          memory = result.memory;
          running = result.decision.verdicts.map(({ granted }) => granted);
          for (const { wants: kept = [] } of Object.values(memory.nodes))
            expect(kept.length).toBeLessThanOrEqual(60);
        }
      }),
      { numRuns: 300 },
    );
  });

  function check({ verdicts }: Decision): void {
    for (const { granted, wanted, reasons } of verdicts) {
      expect(granted).toBeGreaterThanOrEqual(1);
      expect(granted).toBeLessThanOrEqual(20);
      expect(granted === wanted || reasons.length > 0).toBe(true);
    }
    expect(verdicts.reduce((sum, { granted }) => sum + granted, 0)).toBeLessThanOrEqual(40);
  }

  test("a number that does not change is remembered once, however often it is wanted: a hundred nodes fit into 8 KiB", () => {
    const nodes = Array.from({ length: 100 }, (_, at) => node(`operator-${at}`, 3));
    let memory: Memory | undefined;
    for (let pass = 0; pass < 200; pass += 1) {
      const ground = {
        topology: topology(...nodes),
        sources: {},
        memory,
        at: new Date(1.8e12 + pass * 15_000),
      };
      ({ memory } = guard(
        nodes.map(({ name }) => wants(name, 3)),
        ground,
        { ...rails, totalMax: undefined },
      ));
    }
    expect(memory?.nodes["operator-7"]?.wants).toEqual([[1.8e12 + 199 * 15_000, 3]]);
    expect(JSON.stringify(memory).length).toBeLessThan(8 * 1_024);
  });
});
