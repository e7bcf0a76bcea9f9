import { expect, test } from "vitest";
import { drivers } from "../host/driver/index.ts";
import type { Driver } from "../host/loop/index.ts";
import { parsePolicy } from "../host/policy/index.ts";
import { policy, topology } from "./builders.ts";
import { manifest } from "./manifest.ts";

const found = topology();
const driver: Driver = {
  discover: () => Promise.resolve(found),
  rescaleScope: () => "job",
  order: (_policy, changes) => [changes],
  scale: () => Promise.resolve([{ node: "split", outcome: "Scaled" }]),
};

test("a policy is scaled by the driver of its kind of target", async () => {
  const all = drivers({ kubernetes: driver });
  expect(await all.discover(policy())).toBe(found);
  expect(all.rescaleScope(policy())).toBe("job");
  expect(await all.scale(policy(), [], () => undefined)).toEqual([{ node: "split", outcome: "Scaled" }]);
  expect(await all.writer?.(policy(), "split")).toBeUndefined();
  expect(await all.trouble?.(policy(), "split", new Date(0))).toBeUndefined();
});

test("a kind of target that has no driver is not supported", async () => {
  const streams = policy({ target: { kind: "kafkaStreams", applications: [] } });
  await expect(drivers({ kubernetes: driver }).discover(streams)).rejects.toMatchObject({
    code: "NotSupported",
    field: "spec.target.kafkaStreams",
  });
});

test("objects with a scale subresource are a target with nothing more to say", () => {
  const parsed = parsePolicy(manifest());
  expect(parsed.ok && parsed.value.target).toEqual({ kind: "kubernetes" });
});
