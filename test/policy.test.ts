import { describe, expect, test } from "vitest";
import { parsePolicy, type Parsed, type Policy } from "../host/policy/index.ts";
import { guardrails } from "./builders.ts";
import { manifest, type Changes } from "./manifest.ts";
import { AGAINST_RULES, OUT_OF_SHAPE } from "./wrong-policies.ts";

function parsed(changes: Changes = {}): Policy {
  const result: Parsed<Policy> = parsePolicy(manifest(changes));
  if (!result.ok) throw result.fault;
  return result.value;
}

function problems(document: unknown) {
  const result = parsePolicy(document);
  return result.ok ? [] : result.problems.map(({ field, message }) => `${field}: ${message}`);
}

const module = (name: string) => ({ artifact: `oci://registry.example/${name}:1` });
const NODES = "spec.target.kubernetes.nodes";
const node = (name: string, to: string[] = []) => ({
  name,
  to,
  ref: { apiVersion: "apps/v1", kind: "Deployment", name },
});

describe("a policy that says the least", () => {
  test("gets every default", () => {
    expect(parsed()).toEqual({
      key: "team-a/clicks",
      tenant: "team-a",
      namespace: "team-a",
      name: "clicks",
      uid: "team-a/clicks",
      generation: 1,
      mode: "Enforce",
      serviceAccountName: "default",
      target: { kind: "kubernetes" },
      nodes: [
        {
          name: "split",
          ref: { apiVersion: "apps/v1", kind: "Deployment", name: "split-words" },
          to: ["count"],
          bounds: { min: 1, max: 32 },
          attributes: {},
        },
        {
          name: "count",
          ref: { apiVersion: "apps/v1", kind: "StatefulSet", name: "count-words" },
          to: [],
          bounds: { min: 1, max: 32 },
          attributes: {},
        },
      ],
      sources: [
        {
          name: "rates",
          kind: "prometheus",
          service: { name: "prometheus", port: 9090 },
          query: "rate(x[1m])",
          byLabel: undefined,
          node: undefined,
          timeoutMs: 5_000,
        },
      ],
      shadow: undefined,
      algorithm: {
        field: "spec.algorithm",
        artifacts: [
          {
            step: "all",
            reference: "oci://registry.example/algorithms/threshold:1.0.0",
            field: "spec.algorithm.artifact",
          },
        ],
        config: "{}",
        pullSecrets: [],
        egress: { hosts: [], services: [] },
        limits: { cpuMs: 250, memoryPages: 256 },
      },
      intervalSeconds: 15,
      startAfterSeconds: 0,
      guardrails: guardrails({ nodes: { split: {}, count: {} } }),
      settle: undefined,
      respectDisruptionBudget: false,
      ownership: { onDrift: "Correct", onDelete: "Keep" },
      byHand: {
        override: new Map(),
        isUpPaused: false,
        isDownPaused: false,
        takesBack: false,
        resumes: false,
      },
      knowledge: { keep: 200, history: undefined },
    });
  });

  test("is in the namespace default where it names none", () => {
    expect(parsed({ "metadata.namespace": undefined }).key).toBe("default/clicks");
  });
});

describe("a policy that says more", () => {
  test("is taken at its word", () => {
    const policy = parsed({
      "metadata.uid": "5d1f",
      "metadata.generation": 3,
      "spec.mode": "DryRun",
      "spec.serviceAccountName": "scaler",
      "spec.sources.0.byLabel": { label: "operator" },
      "spec.sources.0.timeout": "800ms",
      "spec.algorithm.config": { targetUtilization: 0.7 },
      "spec.algorithm.pullSecrets": [{ name: "regcred" }],
      "spec.algorithm.limits": { time: "1s", memory: "200Ki" },
      "spec.shadow": { plan: module("b"), config: { other: 1 }, limits: { time: "100ms" } },
      "spec.schedule": { interval: "2m", startAfter: "30s" },
      "spec.guardrails.total": { max: 40 },
      "spec.guardrails.settle": { onFailure: "Rollback" },
      "spec.guardrails.respectDisruptionBudget": true,
      "spec.knowledge": { keep: 50, history: { span: "1h", every: "1m" } },
    });
    expect(policy).toMatchObject({
      uid: "5d1f",
      generation: 3,
      mode: "DryRun",
      serviceAccountName: "scaler",
      sources: [{ byLabel: "operator", timeoutMs: 800 }],
      shadow: {
        field: "spec.shadow",
        artifacts: [
          { step: "plan", reference: "oci://registry.example/b:1", field: "spec.shadow.plan.artifact" },
        ],
        config: '{"other":1}',
        pullSecrets: ["regcred"],
        limits: { cpuMs: 100, memoryPages: 256 },
      },
      algorithm: {
        config: '{"targetUtilization":0.7}',
        pullSecrets: ["regcred"],
        limits: { cpuMs: 1_000, memoryPages: 3 },
      },
      intervalSeconds: 120,
      startAfterSeconds: 30,
      guardrails: { totalMax: 40 },
      settle: { timeoutSeconds: 600, onFailure: "Rollback" },
      respectDisruptionBudget: true,
      knowledge: { keep: 50, history: { spanSeconds: 3_600, everySeconds: 60 } },
    });
  });

  test("has bounds for one node that win over those for all, each for itself", () => {
    const policy = parsed({
      "spec.guardrails.bounds": { min: 2, max: 8 },
      [`${NODES}.0.max`]: 24,
      [`${NODES}.1.min`]: 0,
    });
    expect(policy.nodes.map(({ bounds }) => bounds)).toEqual([
      { min: 2, max: 24 },
      { min: 0, max: 8 },
    ]);
  });

  test("has an artifact for each step that names one", () => {
    expect(
      parsed({ "spec.algorithm": { monitor: module("m"), plan: module("p") } }).algorithm.artifacts,
    ).toEqual([
      {
        step: "monitor",
        reference: "oci://registry.example/m:1",
        field: "spec.algorithm.monitor.artifact",
      },
      { step: "plan", reference: "oci://registry.example/p:1", field: "spec.algorithm.plan.artifact" },
    ]);
  });

  test.each([
    ["a tag", "oci://127.0.0.1:5000/team/threshold:1.0.0"],
    ["a digest", `oci://registry.example/a@sha256:${"0".repeat(64)}`],
    ["a tag and a digest", `oci://registry.example/a:latest@sha256:${"f".repeat(64)}`],
  ])("names its artifact by %s", (_, reference) => {
    expect(parsed({ "spec.algorithm.artifact": reference }).algorithm.artifacts[0]?.reference).toBe(
      reference,
    );
  });

  test("takes the default for a null, as the API server does", () => {
    expect(parsed({ "spec.schedule": null, "spec.mode": null })).toMatchObject({
      intervalSeconds: 15,
      mode: "Enforce",
    });
  });
});

