import { expect, test } from "vitest";
import { shardOf } from "../host/operator/rendezvous.ts";

const keys = Array.from({ length: 10_000 }, (_, at) => `team-${at % 500}/policy-${at}`);

test("10,000 policies spread over eight shards, none with a tenth more or less than its share", () => {
  const sizes = Array.from({ length: 8 }, () => 0);
  for (const key of keys) sizes[shardOf(key, 8)] = (sizes[shardOf(key, 8)] ?? 0) + 1;
  expect(Math.min(...sizes)).toBeGreaterThan(1_125);
  expect(Math.max(...sizes)).toBeLessThan(1_375);
});

test("a ninth shard takes policies, and moves none between the others", () => {
  const moved = keys.filter((key) => shardOf(key, 9) !== shardOf(key, 8));
  expect(moved.every((key) => shardOf(key, 9) === 8)).toBe(true);
  expect(moved.length).toBeGreaterThan(1_000);
});
