import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { flinkSource } from "../host/source/index.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, nodeOf, settled, told } from "./flink-bed.ts";
import { realFlink, type FlinkWorld } from "./flink-world.ts";

const world = await realFlink();

describe.skipIf(world === undefined)("a job on a real Flink", { timeout: 120_000 }, () => {
  let flink: FlinkWorld;
  let reached: ReturnType<typeof flinkDriverAt>;
  let driver: Driver;
  let job: string;
  let clicks: Policy;
  beforeAll(async () => {
    flink = await (world as NonNullable<typeof world>)({ replicas: 2 });
    reached = flinkDriverAt(() => flink.url, flink.cluster);
    ({ driver } = reached);
    job = await flink.start({ name: "clicks", perSecond: 50 });
    clicks = flinkPolicy({ job: { name: "clicks" } });
  });
  afterAll(() => flink?.[Symbol.asyncDispose]());
  const scale = async (policy: Policy, wants: Record<string, number>) => {
    const found = await driver.discover(policy);
    const changes = Object.entries(wants).map(([node, to]) => change(found, node, to));
    return driver.scale(policy, changes, anybody);
  };

  test("is found with its vertices, what joins them, and how wide they can be", async () => {
    const found = await settled(driver, clicks);
    const common = { kind: "Vertex", parallelism: 1, ready: 1, min: 1, max: 16, ceiling: 128, settled: true };
    expect(found.nodes).toMatchObject([
      { name: "source-numbers", ...common, slotGroup: "group-1", revision: job },
      { name: "work", ...common, alignTo: 128, slotGroup: "group-1", revision: job },
      { name: "sink-writer", ...common, slotGroup: "group-1", revision: job },
    ]);
    expect(found.nodes.map(({ attributes }) => attributes["vertexName"])).toEqual([
      "Source: numbers",
      "work",
      "sink: Writer",
    ]);
    expect(found.edges).toEqual([
      { from: "source-numbers", to: "work", shipStrategy: "HASH" },
      { from: "work", to: "sink-writer", shipStrategy: "FORWARD" },
    ]);
    expect(found.slots).toEqual({ total: 4, free: 3 });
    expect(Date.parse(found.runningSince ?? "")).toBeLessThan(Date.now());
  });

  test("has nodes named and bounded by the policy, matched by uid or by the name that Flink shows", async () => {
    const bounds = { min: 2, max: 5 };
    const vertices = [
      { name: "in", match: { uid: "numbers" }, bounds },
      { name: "out", match: { name: "sink: Writer" }, bounds },
    ];
    const { nodes } = await driver.discover(flinkPolicy({ vertices }));
    expect(nodes.map(({ name, min, max }) => [name, min, max])).toEqual([
      ["in", 2, 5],
      ["work", 1, 16],
      ["out", 2, 5],
    ]);
    await expect(
      driver.discover(flinkPolicy({ vertices: [{ name: "in", match: { uid: "nobody" }, bounds }] })),
    ).rejects.toMatchObject({ code: "TargetNotFound", field: "spec.target.flink.nodes[0].match" });
  });

  test("is given more by one restart, and less by another; what it has already is not asked again", async () => {
    const before = await flink.restarts(job);
    const beganMs = performance.now();
    expect(await scale(clicks, { work: 3, "sink-writer": 2 })).toEqual([
      { node: "work", outcome: "Scaled" },
      { node: "sink-writer", outcome: "Scaled" },
    ]);
    const grown = await settled(driver, clicks);
    const upMs = Math.round(performance.now() - beganMs);
    expect(grown.nodes.map(({ parallelism, ready }) => [parallelism, ready])).toEqual([
      [1, 1],
      [3, 3],
      [2, 2],
    ]);
    // The lower bounds stay what they were: fewer slots make the job slower, and do not end it.
    expect(await flink.bounds(job, "work")).toEqual({ lowerBound: 1, upperBound: 3 });
    expect(await flink.restarts(job)).toBe(before + 1);

    const again = [{ node: "work", from: 1, to: 3, revision: job }];
    const never = () => expect.fail("nothing is to be written");
    expect(await driver.scale(clicks, again, never)).toEqual([{ node: "work", outcome: "Scaled" }]);

    const downMs = performance.now();
    await scale(clicks, { work: 1, "sink-writer": 1 });
    const shrunk = await settled(driver, clicks);
    told(`settled after ${upMs} ms on the way up, ${Math.round(performance.now() - downMs)} ms down`);
    expect(shrunk.nodes.map(({ ready }) => ready)).toEqual([1, 1, 1]);
    expect(await flink.restarts(job)).toBe(before + 2);
  });

  test("says how busy its vertices are and what they read, a few moments after it starts", async () => {
    const metrics = ["busyTimeMsPerSecond", "numRecordsIn"];
    const source = { name: "figures", kind: "flink", metrics, timeoutMs: 5_000 } as const;
    const read = () =>
      flinkSource(reached.jobManagers)(clicks, source, new Date(), AbortSignal.timeout(5_000));
    const figure = async (metric: string) => {
      const seen = await read();
      const series = "series" in seen ? seen.series : [];
      return series.find(({ node, labels }) => node === "work" && labels["metric"] === metric)?.value ?? 0;
    };
    // Fifty records a second, of five milliseconds each: a quarter of its time.
    // Flink means a rate over the last minute, so after a restart that one takes a minute to be right.
    const A_MINUTE = { timeout: 60_000, interval: 500 };
    await expect.poll(() => figure("numRecordsIn"), A_MINUTE).toBeGreaterThan(200);
    // In its first seconds Flink has a task busy all the time that it was not seen idle.
    await expect
      .poll(() => figure("busyTimeMsPerSecond"), A_MINUTE)
      .toSatisfy((busy: number) => busy > 100 && busy < 900);
  });

  test("of several is found by its name or id; without either, it has to be the only one", async () => {
    const other = await flink.start({ name: "views" });
    const byId = await driver.discover(flinkPolicy({ job: { id: other } }));
    expect(byId.nodes[0]?.revision).toBe(other);
    expect((await driver.discover(clicks)).nodes[0]?.revision).toBe(job);
    await expect(driver.discover(flinkPolicy())).rejects.toMatchObject({
      code: "TargetNotFound",
      message: "2 jobs run, and a policy scales one",
    });
    await flink.cancel(other);
    expect((await driver.discover(flinkPolicy())).nodes[0]?.revision).toBe(job);
    await expect(driver.discover(flinkPolicy({ job: { id: other } }))).rejects.toMatchObject({
      code: "TargetNotFound",
      message: "The job views is CANCELED",
    });
  });

  test("that is started anew has the same nodes, and takes no decision that was made on the old one", async () => {
    const found = await driver.discover(clicks);
    await flink.cancel(job);
    await expect(driver.discover(clicks)).rejects.toMatchObject({ code: "TargetNotFound" });
    job = await flink.start({ name: "clicks", perSecond: 50 });
    const anew = await driver.discover(clicks);
    expect(anew.nodes.map(({ name }) => name)).toEqual(found.nodes.map(({ name }) => name));
    expect(nodeOf(anew, "work").revision).toBe(job);
    const late = await driver.scale(clicks, [change(found, "work", 2)], anybody);
    expect(late).toMatchObject([{ node: "work", outcome: "Failed", code: "Conflict" }]);
    expect(await flink.bounds(job, "work")).toEqual({ lowerBound: 1, upperBound: 1 });
  });

  test("whose JobManager is down is not there to be scaled; it is again when that is back", async () => {
    const found = await driver.discover(clicks);
    await flink.killJobManager();
    await expect(driver.discover(clicks)).rejects.toMatchObject({ code: "TargetUnavailable", retry: true });
    const outcome = await driver.scale(clicks, [change(found, "work", 2)], anybody);
    expect(outcome).toMatchObject([{ node: "work", outcome: "Failed", code: "TargetUnavailable" }]);
    await flink.startJobManager();
    job = await flink.start({ name: "clicks" });
    expect((await settled(driver, clicks)).nodes).toHaveLength(3);
  });
});
