import { beforeAll, describe, expect, test } from "vitest";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { nodeOf, stepOf } from "./flink-vectors.ts";
import { callStock } from "./stock.ts";

let module = "";
beforeAll(async () => {
  module = (await buildAlgorithms()).find(({ name }) => name === "flink-autoscaler")?.file ?? "";
}, 240_000);

const MIB = 1_048_576;
const USED = {
  heapUsedAverage: 1_000 * MIB,
  metaspaceUsedAverage: 100 * MIB,
  managedUsedAverage: 0,
  slotsUsed: 1,
};
/** 4 GiB: a tenth of it, less than 1 GiB, is overhead of the JVM, and 128 MiB are the framework's off-heap. */
const FIXED = Math.floor(4_096 * MIB * 0.1) + 128 * MIB;

/** What is remembered of the memory when two vertices go from one parallelism to another. */
async function tuned(
  from: number,
  to: number,
  { used = {}, config = {}, strategy = "HASH" }: { used?: object; config?: object; strategy?: string } = {},
): Promise<{ memory: unknown; logs: readonly string[] }> {
  const seen = {
    targetRate: 0,
    catchUpRate: to,
    trueRate: from,
    scaleUpBelow: from + 1,
    scaleDownAbove: from + 1,
  };
  const input = stepOf("plan", 0, {
    topology: {
      nodes: [nodeOf("read", from, 128, 0), nodeOf("count", from, 128, 0)],
      edges: [{ from: "read", to: "count", shipStrategy: strategy }],
    },
    analyze: { restartSeconds: 0, vertices: { read: seen, count: seen }, job: { ...USED, ...used } },
    config: {
      "memory.tuning.enabled": true,
      "taskManager.memory": "4096 mb",
      "scale-down.interval": "0 s",
      ...config,
    },
  });
  const { answer, error, logs } = await callStock(module, "plan", input);
  expect(error).toBeUndefined();
  return { memory: (answer as { carry: { memory?: unknown } }).carry.memory, logs };
}

describe("a scaling tells what memory its task managers need", () => {
  test("each part gets what it used and a fifth more, managed memory nothing where it is unused", async () => {
    // read writes to 2 and count reads from 2: each 2 · 2 + 8 buffers of 32 KiB.
    const parts = { network: 24 * 32_768, metaspace: 120 * MIB, heap: 1_200 * MIB, managed: 0 };
    const { memory, logs } = await tuned(1, 2);
    const total = FIXED + 24 * 32_768 + 1_320 * MIB;
    expect(memory).toEqual({ ...parts, total });
    expect(logs).toEqual([
      "info taskmanager.memory.process.size: 1859 MiB would do, with 1200 MiB of heap, 0 MiB managed, 1 MiB for the network and 120 MiB of metaspace",
    ]);
  });

  test("vertices that are alike have one channel each", async () => {
    expect((await tuned(1, 2, { strategy: "FORWARD" })).memory).toMatchObject({ network: 20 * 32_768 });
  });

  test("half the task managers have twice as much on their heap, unless that is switched off", async () => {
    const used = { slotsUsed: 4 };
    expect((await tuned(4, 2, { used })).memory).toMatchObject({ heap: 2_400 * MIB });
    const config = { "memory.tuning.scale-down-compensation.enabled": false };
    expect((await tuned(4, 2, { used, config })).memory).toMatchObject({ heap: 1_200 * MIB });
  });

  test("managed memory that is used stays as configured, or gets all that is left", async () => {
    const used = { managedUsedAverage: 1 };
    const config = { "taskmanager.memory.managed.size": "512 mb" };
    expect((await tuned(1, 2, { used, config })).memory).toMatchObject({ managed: 512 * MIB });
    const all = { ...config, "memory.tuning.maximize-managed-memory": true };
    expect((await tuned(1, 2, { used, config: all })).memory).toMatchObject({ total: 4_096 * MIB });
  });

  test("no part gets more than there is", async () => {
    const { memory } = await tuned(1, 2, { used: { heapUsedAverage: 8_000 * MIB, managedUsedAverage: 1 } });
    expect(memory).toMatchObject({ managed: 0, total: 4_096 * MIB });
  });

  test("without being switched on, nothing is said", async () => {
    expect(await tuned(1, 2, { config: { "memory.tuning.enabled": false } })).toEqual({
      memory: undefined,
      logs: [],
    });
  });
});
