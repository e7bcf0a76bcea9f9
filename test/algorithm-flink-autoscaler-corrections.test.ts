import { beforeAll, describe, expect, test } from "vitest";
import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import type { StepInput } from "../host/contract/index.ts";
import { checkMetadata, checkPlan, SECTION } from "../host/contract/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { wantedOf } from "./flink-steps.ts";
import { nodeOf, stepOf } from "./flink-vectors.ts";
import { callStock } from "./stock.ts";

let module = "";
beforeAll(async () => {
  module = (await buildAlgorithms()).find(({ name }) => name === "flink-autoscaler")?.file ?? "";
}, 240_000);

const AT = Date.parse("2026-11-22T10:00:00.000Z");
const AT_ONCE = { "scale-down.interval": "0 s" };
type Node = StepInput["topology"]["nodes"][number];

/** What a plan wants of these vertices, each with what was evaluated of it. */
async function planned(
  vertices: Readonly<Record<string, readonly [Node, object]>>,
  config: Record<string, unknown>,
  carry?: object,
): Promise<{ wanted: Record<string, number>; reasons: Record<string, string>; answer: unknown }> {
  const input = stepOf("plan", AT, {
    topology: { nodes: Object.values(vertices).map(([node]) => node), edges: [] },
    analyze: {
      restartSeconds: 0,
      vertices: Object.fromEntries(Object.entries(vertices).map(([name, [, seen]]) => [name, seen])),
    },
    config,
    ...(carry === undefined ? {} : { carry }),
  });
  const { answer, error } = await callStock(module, "plan", input);
  expect(error).toBeUndefined();
  expect(checkPlan(answer)).toEqual([]);
  const { nodes } = answer as { nodes: Record<string, { reason: string }> };
  const reasons = Object.fromEntries(Object.entries(nodes).map(([name, { reason }]) => [name, reason]));
  return { wanted: wantedOf(answer, input), reasons, answer };
}

/** A vertex that has to go from one parallelism to another, and can process one record a second with each instance. */
const moving = (name: string, from: number, to: number, group?: string): readonly [Node, object] => [
  { ...nodeOf(name, from, 128, 0), ...(group === undefined ? {} : { slotGroup: group }) },
  { targetRate: 0, catchUpRate: to, trueRate: from, scaleUpBelow: to + 1, scaleDownAbove: to + 2 },
];

