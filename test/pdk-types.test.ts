import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, expect, expectTypeOf, test } from "vitest";
import { CONTRACT_VERSION, SCHEMAS, type PlanAnswer, type StepInput } from "../host/contract/index.ts";
import { generateTypes } from "../launcher/generate/types.ts";
import { namedTypes, wrapped } from "../launcher/generate/types/model.ts";
import type * as contract from "../pdk/javascript/contract.d.ts";
import { broken } from "./contract-versions.ts";
import { inputOf } from "./step-input.ts";

const SCHEMA = resolve(import.meta.dirname, "../pdk/schema");

describe("the types of the PDKs", () => {
  test("are what the generator makes of the contract", async () => {
    for (const [path, content] of await generateTypes()) expect(await readFile(path, "utf8")).toBe(content);
  });

  test("the declarations for JavaScript say what the host's own types say", () => {
    expectTypeOf<contract.StepInput>().toExtend<StepInput>();
    expectTypeOf<StepInput>().toExtend<contract.StepInput>();
    expectTypeOf<contract.Plan>().toExtend<PlanAnswer>();
    expectTypeOf<PlanAnswer>().toExtend<contract.Plan>();
    const input: contract.StepInput = inputOf({});
    expect(input.topology.nodes[0]?.name).toBe("split");
  });

  test("each type stands after those it is made of, and names every field of its record", () => {
    const types = namedTypes([SCHEMAS.input, SCHEMAS.plan]);
    expect(types.map(({ name }) => name)).toEqual(
      "Step Iteration PolicyName InstanceResources Node Edge LastRescale Slots Topology Sample Partition SourceError Observation PastNode Past StepInput Resources Wanted Plan".split(
        " ",
      ),
    );
    const node = types.find(({ name }) => name === "Node");
    expect(
      node?.kind === "record" && node.fields.map(({ name, isOptional }) => `${name}${isOptional ? "?" : ""}`),
    ).toEqual(
      "name kind parallelism ready min max ceiling? alignTo? slotGroup? resources? attributes".split(" "),
    );
  });

  test("a record without a title, and two things of one title, are refused", () => {
    const field = { type: "string", description: "Text." };
    const record = (title: string | undefined, name: string) => ({
      ...{ type: "object", description: "A record.", properties: { [name]: field } },
      ...(title === undefined ? {} : { title }),
    });
    expect(() => namedTypes([record(undefined, "a")])).toThrow(
      "a type needs a title to be named by: A record.",
    );
    expect(() => namedTypes([record("One", "a"), record("One", "b")])).toThrow(
      "two different types are called One",
    );
    expect(namedTypes([record("One", "a"), record("One", "a")])).toHaveLength(1);
  });

  test("long comments are broken between words", () => {
    expect(wrapped("one two three four", 9)).toEqual(["one two", "three", "four"]);
  });

  test.skipIf(spawnSync("python3", ["-c", "from typing import NotRequired"]).status !== 0)(
    "those of Python are read by Python, with the keys of the contract",
    () => {
      const script = `import json, sys
sys.path.insert(0, "pdk/python")
import contract
print(json.dumps({name: [sorted(getattr(contract, name).__required_keys__), sorted(getattr(contract, name).__optional_keys__)] for name in ("Edge", "Wanted")}))`;
      const { stdout } = spawnSync("python3", ["-c", script], { encoding: "utf8" });
      expect(JSON.parse(stdout)).toEqual({
        Edge: [["from", "to"], ["shipStrategy"]],
        Wanted: [[], ["demand", "parallelism", "reason", "resources"]],
      });
    },
  );
});

describe("the version of the contract", () => {
  test("every document says it, and nothing that an earlier version promised is broken", async () => {
    const versions = (await readdir(SCHEMA, { withFileTypes: true })).filter((one) => one.isDirectory());
    expect(versions.map(({ name }) => name)).toContain(CONTRACT_VERSION);
    for (const { name: version } of versions) {
      for (const [name, schema] of Object.entries(SCHEMAS)) {
        const before: unknown = JSON.parse(await readFile(resolve(SCHEMA, version, `${name}.json`), "utf8"));
        expect(before).toMatchObject({ $comment: `Version ${version} of sluice/v1.` });
        expect(
          broken(
            before as Record<string, unknown>,
            schema as object as Record<string, unknown>,
            name === "input" ? "host" : "guest",
          ),
        ).toEqual([]);
      }
    }
  });

  const record = (more: object, required: string[] = ["a"]) => ({
    type: "object",
    required,
    properties: { a: { type: "integer", minimum: 0, maximum: 9 }, ...more },
  });
  const number = { type: "number" };

  test.each([
    ["a field more", record({}), record({ b: number }), [], []],
    ["a field less", record({ b: number }), record({}), [".b: is gone"], [".b: is gone"]],
    [
      "a field of another type",
      record({ b: number }),
      record({ b: { type: "string" } }),
      [".b: was number, is string"],
      [".b: was number, is string"],
    ],
    ["a field that may be left out now", record({}), record({}, []), [".a: is no longer always there"], []],
    [
      "a field that may not be left out any more",
      record({}, []),
      record({}),
      [],
      [".a: has become required"],
    ],
    [
      "a wider limit",
      record({}),
      record({ a: { type: "integer", minimum: -1, maximum: 10 } }),
      [".a: has another minimum", ".a: has another maximum"],
      [],
    ],
    [
      "a closer limit",
      record({}),
      record({ a: { type: "integer", minimum: 1, maximum: 8 } }),
      [],
      [".a: has another minimum", ".a: has another maximum"],
    ],
    ["a word more", { enum: ["x"] }, { enum: ["x", "y"] }, [": says y now"], []],
    ["a word less", { enum: ["x", "y"] }, { enum: ["x"] }, [], [": refuses y now"]],
    [
      "in a list",
      { type: "array", items: record({ b: number }) },
      { type: "array", items: record({}) },
      ["[].b: is gone"],
      ["[].b: is gone"],
    ],
    [
      "no other fields",
      record({}),
      { ...record({}), additionalProperties: false },
      [": takes no other fields any more"],
      [": takes no other fields any more"],
    ],
  ] as const)("%s breaks what it breaks", (_what, before, after, host, guest) => {
    expect(broken(before, after, "host")).toEqual(host);
    expect(broken(before, after, "guest")).toEqual(guest);
  });
});
