import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toCreate } from "../host/driver/jobs/strategy.ts";
import { parsePolicy } from "../host/policy/index.ts";
import { manifest } from "./manifest.ts";

interface StrategyVector {
  readonly id: string;
  readonly strategy: "default" | "custom" | "accurate" | "eager";
  readonly maxScale: number;
  readonly running: number;
  readonly pending: number;
  readonly maxReplicaCount: number;
  readonly queueLengthDeduction?: number;
  readonly runningJobPercentage?: number;
  readonly expectEffectiveMaxScale: number;
}
const { scaledJobStrategies } = JSON.parse(readFileSync("test/vectors/keda/other.json", "utf8")) as {
  scaledJobStrategies: StrategyVector[];
};
const STRATEGIES = { default: "Default", custom: "Custom", accurate: "Accurate", eager: "Eager" } as const;

describe("how many jobs are made, in all 13 cases of KEDA", () => {
  test.each(scaledJobStrategies)(
    "$id: $strategy, work for $maxScale, $running run and $pending wait",
    (vector) => {
      const { queueLengthDeduction: deduct = 0, runningJobPercentage: share = 0 } = vector;
      const how = { strategy: STRATEGIES[vector.strategy], custom: { deduct, runningPercent: share * 100 } };
      expect(toCreate(how, vector.maxScale, vector, vector.maxReplicaCount)).toBe(
        vector.expectEffectiveMaxScale,
      );
    },
  );

  test("there are 13, and never less than none is made", () => {
    expect(scaledJobStrategies).toHaveLength(13);
    expect(toCreate({ strategy: "Default", custom: undefined }, 1, { running: 4, pending: 0 }, 9)).toBe(0);
  });
});

test("a policy for jobs has none where there is no work, unless it says so", () => {
  const jobs = { name: "work", templateRef: { apiVersion: "batch/v1", kind: "CronJob", name: "work" } };
  const parsed = (more: object = {}) => {
    const read = parsePolicy(manifest({ "spec.target": { jobs: { ...jobs, ...more } } }));
    if (!read.ok) throw read.fault;
    return read.value;
  };
  expect(parsed()).toMatchObject({
    target: {
      kind: "jobs",
      strategy: "Default",
      custom: undefined,
      rollout: "Gradual",
      pendingPodConditions: [],
      history: { succeeded: 100, failed: 100 },
    },
    nodes: [{ name: "work", bounds: { min: 0 } }],
  });
  expect(parsed({ min: 2, history: { succeeded: 5 } })).toMatchObject({
    target: { history: { succeeded: 5, failed: 100 } },
    nodes: [{ bounds: { min: 2 } }],
  });
});
