import { describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import { findings, settle, type Outcome } from "../host/operator/conditions.ts";
import { node, topology } from "./builders.ts";

const pass = (rest: Partial<Iteration> = {}): Iteration => ({
  id: "1@now",
  number: 1,
  at: "2026-01-01T00:00:00.000Z",
  topology: topology(node("split", 3)),
  sources: {},
  answers: {},
  decision: { verdicts: [], changes: [] },
  outcome: "Unchanged",
  changes: [],
  fault: undefined,
  carry: undefined,
  ...rest,
});
const passed = (rest: Partial<Iteration> = {}, mode: "Enforce" | "DryRun" = "Enforce"): Outcome => ({
  stage: "passed",
  mode,
  iteration: pass(rest),
  stale: undefined,
});
const said = (outcome: Outcome) =>
  Object.fromEntries(findings(outcome).map((one) => [one.type, `${one.status} ${one.reason}`]));

describe("the conditions of a policy", () => {
  test("say Ready when decisions are being made", () => {
    expect(said(passed())).toEqual({
      Ready: "True Ready",
      Accepted: "True Accepted",
      AlgorithmLoaded: "True Loaded",
      TargetResolved: "True Found",
      SourcesHealthy: "True Read",
      ScalingActive: "True Deciding",
      ScalingLimited: "False WithinGuardrails",
      Paused: "False NotPaused",
    });
  });

  test("carry the code, the field and the remedy of what stops the policy, in the part that it concerns and in Ready", () => {
    const fault = new Fault("ArtifactNotFound", "The registry has no tag 9", {
      field: "spec.algorithm.artifact",
    });
    const found = findings({ stage: "algorithm", fault });
    expect(found.find((one) => one.type === "Ready")?.reason).toBe("ArtifactNotFound");
    expect(found.find((one) => one.type === "AlgorithmLoaded")?.message).toBe(
      "spec.algorithm.artifact: The registry has no tag 9. Push the algorithm, or correct spec.algorithm.artifact.",
    );
  });

  test("tell a target that cannot be read from an algorithm that fails", () => {
    const fault = { code: "TargetNotFound" as const, message: "gone" };
    expect(said(passed({ topology: undefined, decision: undefined, fault }))["TargetResolved"]).toBe(
      "False TargetNotFound",
    );
    const trapped = said(
      passed({ decision: undefined, fault: { code: "GuestTrapped", message: "unreachable" } }),
    );
    expect([trapped["TargetResolved"], trapped["ScalingActive"], trapped["Ready"]]).toEqual([
      "True Found",
      "False GuestTrapped",
      "False GuestTrapped",
    ]);
  });

  test("tell a source that fails from one that has nothing to say", () => {
    const at = "2026-01-01T00:00:00.000Z";
    const down = said(
      passed({ sources: { rates: { error: { code: "SourceUnavailable", message: "refused" }, at } } }),
    );
    expect(down["SourcesHealthy"]).toBe("False SourceUnavailable");
    expect(said(passed({ sources: { rates: { noData: true, at } } }))["SourcesHealthy"]).toBe("False NoData");
  });

  test("stay ready in a dry run, and say that nothing is acted on", () => {
    const dry = said(passed({}, "DryRun"));
    expect([dry["Ready"], dry["ScalingActive"]]).toEqual(["True Ready", "False DryRun"]);
  });

  test("name the nodes that a guardrail holds, without figures that change with every pass", () => {
    const verdict = { node: "sink", current: 3, wanted: 40, granted: 16, reasons: ["OutOfBounds" as const] };
    const found = findings(passed({ decision: { verdicts: [verdict], changes: [] } }));
    expect(found.find((one) => one.type === "ScalingLimited")).toMatchObject({
      status: "True",
      reason: "OutOfBounds",
      message: "sink: OutOfBounds",
    });
  });
});

describe("a condition", () => {
  const late = (usedMs: number) =>
    findings(passed({ fault: { code: "DeadlineExceeded", message: `plan used ${usedMs} ms` } }));

  test("stays as it is to the letter while only figures change", () => {
    const first = settle([], late(251), 1, "t1");
    expect(settle(first, late(260), 1, "t2")).toEqual(first);
  });

  test("keeps its time while its status stays, and gets a new one when the status turns", () => {
    const first = settle([], late(251), 1, "t1");
    const second = settle(first, findings(passed()), 2, "t2");
    expect(second.find((one) => one.type === "Ready")?.lastTransitionTime).toBe("t2");
    expect(second.find((one) => one.type === "Accepted")).toMatchObject({
      lastTransitionTime: "t1",
      observedGeneration: 2,
    });
  });
});
