import { beforeAll, describe, expect, test } from "vitest";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { chain, chainOf, type Doing, FlinkJob, many, type Passed, stock } from "./flink-job.ts";
import { sampleOf, valuesOf } from "./step-input.ts";

let module = "";
beforeAll(async () => {
  module = (await buildAlgorithms()).find(({ name }) => name === "flink-autoscaler")?.file ?? "";
}, 240_000);

const QUICK = { "stabilization.interval": "0 s", "metrics.window": "2 min" };

/** Passes a minute apart until the window of two minutes is full. */
async function settled(job: FlinkJob, doing: Readonly<Record<string, Doing>>): Promise<Passed> {
  await job.pass(60, doing);
  await job.pass(60, doing);
  return job.pass(60, doing);
}

describe("a job is scaled from what it did", () => {
  test("nothing is decided before the job is stable and the window full, and the plan says so", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2]), { "metrics.window": "2 min" });
    const doing = { read: { read: 1_000, busy: 0.9 } };
    expect((await job.pass(60, doing)).nodes).toEqual({
      read: { parallelism: 2, reason: "the job is stable in 300 s" },
    });
    expect((await job.pass(300, doing)).nodes["read"]?.reason).toBe("the metric window is full in 120 s");
    expect((await job.pass(60, doing)).nodes["read"]?.reason).toBe("the metric window is full in 60 s");
    expect((await job.pass(60, doing)).nodes["read"]?.reason).toMatch(/^1000\/s need 1595\/s of capacity/);
  });

  test("what lags grows by as much as its input, its lag and a restart ask for, and all vertices move together", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2], ["count", 4]), QUICK);
    const doing = {
      read: { read: 1_000, written: 500, busy: 1, lagging: 200 },
      count: { read: 500, busy: 0.2 },
    };
    // read: 1200/s offered; 36000 of lag in 1800 s are 20/s; 1200 · 300 / 1800 for a restart; 1200 / 0.7 at 70 %: 1934/s.
    // 1934 / 1000 of 2 are 3.87. count gets half of it all: 967/s, at 2500/s; 0.387 of 4 are 1.55, and 40 % are allowed: 1.6.
    const { nodes } = await settled(job, doing);
    expect(nodes["read"]).toEqual({
      parallelism: 4,
      reason: "1200/s and 20/s of lag need 1934/s of capacity, at 500/s an instance",
    });
    expect(nodes["count"]).toEqual({
      parallelism: 4,
      reason:
        "600/s and 10/s of lag need 967/s of capacity, at 625/s an instance; scale-down to 2 at most waits 3600 s more",
    });
  });

  test("within its bounds nothing moves, and the reason names what it would be", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2]), QUICK);
    const { nodes } = await settled(job, { read: { read: 1_000, busy: 0.8 } });
    expect(nodes["read"]).toEqual({
      parallelism: 2,
      reason:
        "1000/s need 1595/s of capacity, at 625/s an instance: 3, but every vertex that would change is within its bounds",
    });
  });

  test("a scale-down waits for an hour, and then the most of that hour is done", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 10]), QUICK);
    const idle = { read: { read: 1_000, busy: 0.1 } };
    // 1595/s at 1000/s an instance: 2; no more than 60 % go at once: 4.
    await settled(job, idle);
    const waiting = await job.pass(1_800, idle);
    expect(waiting.nodes["read"]?.parallelism).toBe(10);
    expect(waiting.nodes["read"]?.reason).toMatch(/scale-down to 4 at most waits 1800 s more$/);
    await job.pass(600, { read: { read: 1_000, busy: 0.3 } });
    await job.pass(60, { read: { read: 1_000, busy: 0.3 } });
    const done = await job.pass(1_140, idle);
    // In between it was busier: at 333/s an instance 1595/s are 4.8 instances.
    expect(done.nodes["read"]?.parallelism).toBe(5);
  });

  test("after a rescale the window begins anew, and what waits is forgotten", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2]), QUICK);
    const doing = { read: { read: 1_000, busy: 1, lagging: 200 } };
    const grown = await settled(job, doing);
    expect(grown.carry["scalings"]).toEqual([["read", [job.at, 2, 4, 1_000, 2_000]]]);
    job.rescale(grown);
    const after = await job.pass(60, doing);
    expect(after.nodes["read"]).toEqual({ parallelism: 4, reason: "the metric window is full in 120 s" });
  });

  test("a decision that the guardrails held back is made again, and remembered once", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2]), QUICK);
    const doing = { read: { read: 1_000, busy: 1, lagging: 200 } };
    await settled(job, doing);
    const again = await job.pass(60, doing);
    expect(again.nodes["read"]?.parallelism).toBe(4);
    expect(again.carry["scalings"]).toEqual([["read", [job.at, 2, 4, 1_000, 2_000]]]);
  });

  test("a keyed vertex whose key groups nobody knows is not aligned, one whose are known is", async () => {
    const job = (known: object) => {
      const [read, count] = chain(["read", 1], ["count", 2]).nodes.map(
        ({ ceiling: _ceiling, ...node }) => node,
      );
      const nodes = [read, { ...count, ...known }] as Parameters<typeof chainOf>[0];
      return new FlinkJob(stock(module), chainOf(nodes, "HASH"), QUICK);
    };
    const doing = {
      read: { read: 1_000, written: 1_000, busy: 0.1, lagging: 200 },
      count: { read: 1_000, busy: 1 },
    };
    // 1934/s at 500/s an instance: 4 do it; of 30 key groups 5 instances have 6 each, where 4 have up to 8.
    expect((await settled(job({}), doing)).nodes["count"]?.parallelism).toBe(4);
    expect((await settled(job({ ceiling: 30 }), doing)).nodes["count"]).toMatchObject({
      parallelism: 5,
      reason: "1200/s and 20/s of lag need 1934/s of capacity, at 500/s an instance; 4 aligned to 5",
    });
  });

  test("a loop is no reason to fail: what goes round is not counted", async () => {
    const topology = chain(["read", 2], ["again", 2]);
    const looped = { ...topology, edges: [...topology.edges, { from: "again", to: "again" }] };
    const { nodes } = await settled(new FlinkJob(stock(module), looped, QUICK), {
      read: { read: 1_000, written: 1_000, busy: 1, lagging: 200 },
      again: { read: 1_500, written: 500, busy: 1 },
    });
    expect(nodes["read"]?.parallelism).toBe(4);
    expect(nodes["again"]?.parallelism).toBe(3);
  });

  test("a restart that the driver measured counts where it is asked for", async () => {
    const topology = {
      ...chain(["read", 2]),
      lastRescale: { at: "2026-11-22T09:00:00.000Z", settledAt: "2026-11-22T09:10:00.000Z" },
    };
    const tracked = { ...QUICK, "restart.time-tracking.enabled": true };
    const { analyzed } = await settled(new FlinkJob(stock(module), topology, tracked), {
      read: { read: 1_000, busy: 0.8 },
    });
    expect(analyzed).toMatchObject({ restartSeconds: 600 });
  });
});

