import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Moment } from "../host/knowledge/index.ts";
import { keep } from "../host/loop/guardrails/moments.ts";
import {
  limit,
  normalize,
  normalizePlainly,
  stabilize,
  type Wish,
} from "../host/loop/guardrails/normalize.ts";
import { leastByRate, mostAtOnce, mostByRate, type Arithmetic } from "../host/loop/guardrails/rate.ts";
import { behavior, moments, NOW, reasonOf, scaling, type Aged, type Rules } from "./hpa-bed.ts";

/** How test/vectors/hpa/limits.json has what a HorizontalPodAutoscaler v2 did; the file says how it was made. */
interface Given {
  readonly currentReplicas: number;
  readonly desiredReplicas: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly scaleUpLimitFactor?: number;
  readonly downscaleStabilizationSeconds: number;
  readonly upWindowSeconds: number;
  readonly downWindowSeconds: number;
  readonly recommendations: readonly Aged[];
  readonly scaleUp: Rules;
  readonly scaleDown: Rules;
  readonly behavior?: { readonly scaleUp: Rules; readonly scaleDown: Rules };
  readonly scaleUpEvents: readonly Aged[];
  readonly scaleDownEvents: readonly Aged[];
  readonly direction: "up" | "down" | "both";
  readonly percent: number;
  readonly replicas: number;
  readonly change: number;
  readonly prevEvents: readonly Aged[];
  readonly rules: Rules | null;
}
interface Expected {
  readonly replicas: number;
  readonly reason: string;
  readonly logLength: number;
  readonly storedRecommendations: readonly { readonly replicas: number }[];
  readonly storedChanges: readonly number[];
  readonly changeInLast60s: number;
  readonly scaleUpLimit: number;
  readonly limit: number;
  readonly upLimit: number;
  readonly downLimit: number;
  readonly exactCeil?: number;
  readonly exactFloor?: number;
  readonly conditions: readonly { readonly type: string; readonly reason: string; readonly status: string }[];
}
interface Vector {
  readonly id: string;
  readonly layer: string;
  readonly in: Given;
  readonly expect: Expected;
}

const file = join(import.meta.dirname, "vectors/hpa/limits.json");
const { vectors } = JSON.parse(await readFile(file, "utf8")) as { vectors: readonly Vector[] };
const of = (layer: string) =>
  vectors.filter((one) => one.layer === layer).map((one) => [one.id, one.in, one.expect] as const);

const events = ({ scaleUpEvents, scaleDownEvents }: Given): Moment[] => [
  ...moments(scaleUpEvents),
  ...moments(scaleDownEvents).map(([atMs, change]) => [atMs, -change] as const),
];
const wish = (given: Given): Wish => ({
  current: given.currentReplicas,
  wanted: given.desiredReplicas,
  bounds: { min: given.minReplicas, max: given.maxReplicas },
  wants: moments(given.recommendations),
  scaled: events(given),
  nowMs: NOW,
});
const values = (list: readonly Moment[]) => list.map(([, value]) => value);

