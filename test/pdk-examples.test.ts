import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { StepInput } from "../host/contract/index.ts";
import { compileAssemblyScript } from "../launcher/build/algorithms.ts";
import { world, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { exposition, prometheus, type Exposition, type Prometheus } from "./world/index.ts";

const EXAMPLES = "pdk/assemblyscript/examples";

let engine: Bed;
let server: World;
let folder: string;
beforeAll(async () => {
  engine = await bed();
  server = await world();
  folder = await mkdtemp(join(tmpdir(), "sluice-examples-"));
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function compiled(source: Parameters<typeof compileAssemblyScript>[0]): Promise<Uint8Array> {
  const { file } = await compileAssemblyScript(source, join(folder, "example.wasm"));
  return new Uint8Array(await readFile(file));
}

async function planned(module: Uint8Array, change: Partial<StepInput>) {
  const { api: _api, step: _step, ...fields } = inputOf(change);
  const texts = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  const { answers, logs } = await engine.run({ plan: module }, { texts, effects: server.perform });
  return { answer: JSON.parse(answers.plan ?? "") as unknown, logs: logs.map(({ text }) => text) };
}

test("every example shows one thing, in at most forty lines, and the manual names it", async () => {
  const manual = await readFile("pdk/assemblyscript/README.md", "utf8");
  const names = await readdir(EXAMPLES);
  expect(names.length).toBeGreaterThanOrEqual(8);
  for (const name of names) {
    expect((await readFile(join(EXAMPLES, name), "utf8")).split("\n").length, name).toBeLessThanOrEqual(40);
    expect(manual).toContain(`(examples/${name})`);
  }
});

describe("the examples of single concepts, in the sandbox", () => {
  const example = (name: string) => compiled({ file: `${EXAMPLES}/${name}.ts` });

  test("config.ts reads defaults, lists and what nodes have of their own", async () => {
    const module = await example("config");
    const config = { instances: 3, skip: ["count"], nodes: { split: { instances: 7 } } };
    expect((await planned(module, { config })).answer).toEqual({ nodes: { split: { parallelism: 8 } } });
    expect((await planned(module, { config: { instances: 3, spare: 0 } })).answer).toEqual({
      nodes: { split: { parallelism: 3 }, count: { parallelism: 3 } },
    });
    await expect(planned(module, { config: { instances: 3, spare: -1 } })).rejects.toMatchObject({
      code: "GuestFailed",
      message: "plan: config.spare: less than nothing cannot be spare",
    });
    await expect(planned(module, { config: {} })).rejects.toThrow("plan: config.instances: is missing");
    await expect(planned(module, { config: { instances: null } })).rejects.toThrow(
      "plan: config.instances: a number is needed, found null",
    );
  });

  test("edges.ts gives a node what feeds it, within its ceiling", async () => {
    const nodes = [
      nodeOf("read", 3),
      nodeOf("also", 4),
      { ...nodeOf("join", 1), ceiling: 6 },
      nodeOf("write", 1),
    ];
    const edges = [
      { from: "read", to: "join" },
      { from: "also", to: "join" },
      { from: "join", to: "write" },
    ];
    const reason = "as much as feeds it";
    expect((await planned(await example("edges"), { topology: { nodes, edges } })).answer).toEqual({
      nodes: { join: { parallelism: 6, reason }, write: { parallelism: 1, reason } },
    });
  });

  test("resources.ts gives instances that are nearly full more memory, and leaves alone what nothing is known of", async () => {
    const module = await example("resources");
    const GI = 2 ** 30;
    const nodes = ["split", "count", "join", "write"].map((name) => nodeOf(name, 2));
    const [split, count, join, write] = nodes;
    const full = { resources: { memory: GI } };
    const topology = {
      nodes: [{ ...split, ...full }, { ...count, ...full }, { ...join, ...full }, write],
      edges: [],
    };
    const memory = valuesOf(
      sampleOf("split", 1.8 * GI),
      sampleOf("count", 1.6 * GI),
      sampleOf("write", 99 * GI),
    );
    expect(
      (await planned(module, { topology: topology as StepInput["topology"], sources: { memory } })).answer,
    ).toEqual({
      nodes: {
        split: { parallelism: 2, resources: { memory: "1610612736" }, reason: "90 % of 1024 MiB" },
      },
    });
  });

  test("history.ts goes on as it went, and says nothing of what it has too little of", async () => {
    const module = await example("history");
    const past = (minutes: number, rate: number) => ({
      at: new Date(Date.parse("2026-11-22T10:00:00.000Z") - minutes * 60_000).toISOString(),
      nodes: {},
      sources: { rates: valuesOf(sampleOf("split", rate)) },
    });
    const history = [past(1, 380), past(2, 340), past(3, 300), past(20, 9_000)];
    // From 300 to 420 in three minutes are 40 more in each: 460 in a minute.
    expect((await planned(module, { history })).answer).toEqual({
      nodes: { split: { demand: 4.6, reason: "460/s in a minute" } },
    });
    expect((await planned(module, { history: [] })).answer).toEqual({ nodes: {} });
  });
});

describe("prometheus.ts", () => {
  let numbers: Exposition;
  let real: Prometheus;
  let module: Uint8Array;
  beforeAll(async () => {
    numbers = await exposition();
    numbers.set("arrivals", 25, { operator: "split" });
    numbers.set("arrivals", Number.NaN, { operator: "count" });
    real = await prometheus({ targets: [numbers.target] });
    module = await compiled({ file: `${EXAMPLES}/prometheus.ts` });
  }, 60_000);
  afterAll(async () => {
    await real.stop();
    await numbers.stop();
  });

  const now = () => ({ id: "7@now", number: 7, time: new Date().toISOString() });
  const topology = { nodes: ["split", "count", "else"].map((name) => nodeOf(name, 1)), edges: [] };

  test("asks a real Prometheus for every node; NaN and nothing are no numbers", async () => {
    const config = { prometheus: real.url };
    await vi.waitFor(
      async () =>
        expect(await planned(module, { config, iteration: now(), topology })).toEqual({
          answer: { nodes: { split: { demand: 2.5 } } },
          logs: ["count: nothing is known of it", "else: nothing is known of it"],
        }),
      { timeout: 20_000, interval: 500 },
    );
  });

  test("fails in words that say what was wrong with the answer", async () => {
    const asks = (base: string) =>
      planned(module, { config: { prometheus: base }, iteration: now(), topology });
    await expect(asks("http://127.0.0.1:1")).rejects.toThrow("plan: prometheus: Unreachable");
    await expect(asks(`${server.origin}/status/503`)).rejects.toThrow(
      "plan: prometheus: answered 503 and no JSON",
    );
    const wrong = (query: string) =>
      compiled({
        text: `import { answer, http, Plan, prometheus, read } from "@sluice/pdk";
export function plan(): i32 {
  const step = read();
  prometheus.vector(http.send(prometheus.query(step.config.text("prometheus"), '${query}', step.time)));
  return answer(new Plan());
}`,
      });
    const config = { prometheus: real.url };
    await expect(planned(await wrong("sum("), { config, iteration: now() })).rejects.toThrow(
      /plan: prometheus: invalid parameter "query"/,
    );
    await expect(planned(await wrong("arrivals[1m]"), { config, iteration: now() })).rejects.toThrow(
      "plan: prometheus: the query gives a matrix, and a vector or a scalar is needed",
    );
    expect(await planned(await wrong("scalar(vector(1))"), { config, iteration: now() })).toMatchObject({
      answer: { nodes: {} },
    });
  });
});
