import { describe, expect, test } from "vitest";
import { renderTerminal, viewOf } from "../host/console/index.ts";
import { Fault } from "../host/fault/index.ts";
import { compare } from "../host/loop/index.ts";
import { findings } from "../host/operator/conditions.ts";
import { runningOf, statusAfter } from "../host/operator/status.ts";
import { telemetry } from "../host/telemetry/index.ts";
import { iteration, policy, verdict } from "./builders.ts";

const artifact = (name: string) => ({
  step: "all" as const,
  reference: `oci://r/${name}:1`,
  digest: `sha256:${name}`,
});
const passed = (shadow?: Fault) =>
  ({ stage: "passed", mode: "Enforce", iteration: iteration(), stale: undefined, shadow }) as const;

describe("a shadow", () => {
  test("that cannot be loaded has a condition of its own, and the policy stays ready", () => {
    const fault = new Fault("ArtifactNotFound", "The registry has no tag 9", {
      field: "spec.shadow.artifact",
    });
    const found = findings(passed(fault));
    expect(found[0]).toMatchObject({ type: "Ready", status: "True" });
    expect(found.at(-1)).toMatchObject({ type: "ShadowLoaded", status: "False", reason: "ArtifactNotFound" });
    expect(findings(passed()).map(({ type }) => type)).not.toContain("ShadowLoaded");
  });

  test("stands in the status behind what decides, under its role", () => {
    const running = runningOf([artifact("live")], [artifact("shadow")]);
    expect(statusAfter({}, passed(), running, 1, "2026-03-01T12:00:00Z").algorithms).toEqual([
      { step: "all", role: "Live", artifact: "oci://r/live:1", digest: "sha256:live" },
      { step: "all", role: "Shadow", artifact: "oci://r/shadow:1", digest: "sha256:shadow" },
    ]);
  });

  test("is compared by what it would have been granted; a node that it leaves alone keeps what it has", () => {
    const live = { verdicts: [verdict("split"), verdict("count", { current: 5, granted: 6 })], changes: [] };
    const shadow = { verdicts: [verdict("split", { granted: 9 })], changes: [] };
    expect(compare(live, shadow)).toEqual([
      { node: "split", live: 16, shadow: 9 },
      { node: "count", live: 6, shadow: 5 },
    ]);
  });

  test.each([
    [{ compared: [{ node: "split", live: 3, shadow: 4 }] }, "shadow, pass 7: split 4 instead of 3"],
    [{ compared: [{ node: "split", live: 3, shadow: 3 }] }, "shadow, pass 7: the same"],
    [
      { fault: { code: "GuestTrapped" as const, message: "unreachable" } },
      "shadow, pass 7: GuestTrapped: unreachable",
    ],
  ])("is one line on the console: %j", (pass, line) => {
    const view = viewOf(policy(), iteration(), iteration(pass));
    expect(renderTerminal({ policies: [view] }, { columns: 80, color: false })).toContain(`\n  ${line}\n`);
    expect(viewOf(policy(), iteration())).not.toHaveProperty("shadow");
  });

  test("has at most 1,000 series of differences, those of its last pass, and none when its policy is gone", async () => {
    const metrics = telemetry();
    const nodes = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ node: `n${at}`, live: 1, shadow: 3 }));
    const series = async () =>
      (await metrics.text()).split("\n").filter((line) => line.startsWith("sluice_shadow_difference{"))
        .length;
    metrics.shadow(policy(), "Differed", nodes(1_001));
    expect(await series()).toBe(1_000);
    metrics.shadow(policy(), "Skipped");
    expect(await series()).toBe(1_000);
    metrics.shadow(policy(), "Differed", nodes(2));
    expect(await series()).toBe(2);
    metrics.remove(policy().key);
    expect(await series()).toBe(0);
    expect(await metrics.text()).toContain('sluice_shadow_passes_total{outcome="Skipped"} 1');
  });
});