describe("guardrails that are told to be compatible do what a HorizontalPodAutoscaler v2 did", () => {
  test("with every case of every layer: there are 98", () => {
    const layers = Map.groupBy(vectors, (one) => one.layer);
    expect(Object.fromEntries([...layers].map(([layer, cases]) => [layer, cases.length]))).toEqual({
      "limit-nobehavior": 2,
      "limit-nobehavior-extra": 7,
      "stabilize-nobehavior": 4,
      "behavior-rate": 30,
      "store-events": 7,
      "stabilize-behavior": 7,
      "percent-rounding": 15,
      normalize: 26,
    });
  });

  test.each(of("behavior-rate"))("rates: %s", (_id, given, expected) => {
    const result = limit(wish(given), given.desiredReplicas, behavior(given.scaleUp, given.scaleDown));
    expect([result.value, reasonOf(result.limited)]).toEqual([expected.replicas, expected.reason]);
  });

  test.each(of("stabilize-behavior"))("stabilisation both ways: %s", (_id, given, expected) => {
    const windows = {
      up: { ...scaling(undefined, given.upWindowSeconds) },
      down: scaling(undefined, given.downWindowSeconds),
    };
    const result = stabilize(wish(given), windows);
    expect(result.value).toBe(expected.replicas);
    const stored = expected.storedRecommendations.map(({ replicas }) => replicas);
    // The table leaves it open where it has nothing.
    expect(stored.length === 0 ? [] : values(result.wants)).toEqual(stored);
  });

  test.each(of("stabilize-nobehavior"))("stabilisation without a behavior: %s", (_id, given, expected) => {
    const unbounded = { ...wish({ ...given, currentReplicas: 1_000 }), bounds: { min: 0, max: 1_000_000 } };
    const result = normalizePlainly(unbounded, given.downscaleStabilizationSeconds);
    expect([result.value, result.wants.length]).toEqual([expected.replicas, expected.logLength]);
  });

  test.each(of("limit-nobehavior"))("bounds without a behavior: %s", (_id, given, expected) => {
    const result = normalizePlainly(wish(given), 0, given.scaleUpLimitFactor);
    expect([result.value, reasonOf(result.limited)]).toEqual([expected.replicas, expected.reason]);
  });

  test.each(of("limit-nobehavior-extra"))(
    "the most at once without a behavior: %s",
    (_id, given, expected) => {
      expect(mostAtOnce(given.currentReplicas)).toBe(expected.scaleUpLimit);
    },
  );

  test.each(of("store-events"))("what is remembered of a change: %s", (_id, given, expected) => {
    const before = moments(given.prevEvents);
    const lately = before
      .filter(([atMs]) => atMs > NOW - 60_000)
      .reduce((sum, [, change]) => sum + change, 0);
    expect(lately).toBe(expected.changeInLast60s);
    const longest = Math.max(0, ...(given.rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
    const after = given.rules === null ? before : keep(before, [NOW, given.change], NOW - longest * 1_000);
    expect(values(after)).toEqual(expected.storedChanges);
  });

  test.each(of("percent-rounding"))(
    "percent, and what is exact: %s",
    (_id, { direction, percent, replicas }, expected) => {
      const rules = {
        ...scaling(undefined, 0),
        rates: [{ type: "Percent", value: percent, periodSeconds: 60 } as const],
      };
      const pace = { current: replicas, scaled: [], nowMs: NOW };
      const up = (arithmetic: Arithmetic) => mostByRate(rules, { ...pace, arithmetic });
      const down = (arithmetic: Arithmetic) => leastByRate(rules, { ...pace, arithmetic });
      const { limit: mirrored, exactCeil, exactFloor, upLimit, downLimit } = expected;
      const both = [upLimit, downLimit];
      const seen = {
        up: () => [up("Doubles"), up("Exact")],
        down: () => [down("Doubles"), down("Exact")],
        both: () => [up("Doubles"), down("Doubles")],
      };
      expect(seen[direction]()).toEqual(direction === "both" ? both : [mirrored, exactCeil ?? exactFloor]);
    },
  );

  test.each(of("normalize"))("the whole of it: %s", (_id, given, expected) => {
    const result =
      given.behavior === undefined
        ? normalizePlainly(wish(given), given.downscaleStabilizationSeconds, given.scaleUpLimitFactor)
        : normalize(wish(given), behavior(given.behavior.scaleUp, given.behavior.scaleDown));
    const able = result.stabilized === undefined ? "ReadyForNewScale" : `Scale${result.stabilized}Stabilized`;
    expect({ replicas: result.value, reasons: [able, reasonOf(result.limited)] }).toEqual({
      replicas: expected.replicas,
      reasons: ["AbleToScale", "ScalingLimited"].map(
        (type) => expected.conditions.find((one) => one.type === type)?.reason,
      ),
    });
  });
});