describe("what is not known is left as it is", () => {
  test("without busy times a vertex is left out, with a line in the log", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2], ["count", 2]), QUICK);
    const doing = { read: { read: 1_000, busy: 1, lagging: 200 } };
    const { nodes, logs } = await settled(job, doing);
    expect(Object.keys(nodes)).toEqual(["read"]);
    expect(logs).toContain("warn count is left out: busyTimeMsPerSecond has no value for it");
  });

  const at = "2026-11-22T10:04:00.000Z";
  test.each([
    ["failed", { at, error: { code: "SourceUnavailable", message: "timed out" } }, " (timed out)"],
    ["has no data", { at, noData: true }, ""],
  ])(
    "a lag that %s is no lag of 0: the source and all that it feeds are left out",
    async (_, silent, why) => {
      const job = new FlinkJob(stock(module), chain(["read", 8], ["count", 8]), {
        ...QUICK,
        "scale-down.interval": "0 s",
      });
      const doing = { read: { read: 1_000, written: 1_000, busy: 0.1 }, count: { read: 1_000, busy: 0.1 } };
      await job.pass(60, doing);
      const figures = await settled(job, doing);
      expect(figures.nodes["count"]?.parallelism).toBe(4);
      const { nodes, logs } = await job.passWith({ ...job.sources(doing), pendingRecords: silent });
      expect(nodes).toEqual({});
      expect(logs).toContain(`warn read is left out: pendingRecords has no value for it${why}`);
      expect(logs).toContain("warn count is left as it is: its input is not known");
    },
  );

  test("a source that has no lag of its own lags by nothing, where others have one", async () => {
    const job = new FlinkJob(stock(module), chain(["read", 2]), QUICK);
    const doing = { read: { read: 1_000, busy: 0.8 } };
    await settled(job, doing);
    job.at += 60_000;
    const sources = { ...job.sources(doing), pendingRecords: valuesOf(sampleOf("other", 5)) };
    expect((await job.passWith(sources)).nodes["read"]?.parallelism).toBe(2);
  });

  test("what has finished and what is excluded stays, and says so", async () => {
    const topology = chain(["read", 2], ["count", 4], ["done", 1]);
    const nodes = topology.nodes.map((node) =>
      node.name === "done" ? { ...node, attributes: { status: "FINISHED" } } : node,
    );
    const config = { ...QUICK, "vertex.exclude.ids": ["count"] };
    const passed = await settled(new FlinkJob(stock(module), { ...topology, nodes }, config), {
      read: { read: 1_000, written: 500, busy: 1, lagging: 200 },
      count: { read: 500, busy: 1 },
    });
    expect(passed.nodes).toMatchObject({
      read: { parallelism: 4 },
      count: { parallelism: 4, reason: "vertex.exclude.ids names it" },
      done: { parallelism: 1, reason: "it has finished" },
    });
  });
});

describe("what is remembered", () => {
  const doing = (count: number) =>
    Object.fromEntries(
      many(count).nodes.map(({ name }) => [name, { read: 98_765.4, written: 98_765.4, busy: 0.123 }]),
    );

  test.each([5, 20, 100])(
    "of %i vertices over 20 minutes fits into the 16 KiB of a carry",
    async (count) => {
      const job = new FlinkJob(stock(module), many(count), {
        "stabilization.interval": "0 s",
        "metrics.window": "10 min",
      });
      let last = await job.pass(30, doing(count));
      for (let i = 0; i < 40; i++) last = await job.pass(30, doing(count));
      expect(JSON.stringify(last.carry).length).toBeLessThan(16_384);
      // Where there is no room for every sample some stand for several; the mean and the rate stay what they are.
      const { vertices } = last.analyzed as { vertices: Record<string, object> };
      expect(vertices["operator-0"]).toMatchObject({
        load: 0.123,
        targetRate: 98_765.4,
        trueRate: 802_970.732,
      });
      expect(last.nodes["operator-0"]?.reason).toMatch(/^98765\.4\/s need/);
    },
    60_000,
  );
});
