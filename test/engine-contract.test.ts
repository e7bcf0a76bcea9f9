import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SECTION, withSection } from "../host/contract/index.ts";
import { startEngine } from "../host/engine/index.ts";
import { tenantKey } from "../host/policy/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { bed, until, type Bed } from "./engine/bed.ts";
import { answering, digestOf } from "./hostile/wat.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

const tenant = tenantKey("team-a");
const plan = '{"nodes":{}}';

let engine: Bed;
beforeAll(async () => {
  engine = await bed();
});
afterAll(() => engine[Symbol.asyncDispose]());

/** A module that says of itself what its config has to be. */
function configured(config: object): Uint8Array {
  const metadata = { api: "sluice/v1", name: "configured", version: "1.0.0", steps: ["plan"], config };
  return withSection(answering({ plan }), SECTION, new TextEncoder().encode(JSON.stringify(metadata)));
}
const check = (schema: object, config: string) =>
  engine.engine.checkConfig({ tenant, digest: engine.add(configured(schema)), config });

describe("the config of a policy", () => {
  const schema = {
    type: "object",
    required: ["target"],
    additionalProperties: false,
    properties: { target: { type: "number", exclusiveMinimum: 0 } },
  };

  test("fits the schema inside the module, or every field that does not is named", async () => {
    expect(await check(schema, '{"target":100}')).toEqual([]);
    expect(await check(schema, '{"target":0}')).toEqual([{ field: "target", message: "config must be > 0" }]);
    expect(await check(schema, '{"target":1,"tagret":2}')).toEqual([
      { field: "", message: "config must NOT have additional properties (tagret)" },
    ]);
  });

  test("is anything where the module says nothing of it", async () => {
    const digest = engine.add(answering({ plan }));
    expect(await engine.engine.checkConfig({ tenant, digest, config: '{"a":1}' })).toEqual([]);
  });

  test.each([
    [
      "would let everything through by being asynchronous",
      { $async: true, type: "object", required: ["target"] },
    ],
    ["refers to another host", { $ref: "http://schemas.example/config.json" }],
    ["is no schema", { type: "nonsense" }],
  ])("is refused with the module if its schema %s", async (_what, wrong) => {
    await expect(check(wrong, "{}")).rejects.toMatchObject({ code: "ArtifactInvalid" });
  });

  test("ends a schema that takes too long over it", async () => {
    const slow = { type: "object", properties: { a: { type: "string", pattern: "^(a+)+$" } } };
    await expect(check(slow, JSON.stringify({ a: `${"a".repeat(40)}!` }))).rejects.toMatchObject({
      code: "DeadlineExceeded",
    });
  });
});

describe("the interface that modules are offered", () => {
  test("gives the shipped algorithm the same answer as the stock Extism SDK does", async () => {
    const built = (await buildAlgorithms()).find(({ name }) => name === "threshold");
    const file = resolve(built?.file ?? "");
    const input = inputOf({
      topology: { nodes: [nodeOf("split", 3), nodeOf("count", 2)], edges: [] },
      sources: { rates: valuesOf(sampleOf("split", 420), sampleOf("count", 190)) },
      config: { targetPerInstance: 100 },
    });
    const { answer } = await callStock(file, "plan", input);
    const module = new Uint8Array(await readFile(file));
    const texts = Object.fromEntries(
      Object.entries(input)
        .filter(([name]) => name !== "api" && name !== "step")
        .map(([name, value]) => [name, JSON.stringify(value)]),
    );
    const { answers } = await engine.run({ plan: module }, { texts });
    expect(JSON.parse(answers.plan ?? "")).toEqual(answer);
    expect(answer).toMatchObject({ nodes: { split: { parallelism: 5 }, count: { parallelism: 2 } } });
  });
});

describe("a supervisor in another container", () => {
  test("is spoken to over a socket, as it is over a pipe", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-socket-"));
    const socket = join(folder, "supervisor.sock");
    const program = resolve(import.meta.dirname, "../host/engine/supervisor/main.ts");
    const child = spawn(process.execPath, ["--no-warnings", program, "--listen", socket], {
      env: {},
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    expect(await until(() => said.includes("listening"))).toBe(true);
    const module = answering({ plan });
    const remote = await startEngine({ socket, modules: async () => module });
    try {
      const limits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
      const steps = [{ step: "plan" as const, digest: digestOf(module) }];
      expect((await remote.pass({ tenant, steps, texts: {}, limits })).answers).toEqual({ plan });
    } finally {
      await remote.close();
      child.kill();
      await rm(folder, { recursive: true });
    }
  });
});
