import { readFile } from "node:fs/promises";
import { assert, constantFrom, jsonValue, property, record, string, uniqueArray } from "fast-check";
import { Type } from "typebox";
import { Compile } from "typebox/schema";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import {
  durationMs,
  parsePolicy,
  scalingPolicySchema,
  toStructural,
  type ScalingPolicyStatus,
} from "../host/policy/index.ts";
import { statusAfter } from "../host/operator/status.ts";
import { fill } from "../host/policy/fill.ts";
import { SPEC } from "../host/policy/shape.ts";
import { manifest, type Changes } from "./manifest.ts";

const source = (kind: object) => ({ "spec.sources": [{ name: "s", ...kind }] });
const plan = (from: object) => ({ "spec.algorithm": { plan: from } });
const NODES = "spec.target.kubernetes.nodes";

function problems(document: unknown) {
  const result = parsePolicy(document);
  return result.ok ? [] : result.problems.map(({ field, message }) => `${field}: ${message}`);
}

describe("a policy that asks for what is not there yet", () => {
  const SERVICE = { name: "x", port: 80 };

  test.each<[string, Changes]>([
    ["spec.sources[0].resource", source({ resource: {} })],
    ["spec.sources[0].http", source({ http: { service: SERVICE, value: "/queue" } })],
    ["spec.sources[0].cron", source({ cron: { start: "0 8 * * *", end: "0 18 * * *", value: 5 } })],
    [
      "spec.sources[0].prometheus.url",
      source({ prometheus: { url: "https://metrics.example", query: "up" } }),
    ],
    ["spec.algorithm.ref", { "spec.algorithm": { ref: { name: "holt-winters" } } }],
    ["spec.algorithm.plan.ref", plan({ ref: { kind: "ClusterAlgorithm", name: "holt-winters" } })],
    ["spec.algorithm.plan.http", plan({ http: { service: SERVICE, protocol: "kta/v1alpha1" } })],
  ])("by %s is told so, and what to use instead", (field, changes) => {
    const result = parsePolicy(manifest(changes));
    if (result.ok) throw new Error("accepted");
    expect(result.fault.code).toBe("NotSupported");
    expect(result.problems.map((one) => one.field)).toEqual([field]);
    expect(result.problems[0]?.message).toMatch(/^is not acted on by this version: .+/);
  });
});

describe("anything at all", () => {
  test("is parsed or refused, and never throws", () => {
    assert(
      property(jsonValue(), (value) => {
        expect(typeof parsePolicy(value).ok).toBe("boolean");
      }),
    );
  });

  test("in any place of a policy is taken or refused with the place, and never throws", () => {
    const places = ["spec", "spec.target", NODES, `${NODES}.0`, `${NODES}.0.to`, "spec.sources.0.prometheus", "spec.algorithm", "spec.guardrails.bounds", "spec.schedule", "spec.knowledge.history"]; // prettier-ignore
    assert(
      property(constantFrom(...places), jsonValue(), (place, value) => {
        const result = parsePolicy(manifest({ [place]: value }));
        expect(
          result.ok || result.problems.every(({ field, message }) => field !== "" && message !== ""),
        ).toBe(true);
      }),
    );
  });

  test("that has its defaults gets none a second time", () => {
    assert(
      property(
        record(
          { guardrails: jsonValue(), schedule: jsonValue(), algorithm: jsonValue() },
          { requiredKeys: [] },
        ),
        (spec) => {
          const once = fill(SPEC, spec, "spec", []);
          expect(fill(SPEC, once, "spec", [])).toEqual(once);
        },
      ),
    );
  });

  test("cannot reach the prototype of anything", () => {
    const hostile = JSON.parse('{"__proto__": {"min": 9}, "constructor": 1}') as unknown;
    expect(problems(manifest({ "spec.guardrails.bounds": hostile }))).toEqual([
      "spec.guardrails.bounds.__proto__: is not a field of the resource: remove it, or correct its name",
      "spec.guardrails.bounds.constructor: is not a field of the resource: remove it, or correct its name",
    ]);
  });
});

describe("a duration", () => {
  test.each([
    ["250ms", 250],
    ["15s", 15_000],
    ["3m", 180_000],
    ["1h", 3_600_000],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  test.each(["15", "s", "1.5s", "-1s", "1m30s", "1d", " 1s", "1s\n", "1000000s", ""])("is not %j", (text) => {
    expect(durationMs(text)).toBeUndefined();
  });
});

describe("a structural schema", () => {
  const says = { description: "A field." };

  test("has an enum for a choice of words, whichever they are", () => {
    assert(
      property(uniqueArray(string({ minLength: 1 }), { minLength: 1 }), (words) => {
        expect(
          toStructural(
            Type.Union(
              words.map((word) => Type.Literal(word)),
              says,
            ),
          ),
        ).toEqual({ ...says, type: "string", enum: words });
      }),
    );
  });

  test("has additionalProperties for a record", () => {
    const record = Type.Record(Type.String(), Type.Integer(says), { ...says, maxProperties: 4 });
    expect(toStructural(record)).toEqual({
      ...says,
      type: "object",
      maxProperties: 4,
      additionalProperties: { ...says, type: "integer" },
    });
  });

  test("does not require a field that has a default", () => {
    const both = Type.Object({ a: Type.Integer(says), b: Type.Integer({ ...says, default: 1 }) }, says);
    expect(toStructural(both).required).toEqual(["a"]);
  });

  test.each([
    ["a reference", Type.Ref("Other", says), "$ref is not structural"],
    ["a union of types", Type.Union([Type.Integer(says), Type.Boolean(says)], says), "the type is undefined"],
    ["an intersection", Type.Intersect([Type.Object({}, says)], says), "allOf is not structural"],
    ["null", Type.Null(says), 'the type is "null"'],
    [
      "a closed object",
      Type.Object({}, { ...says, additionalProperties: false }),
      "additionalProperties is not structural",
    ],
    ["a string without a limit", Type.String(says), "a string needs maxLength"],
    ["a list without a limit", Type.Array(Type.Integer(says), says), "a list needs maxItems"],
    ["a field without a description", Type.Integer(), "a field needs a description"],
  ])("is not made of %s", (_, schema, why) => {
    expect(() => toStructural(schema)).toThrow(why);
  });
});

describe("the status", () => {
  test("that the operator writes fits the schema", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const running = [{ step: "all", role: "Live", artifact: "oci://registry.example/a:1", digest }] as const;
    const written: ScalingPolicyStatus = statusAfter(
      {},
      { stage: "paused", because: "spec.mode is Paused" },
      running,
      3,
      "2026-01-01T00:00:00Z",
    );
    const [fits, wrong] = Compile(toStructural(scalingPolicySchema.properties.status)).Errors(written);
    expect({ fits, wrong }).toEqual({ fits: true, wrong: [] });
  });
});

describe("policies in the repository", () => {
  test("parse: that of the simulator", async () => {
    expect(problems(parseYaml(await readFile("host/simulator/policy.yaml", "utf8")))).toEqual([]);
  });

  test("parse: those in the README", async () => {
    const blocks = (await readFile("README.md", "utf8")).matchAll(
      /```yaml\n(apiVersion: sluice\.dev[^`]*)```/g,
    );
    const found = [...blocks].map(([, text = ""]) => problems(parseYaml(text)));
    expect(found).toEqual([[]]);
  });
});