describe("upstream's weaknesses are corrected, and mirrored with compat", () => {
  const quota = { "taskManager.cpu": 2, "taskmanager.numberOfTaskSlots": 2, "quota.cpu": 2 };

  test("a task manager that is only half used costs as much as a full one", async () => {
    // 2 slots are 1 task manager of 2 CPU; 3 slots need a second one: 4 CPU of 2.
    const held = await planned({ v: moving("v", 2, 3, "a") }, quota);
    expect(held.wanted).toEqual({ v: 2 });
    expect(held.reasons["v"]).toMatch(
      /: 3, but the quota does not allow it: 2 task managers need 4 CPU of 2$/,
    );
    expect((await planned({ v: moving("v", 2, 3, "a") }, { ...quota, compat: "flink" })).wanted).toEqual({
      v: 3,
    });
  });

  test("vertices that stay as they are have slots too", async () => {
    const job = {
      v: moving("v", 1, 2, "a"),
      stays: [
        { ...nodeOf("stays", 4, 128, 0), slotGroup: "b" },
        { targetRate: 4, catchUpRate: 0, trueRate: 6 },
      ],
    } as const;
    const single = { "taskManager.cpu": 1, "quota.cpu": 5, "utilization.target": 1 };
    expect((await planned(job, single)).wanted).toEqual({ v: 1, stays: 4 });
    expect((await planned(job, { ...single, compat: "flink" })).wanted).toEqual({ v: 2, stays: 4 });
  });

  test("vertices of one slot group share slots, those of none do not", async () => {
    const single = { "taskManager.cpu": 1, "quota.cpu": 3 };
    const shared = { v: moving("v", 1, 3, "a"), w: moving("w", 1, 3, "a") };
    expect((await planned(shared, single)).wanted).toEqual({ v: 3, w: 3 });
    const apart = { v: moving("v", 1, 3), w: moving("w", 1, 3) };
    expect((await planned(apart, single)).wanted).toEqual({ v: 1, w: 1 });
    expect((await planned(apart, { ...single, compat: "flink" })).wanted).toEqual({ v: 3, w: 3 });
  });

  test("a vertex that processes nothing although it should is not taken for one that could do everything", async () => {
    const stuck = {
      targetRate: 0,
      catchUpRate: 100,
      unbounded: ["trueRate", "scaleDownAbove"],
      scaleUpBelow: 100,
    };
    const other = moving("other", 1, 2);
    const job = { v: [nodeOf("v", 4, 128, 0), stuck], other } as const;
    const { wanted, reasons } = await planned(job, AT_ONCE);
    expect(wanted).toEqual({ v: 4, other: 2 });
    expect(reasons["v"]).toBe("it processes nothing although 100/s are needed: no rate to go by");
    expect((await planned(job, { ...AT_ONCE, compat: "flink" })).wanted["v"]).toBe(2);
  });

  test("a vertex that is busy all the time is not scaled down, whatever its inputs are thought to send", async () => {
    const seen = {
      targetRate: 100,
      catchUpRate: 0,
      trueRate: 1_000,
      load: 1,
      scaleUpBelow: 100,
      scaleDownAbove: 250,
    };
    const job = { v: [nodeOf("v", 4, 128, 0), seen], other: moving("other", 1, 2) } as const;
    const config = { ...AT_ONCE, "utilization.max": 0.9 };
    const { wanted, reasons } = await planned(job, config);
    expect(wanted["v"]).toBe(4);
    expect(reasons["v"]).toMatch(/; kept at 4, it is busy for 100 % of its time$/);
    expect((await planned(job, { ...config, compat: "flink" })).wanted["v"]).toBe(2);
    const idle = { ...job, v: [nodeOf("v", 4, 128, 0), { ...seen, load: 0.1 }] } as const;
    expect((await planned(idle, config)).wanted["v"]).toBe(2);
  });

  test("a scale-up that was to gain nothing cannot have failed", async () => {
    const carry = { scalings: [["v", [AT - 600_000, 2, 4, 4, 4]]] };
    const detect = { "scaling.effectiveness.detection.enabled": true };
    const job = { v: moving("v", 4, 8) };
    expect((await planned(job, detect, carry)).wanted).toEqual({ v: 8 });
    expect((await planned(job, { ...detect, compat: "flink" }, carry)).wanted).toEqual({ v: 4 });
    const failed = { scalings: [["v", [AT - 600_000, 2, 4, 3.9, 8]]] };
    const held = await planned(job, detect, failed);
    expect(held.wanted).toEqual({ v: 4 });
    expect(held.reasons["v"]).toMatch(/; kept at 4, the last scale-up had too little effect$/);
  });

  test("a scale-down goes on waiting until the job really has another parallelism", async () => {
    const idle = {
      targetRate: 1,
      catchUpRate: 0,
      trueRate: 10,
      load: 0.1,
      scaleUpBelow: 1,
      scaleDownAbove: 2,
    };
    const job = { v: [nodeOf("v", 4, 128, 0), idle], other: moving("other", 1, 2) } as const;
    const delays = async (config: Record<string, unknown>, before: readonly number[]) => {
      const carry = { parallelism: before, delays: [["v", AT - 60_000, 0, 2, 1]] };
      const { answer } = await planned(job, config, carry);
      return (answer as { carry: { delays: object } }).carry.delays;
    };
    expect(await delays({}, [4, 1])).toEqual([["v", AT - 60_000, 60_000, 2, 1]]);
    expect(await delays({}, [5, 1])).toEqual([["v", AT, 0, 2, 1]]);
    expect(await delays({ compat: "flink" }, [4, 1])).toEqual([]);
  });

  test("a vertex without an instance has no rate to go by", async () => {
    const seen = { targetRate: 100, catchUpRate: 0, trueRate: 10, scaleUpBelow: 100, scaleDownAbove: 250 };
    const { wanted, reasons } = await planned({ v: [nodeOf("v", 0, 128, 0), seen] }, {});
    expect(wanted).toEqual({ v: 0 });
    expect(reasons["v"]).toBe("it is stopped: there is no rate of an instance to go by");
  });
});

