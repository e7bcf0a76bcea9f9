import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkInput,
  checkMetadata,
  checkPlan,
  checkStepAnswer,
  SCHEMAS,
  withSection,
} from "../host/contract/index.ts";
import { generateContract } from "../launcher/generate/contract.ts";
import { inputOf } from "./step-input.ts";

const METADATA = { api: "sluice/v1", name: "threshold", version: "1.0.0", steps: ["plan"] };

describe("the contract", () => {
  test("pdk/schema holds what host/contract generates", async () => {
    for (const [path, content] of await generateContract()) {
      expect(await readFile(path, "utf8")).toBe(content);
    }
  });

  test("every field of every document says what it means", () => {
    const silent: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string): void => {
      if (typeof schema["description"] !== "string") silent.push(path);
      for (const [name, field] of Object.entries(schema["properties"] ?? {})) walk(field, `${path}.${name}`);
      for (const below of [schema["items"], schema["additionalProperties"]]) {
        if (typeof below === "object" && below !== null) walk(below as Record<string, unknown>, `${path}[]`);
      }
    };
    for (const [name, schema] of Object.entries(SCHEMAS))
      walk(schema as object as Record<string, unknown>, name);
    expect(silent).toEqual([]);
  });

  test("an input with everything in it is one", () => {
    expect(checkInput(inputOf({}))).toEqual([]);
    expect(checkInput({ ...inputOf({}), later: "fields that are not known yet are allowed" })).toEqual([]);
  });

  test("a source says exactly one of values, no data and error", () => {
    const at = "2026-11-22T10:00:00.000Z";
    const both = inputOf({
      sources: { rates: { at, noData: true, error: { code: "SourceUnavailable", message: "no" } } },
    });
    expect(checkInput(both)).toEqual([
      { field: "sources.rates", message: "must have exactly one of series, noData, error" },
    ]);
  });
});

describe("the answer of a step", () => {
  test("a plan wants a parallelism or a demand for a node", () => {
    const nodes = { split: { parallelism: 5, reason: "420/s" }, count: { demand: 3.4 } };
    expect(checkPlan({ nodes, recheckAfter: 5, carry: [1] })).toEqual([]);
    expect(checkPlan({ nodes: { split: { parallelism: 5, demand: 5 } } })).toEqual([
      { field: "nodes.split", message: "must have exactly one of parallelism, demand" },
    ]);
  });

  test.each([
    [{ parallelism: 1.5 }, "nodes.split.parallelism", "must be a whole number"],
    [{ parallelism: -1 }, "nodes.split.parallelism", "must be at least 0"],
    [{ parallelism: 2_147_483_648 }, "nodes.split.parallelism", "must be at most 2147483647"],
    [{ parallelism: null }, "nodes.split.parallelism", "must be a whole number"],
    [{ demand: "4" }, "nodes.split.demand", "must be a finite number"],
    [{ demand: 4, replicas: 4 }, "nodes.split.replicas", "is not known here"],
    [4, "nodes.split", "must be an object"],
  ])("a plan that wants %j is refused", (wanted, field, message) => {
    expect(checkPlan({ nodes: { split: wanted } })).toEqual([{ field, message }]);
  });

  test("a plan without nodes, or with a field that is none, is refused", () => {
    expect(checkPlan({ node: {} })).toEqual([
      { field: "nodes", message: "is missing" },
      { field: "node", message: "is not known here" },
    ]);
  });

  test("of ten thousand problems a plan is told twenty", () => {
    const nodes = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`n${at}`, {}]));
    expect(checkPlan({ nodes })).toHaveLength(20);
  });

  test("monitor and analyze answer any object, and nothing but one", () => {
    expect(checkStepAnswer("monitor", { rate: 1, carry: 2 })).toEqual([]);
    expect(checkStepAnswer("analyze", [1])).toEqual([{ field: "", message: "must be an object" }]);
    expect(checkStepAnswer("plan", { rate: 1 })[0]).toEqual({ field: "nodes", message: "is missing" });
  });

  test("the check says of every document what a JSON Schema validator says of it", () => {
    const validate = new Ajv2020({ strict: false, formats: { "date-time": true } }).compile(SCHEMAS.plan);
    const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom("5", null, -0, 2 ** 31));
    const wanted = fc.record(
      {
        parallelism: number,
        demand: number,
        reason: fc.oneof(fc.string(), number),
        resources: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const plan = fc.record(
      {
        nodes: fc.oneof(fc.dictionary(fc.string(), wanted), fc.jsonValue()),
        recheckAfter: number,
        other: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(plan, fc.jsonValue()), (value) => {
        const document: unknown = JSON.parse(JSON.stringify(value));
        expect(checkPlan(document).length === 0).toBe(validate(document));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the metadata of a module", () => {
  test("name, version and steps are enough", () => {
    expect(checkMetadata(METADATA)).toEqual([]);
  });

  test.each([
    [{ name: "Threshold" }, "name", "must match ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"],
    [{ version: "1" }, "version", "must match ^[0-9]+[.][0-9]+[.][0-9]+(-[0-9A-Za-z.-]+)?$"],
    [{ steps: [] }, "steps", "must have at least 1 entries"],
    [{ steps: ["execute"] }, "steps[0]", "must be one of monitor, analyze, plan"],
    [{ api: "sluice/v2" }, "api", 'must be "sluice/v1"'],
    [{ config: true }, "config", "must be an object"],
    [{ cofig: {} }, "cofig", "is not known here"],
    [{ history: { span: "1h" } }, "history.every", "is missing"],
  ])("%j is refused", (change, field, message) => {
    expect(checkMetadata({ ...METADATA, ...change })).toEqual([{ field, message }]);
  });

  test("a section is read back by the engine, whatever its length", () => {
    const empty = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    for (const length of [0, 1, 127, 128, 20_000]) {
      const module = new WebAssembly.Module(
        withSection(empty, "sluice.algorithm", new Uint8Array(length).fill(7)),
      );
      const [section] = WebAssembly.Module.customSections(module, "sluice.algorithm");
      expect(section?.byteLength).toBe(length);
    }
  });
});