describe("a policy that is refused", () => {
  test.each(AGAINST_RULES)("has %s, in the words of the API server", (_, changes, field, says) => {
    expect(problems(manifest(changes))).toContain(`${field}: ${says}`);
  });

  test.each(OUT_OF_SHAPE)("has %s", (_, changes, field) => {
    const result = parsePolicy(manifest(changes));
    expect(result.ok ? [] : result.problems.map((one) => one.field)).toContain(field);
    expect(result.ok ? "" : result.fault.code).toBe("PolicyInvalid");
  });

  test.each<[string, Changes, string]>([
    [
      "an edge to nowhere",
      { [`${NODES}.0.to`]: ["sink"] },
      `${NODES}[0].to[0]: there is no node sink: the nodes are split, count`,
    ],
    [
      "edges in a circle",
      { [NODES]: [node("in", ["a"]), node("a", ["b"]), node("b", ["a", "out"]), node("out")] },
      `${NODES}: edges lead in a circle through a, b: remove one of their to entries`,
    ],
    [
      "a node that feeds itself",
      { [NODES]: [node("a", ["a"])] },
      `${NODES}: edges lead in a circle through a: remove one of their to entries`,
    ],
    [
      "one object as two nodes",
      { [`${NODES}.1.ref`]: { apiVersion: "apps/v1beta1", kind: "Deployment", name: "split-words" } },
      `${NODES}[1].ref: Deployment split-words is already node split: an object can be one node only`,
    ],
    [
      "a source for no node",
      { "spec.sources.0.for": "sink" },
      "spec.sources[0].for: there is no node sink: the nodes are split, count",
    ],
    [
      "a field that does not exist",
      { "spec.scedule": {} },
      "spec.scedule: is not a field of the resource: remove it, or correct its name",
    ],
    [
      "a mode that does not exist",
      { "spec.mode": "Observe" },
      "spec.mode: must be one of Enforce, DryRun, Paused",
    ],
    ["nothing to scale", { "spec.target": undefined }, "spec.target: is required"],
    ["another version", { apiVersion: "sluice.dev/v2" }, "apiVersion: must be sluice.dev/v1alpha1"],
    ["another kind", { kind: "Deployment" }, "kind: must be ScalingPolicy"],
    ["no spec", { spec: undefined }, "spec: is required"],
    [
      "no name",
      { "metadata.name": undefined },
      "metadata.name: must be a name: at most 253 small letters, digits, - and .",
    ],
    [
      "a namespace with a slash",
      { "metadata.namespace": "a/b" },
      "metadata.namespace: must be a name: at most 63 small letters, digits and -",
    ],
    [
      "a config above 32 KiB",
      { "spec.algorithm.config": { text: "ü".repeat(16 * 1_024) } },
      "spec.algorithm.config: is above 32 KiB as JSON: leave out what the algorithm does not need",
    ],
  ])("has %s", (_, changes, problem) => {
    expect(problems(manifest(changes))).toEqual([problem]);
  });

  test("learns of all its problems at once, the first in front", () => {
    const result = parsePolicy(
      manifest({ "spec.mode": "Off", "spec.schedule.interval": "soon", [`${NODES}.0.to`]: ["sink"] }),
    );
    if (result.ok) throw new Error("accepted");
    expect(result.problems.map(({ field }) => field)).toEqual([
      "spec.mode",
      `${NODES}[0].to[0]`,
      "spec.schedule.interval",
    ]);
    expect(result.fault.field).toBe("spec.mode");
    expect(result.fault.sentence).toBe(
      "spec.mode: must be one of Enforce, DryRun, Paused; " +
        `${NODES}[0].to[0]: there is no node sink: the nodes are split, count; ` +
        "spec.schedule.interval: must be a whole number and a unit (ms, s, m or h), from 1s to 24h, such as 15s. " +
        "Correct the field that the message names.",
    );
  });

  test("has a config that is nested past all measure", () => {
    let config: object = {};
    for (let depth = 0; depth < 100_000; depth++) config = { deeper: config };
    expect(problems(manifest({ "spec.algorithm.config": config }))).toEqual([
      "spec.algorithm.config: is no JSON, or nested too deeply: write plain lists and objects",
    ]);
  });
});