describe("what flows between vertices is not counted twice", () => {
  /** Counters that have grown by these a second for a minute. */
  const grown = (rates: Readonly<Record<string, readonly [number, number]>>, load = 0.5) => ({
    window: {
      names: Object.keys(rates),
      samples: [0, 60].map((seconds) => ({
        at: AT + seconds * 1_000,
        vertices: Object.values(rates).map(([read, written]) => [
          read * seconds,
          load,
          -1,
          0,
          -1,
          written * seconds,
        ]),
      })),
    },
  });

  async function targets(
    edges: readonly string[],
    rates: Readonly<Record<string, readonly [number, number]>>,
    config: Record<string, unknown>,
  ): Promise<Record<string, number>> {
    const input = stepOf("analyze", AT, {
      topology: {
        nodes: Object.keys(rates).map((name) => nodeOf(name, 2, 128, 0)),
        edges: edges.map((edge) => ({ from: edge.split(">")[0] ?? "", to: edge.split(">")[1] ?? "" })),
      },
      monitor: { carry: grown(rates) },
      config,
    });
    const { answer } = await callStock(module, "analyze", input);
    const { vertices } = answer as { vertices: Record<string, { targetRate: number }> };
    return Object.fromEntries(Object.entries(vertices).map(([name, { targetRate }]) => [name, targetRate]));
  }

  test("where inputs write to others as well, a vertex's own input is shared out among them", async () => {
    const edges = ["a>v", "a>x", "b>v", "b>y"];
    // a writes 100/s to x and 200/s to v, b 50/s to y and 100/s to v.
    const rates = { a: [300, 300], b: [150, 150], v: [300, 0], x: [100, 0], y: [50, 0] } as const;
    expect(await targets(edges, rates, {})).toEqual({ a: 300, b: 150, v: 300, x: 100, y: 50 });
    expect((await targets(edges, rates, { compat: "flink" }))["v"]).toBe(450);
  });

  test("a vertex that cannot grow hands on no more than it can process", async () => {
    // Each of a's two instances processes 1000/s; it is excluded, and is offered 2000 and 400 more a second.
    const rates = { a: [1_000, 1_000], v: [1_000, 0] } as const;
    const config = { "vertex.exclude.ids": ["a"], "utilization.target": 0.5 };
    const input = (change: Record<string, unknown>) =>
      stepOf("analyze", AT, {
        topology: {
          nodes: [nodeOf("a", 2, 128, 0), nodeOf("v", 2, 128, 0)],
          edges: [{ from: "a", to: "v" }],
        },
        monitor: { carry: lagging(grown(rates), 2_000) },
        config: { ...config, ...change },
      });
    const targetOf = async (change: Record<string, unknown>) => {
      const { answer } = await callStock(module, "analyze", input(change));
      return (answer as { vertices: { v: { targetRate: number } } }).vertices.v.targetRate;
    };
    expect(await targetOf({})).toBe(2_000);
    expect(await targetOf({ compat: "flink" })).toBe(3_000);
  });

  /** The same window, with a lag of the first vertex that grows by so much a second. */
  function lagging({ window }: ReturnType<typeof grown>, rate: number) {
    const samples = window.samples.map(({ at, vertices: [first = [], ...rest] }) => {
      const [read = -1, load = -1, perSecond = -1, , observed = -1, ...more] = first;
      return {
        at,
        vertices: [[read, load, perSecond, (rate * (at - AT)) / 1_000, observed, ...more], ...rest],
      };
    });
    return { window: { ...window, samples } };
  }
});

describe("the module of flink-autoscaler", () => {
  const wasm = async () => new WebAssembly.Module(new Uint8Array(await readFile(module)));

  test("says what it is, and refuses options that upstream does not have", async () => {
    const [section] = WebAssembly.Module.customSections(await wasm(), SECTION);
    const metadata = JSON.parse(new TextDecoder().decode(section)) as { config: object };
    expect(checkMetadata(metadata)).toEqual([]);
    expect(metadata).toMatchObject({ name: "flink-autoscaler", steps: ["monitor", "analyze", "plan"] });
    const fits = new Ajv2020().compile(metadata.config);
    expect(fits({})).toBe(true);
    expect(fits({ compat: "flink", "utilization.target": 0.8, "catch-up.duration": "10 min" })).toBe(true);
    for (const wrong of [
      { "utilisation.target": 0.8 },
      { "utilization.target": 80 },
      { "catch-up.duration": 600 },
      { compat: "keda" },
    ]) {
      expect(fits(wrong)).toBe(false);
    }
  });

  test("refuses bounds that contradict each other, with the option's name", async () => {
    const refused = async (config: Record<string, unknown>) =>
      (await callStock(module, "analyze", stepOf("analyze", AT, { config }))).error;
    expect(await refused({ "utilization.max": 0.6 })).toBe(
      "config.utilization.max: 0.6 is below utilization.target, 0.7",
    );
    expect(await refused({ "vertex.min-parallelism": 300 })).toBe(
      "config.vertex.min-parallelism: 300 is above vertex.max-parallelism, 200",
    );
    expect(await refused({ "restart.time": "soon" })).toBe(
      'config.restart.time: a duration is needed, such as "5 min" or "30 s", found "soon"',
    );
  });

  test("imports nothing but the Extism ABI, and exports nothing but its steps and its memory", async () => {
    const modules = WebAssembly.Module.imports(await wasm()).map((one) => one.module);
    expect(new Set(modules)).toEqual(new Set(["extism:host/env"]));
    expect(WebAssembly.Module.exports(await wasm()).map(({ name }) => name)).toEqual([
      "monitor",
      "analyze",
      "plan",
      "memory",
    ]);
  });
});
