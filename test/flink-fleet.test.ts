import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import type { Driver } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, nodeOf, settled, told } from "./flink-bed.ts";
import { realFlink, type FlinkWorld } from "./flink-world.ts";

const world = await realFlink();

describe.skipIf(world === undefined)(
  "TaskManagers that are pods of a Deployment, of two slots each",
  { timeout: 120_000 },
  () => {
    let flink: FlinkWorld;
    let driver: Driver;
    let job: string;
    let clicks: Policy;
    const ref = { apiVersion: "apps/v1", kind: "Deployment", name: "taskmanager" };
    beforeAll(async () => {
      flink = await (world as NonNullable<typeof world>)({ replicas: 1 });
      ({ driver } = flinkDriverAt(() => flink.url, flink.cluster, 15_000));
      job = await flink.start({ name: "clicks", perSecond: 50 });
      const taskManagers = { ref, slotsPerPod: 2, slotMode: "Shared" } as const;
      clicks = flinkPolicy({ taskManagers }, { namespace: flink.namespace });
    });
    afterAll(() => flink?.[Symbol.asyncDispose]());
    const scaleTo = async (by: Driver, to: number) =>
      by.scale(clicks, [change(await by.discover(clicks), "work", to)], anybody);

    test("come before the job needs them, and only idle ones go when it does no longer: one restart each way", async () => {
      const before = await flink.restarts(job);
      expect(await flink.replicas()).toBe(1);
      const beganMs = performance.now();
      expect(await scaleTo(driver, 4)).toEqual([{ node: "work", outcome: "Scaled" }]);
      const grown = await settled(driver, clicks);
      const upMs = Math.round(performance.now() - beganMs);
      expect(nodeOf(grown, "work")).toMatchObject({ parallelism: 4, ready: 4 });
      expect(grown.slots).toEqual({ total: 4, free: 0 });
      expect(await flink.replicas()).toBe(2);
      expect(await flink.restarts(job)).toBe(before + 1);

      const downMs = performance.now();
      expect(await scaleTo(driver, 2)).toEqual([{ node: "work", outcome: "Scaled" }]);
      told(`settled ${upMs} ms up with a new TaskManager, ${Math.round(performance.now() - downMs)} ms down`);
      expect(await flink.replicas()).toBe(1);
      await expect.poll(() => flink.pods()).toHaveLength(1);
      // The one that stayed is the one that works: the job never noticed.
      const shrunk = await settled(driver, clicks);
      expect(shrunk.nodes.map(({ ready }) => ready)).toEqual([1, 2, 1]);
      expect(await flink.restarts(job)).toBe(before + 2);
    });

    test("whose slots never come leave the job as it is; it is given more as soon as they are there", async () => {
      const impatient = flinkDriverAt(() => flink.url, flink.cluster, 500).driver;
      const before = await flink.restarts(job);
      flink.node.hold(true);
      const first = await scaleTo(impatient, 4);
      expect(first).toMatchObject([{ node: "work", outcome: "Failed", code: "TargetUnavailable" }]);
      expect(first[0]).toHaveProperty(
        "message",
        expect.stringContaining("4 slots are needed and 2 are there"),
      );
      expect(await flink.bounds(job, "work")).toEqual({ lowerBound: 1, upperBound: 2 });
      // Again and again: the Deployment has been asked once.
      await scaleTo(impatient, 4);
      expect(await flink.replicas()).toBe(2);
      expect(await flink.restarts(job)).toBe(before);

      flink.node.hold(false);
      expect(await scaleTo(driver, 4)).toEqual([{ node: "work", outcome: "Scaled" }]);
      expect(nodeOf(await settled(driver, clicks), "work").ready).toBe(4);
      expect(await flink.restarts(job)).toBe(before + 1);
    });

    test("that one goes on from where another was cut off: what is asked for already, and too many TaskManagers", async () => {
      const found = await driver.discover(clicks);
      const one = change(found, "work", 1);
      let asked = 0;
      // The right to write is lost after the job was told.
      const gone = new Fault("NotLeader", "another replica may write");
      const outcome = await driver.scale(clicks, [one], () => ((asked += 1) === 1 ? undefined : gone));
      expect(outcome).toMatchObject([{ outcome: "Failed", code: "NotLeader" }]);
      await settled(driver, clicks);
      expect(await flink.replicas()).toBe(2);
      const before = await flink.restarts(job);
      expect(await driver.scale(clicks, [one], anybody)).toEqual([{ node: "work", outcome: "Scaled" }]);
      expect(await flink.replicas()).toBe(1);
      expect(await flink.restarts(job)).toBe(before);
    });
  },
);
