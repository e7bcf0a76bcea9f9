import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, nodeOf, settled, told } from "./flink-bed.ts";
import { realFlink, type FlinkWorld } from "./flink-world.ts";
import { until } from "./kube/bed.ts";

const world = await realFlink();

/** What a JobManager says of its jobs. */
interface Overview {
  readonly jobs: readonly { readonly jid: string; readonly state: string }[];
}

describe.skipIf(world === undefined)(
  "a job in reactive mode, which takes every slot there is",
  { timeout: 120_000 },
  () => {
    let flink: FlinkWorld;
    let driver: Driver;
    let clicks: Policy;
    let job: string;
    const taskManagers = {
      ref: { apiVersion: "apps/v1", kind: "Deployment", name: "taskmanager" },
      slotsPerPod: 2,
      slotMode: "Shared" as const,
    };
    const running = async () => {
      const { jobs } = (await flink.rest("GET", "/jobs/overview")) as Overview;
      return jobs.find(({ state }) => state === "RUNNING")?.jid;
    };
    beforeAll(async () => {
      flink = await (world as NonNullable<typeof world>)({
        replicas: 1,
        flink: { config: { "scheduler-mode": "reactive" }, application: { name: "clicks", perSecond: 50 } },
      });
      ({ driver } = flinkDriverAt(() => flink.url, flink.cluster, 20_000));
      clicks = flinkPolicy({ taskManagers }, { namespace: flink.namespace });
      await until(async () => (await running()) !== undefined, "the job runs");
      job = (await running()) ?? "";
    }, 120_000);
    afterAll(() => flink?.[Symbol.asyncDispose]());

    test("has the same number everywhere, in whole TaskManagers, and is given more and less of them", async () => {
      const found = await settled(driver, clicks);
      expect(found.nodes.map(({ parallelism, ready, unit }) => [parallelism, ready, unit])).toEqual([
        [2, 2, 2],
        [2, 2, 2],
        [2, 2, 2],
      ]);
      // The source wants one and the work three: all get two TaskManagers, which are four.
      const wanted = [
        { node: "source-numbers", parallelism: 1 },
        { node: "work", parallelism: 3 },
      ];
      const joint = driver.meant?.(clicks, found, wanted) ?? [];
      expect(joint.map(({ node, parallelism }) => [node, parallelism])).toEqual(
        found.nodes.map(({ name }) => [name, 3]),
      );
      const beganMs = performance.now();
      const changes = joint.map(({ node }) => change(found, node, 4));
      expect(await driver.scale(clicks, changes, anybody)).toEqual(
        joint.map(({ node }) => ({ node, outcome: "Scaled" })),
      );
      const grown = await settled(driver, clicks);
      expect(grown.nodes.map(({ ready }) => ready)).toEqual([4, 4, 4]);
      expect(await flink.replicas()).toBe(2);
      const upMs = Math.round(performance.now() - beganMs);

      const less = grown.nodes.map(({ name }) => change(grown, name, 2));
      await driver.scale(clicks, less, anybody);
      const shrunk = await settled(driver, clicks);
      expect(shrunk.nodes.map(({ ready }) => ready)).toEqual([2, 2, 2]);
      expect(await flink.replicas()).toBe(1);
      told(
        `reactive: settled ${upMs} ms up, ${Math.round(performance.now() - beganMs - upMs)} ms down, ${await flink.restarts(job)} restarts`,
      );
    });

    test("is given what the most wanting vertex wants, and says what the others got", async () => {
      const found = await settled(driver, clicks);
      const outcome = await driver.scale(clicks, [change(found, "source-numbers", 1)], anybody);
      // The others still have two.
      expect(outcome).toEqual([{ node: "source-numbers", outcome: "Scaled", granted: 2 }]);
      expect(await flink.replicas()).toBe(1);
    });

    test("is nobody's to scale whose TaskManagers the policy does not name", async () => {
      const unnamed = flinkPolicy({}, { namespace: flink.namespace });
      await expect(driver.discover(unnamed)).rejects.toMatchObject({
        code: "TargetUnsuitable",
        field: "spec.target.flink.taskManagers",
      });
    });

    test("stays inside everybody's bounds", async () => {
      const vertices = [
        { name: "work", match: { name: "work" }, bounds: { min: 1, max: 6 } },
        { name: "sink", match: { name: "sink: Writer" }, bounds: { min: 1, max: 3 } },
      ];
      const found = await driver.discover(
        flinkPolicy({ taskManagers, vertices }, { namespace: flink.namespace }),
      );
      expect(nodeOf(found, "work")).toMatchObject({ min: 1, max: 3, ceiling: 128 });
    });
  },
);
