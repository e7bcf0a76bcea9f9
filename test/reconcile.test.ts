import { describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import type { KubeObject } from "../host/kube/index.ts";
import { trimPolicy } from "../host/operator/object.ts";
import { Reconciler, type Around } from "../host/operator/reconcile.ts";
import { manifest } from "./manifest.ts";

const NOW = new Date("2026-03-01T12:00:00Z");

/** What becomes of a policy that waits 30 s for its first pass and was made so long ago; its algorithm cannot be had. */
async function first(madeSecondsAgo: number) {
  const raw = manifest({ "spec.schedule": { startAfter: "30s" } }) as unknown as KubeObject;
  const creationTimestamp = new Date(NOW.getTime() - madeSecondsAgo * 1_000).toISOString();
  const object = trimPolicy({
    ...raw,
    metadata: { ...raw.metadata, ...{ uid: "uid-1", resourceVersion: "7", creationTimestamp } },
  });
  const stages: string[] = [];
  const around = {
    time: { now: () => NOW, elapsedMs: () => 5_000, after: () => () => undefined, random: () => 0 },
    world: { clock: { now: () => NOW } },
    algorithms: { load: () => Promise.reject(new Fault("ArtifactUnavailable", "the registry is away")) },
    reporter: { report: async (_object: object, { stage }: { stage: string }) => void stages.push(stage) },
    held: () => object,
  } as unknown as Around;
  const againMs = await new Reconciler(around).reconcile(object.key);
  return { stages, againMs };
}

describe("the first pass of a policy", () => {
  test("waits for startAfter from when the policy was made, whatever operator sees it", async () => {
    expect(await first(0)).toEqual({ stages: [], againMs: 30_000 });
    expect(await first(20)).toEqual({ stages: [], againMs: 10_000 });
  });

  test("does not wait again where an operator starts later", async () => {
    const { stages } = await first(3_600);
    expect(stages).toEqual(["algorithm"]);
  });

  test("waits no longer than startAfter where the cluster's clock is ahead", async () => {
    expect(await first(-3_600)).toEqual({ stages: [], againMs: 30_000 });
  });
});
