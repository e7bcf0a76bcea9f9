import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { guardrails } from "./builders.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, nodeOf, settled, told } from "./flink-bed.ts";
import { realFlink, type FlinkWorld } from "./flink-world.ts";
import { allow, bed, expectStatus, SCALER_RULES, until, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";

const world = await realFlink();
const MI = 2 ** 20;

/** What a JobManager says of its TaskManagers' memory. */
interface TaskManagers {
  readonly taskmanagers: readonly { readonly memoryConfiguration: { readonly totalProcessMemory: number } }[];
}

describe.skipIf(world === undefined)(
  "TaskManagers that are told by their pods how much memory they have",
  { timeout: 120_000 },
  () => {
    let flink: FlinkWorld;
    let ground: Bed;
    let driver: Driver;
    let clicks: Policy;
    let job: string;
    const memory = async () => {
      const { taskmanagers } = (await flink.rest("GET", "/taskmanagers")) as TaskManagers;
      return taskmanagers.map((one) => one.memoryConfiguration.totalProcessMemory / MI);
    };
    beforeAll(async () => {
      flink = await (world as NonNullable<typeof world>)({ replicas: 1 });
      const { namespace } = flink;
      ground = await bed((await sharedCluster()).kubeconfig);
      const rules = [
        ...SCALER_RULES,
        { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] },
        { apiGroups: [""], resources: ["pods"], verbs: ["list", "patch"] },
      ];
      await allow(ground, namespace, "shaper", rules);
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/taskmanager`;
      const main = { name: "main", image: "localhost/none", resources: { requests: { memory: "432Mi" } } };
      const template = { spec: { containers: [main] } };
      // All at once: one by one each would restart the job.
      const strategy = { type: "Recreate", rollingUpdate: null };
      await expectStatus(ground.admin("PATCH", path, { spec: { strategy, template } }), 200);
      ({ driver } = flinkDriverAt(() => flink.url, flink.cluster, 30_000));
      const taskManagers = {
        ...{ ref: { apiVersion: "apps/v1", kind: "Deployment", name: "taskmanager" } },
        slotsPerPod: 2,
        slotMode: "Shared" as const,
      };
      const bounds = { memory: { min: 256 * MI, max: 1_024 * MI } };
      const resources = { bounds, tolerance: 0, cooldownSeconds: 0 };
      clicks = flinkPolicy(
        { taskManagers },
        { namespace, serviceAccountName: "shaper", guardrails: guardrails({ resources }) },
      );
      await until(async () => (await memory()).length === 1, "a TaskManager has joined");
      job = await flink.start({ name: "clicks", perSecond: 50 });
      await settled(driver, clicks);
    });
    afterAll(async () => {
      await ground?.[Symbol.asyncDispose]();
      await flink?.[Symbol.asyncDispose]();
    });

    test("are replaced by others of the memory that was granted, and the job goes on there", async () => {
      const found = await driver.discover(clicks);
      expect(nodeOf(found, "work")).toMatchObject({
        resources: { memory: 432 * MI },
        adjustable: ["cpu", "memory"],
      });
      const reshape = { from: { memory: 432 * MI }, to: { memory: 560 * MI } };
      const before = await flink.restarts(job);
      const beganMs = performance.now();
      const one = { ...change(found, "work", nodeOf(found, "work").parallelism), resources: reshape };
      expect(await driver.scale(clicks, [one], anybody)).toEqual([{ node: "work", outcome: "Scaled" }]);
      await expect.poll(memory, { timeout: 90_000, interval: 500 }).toEqual([560]);
      const after = await settled(driver, clicks);
      expect(nodeOf(after, "source-numbers").resources).toEqual({ memory: 560 * MI });
      const restarts = (await flink.restarts(job)) - before;
      told(
        `settled on other TaskManagers ${Math.round(performance.now() - beganMs)} ms after the decision, ${restarts} restarts`,
      );
      expect(restarts).toBeGreaterThanOrEqual(1);
      const never = () => expect.fail("what is there already is not written");
      expect(await driver.scale(clicks, [one], never)).toEqual([{ node: "work", outcome: "Scaled" }]);
    });
  },
);

test("vertices share their TaskManagers: each that wants some of their resources wants the most that any does", async () => {
  const { driver } = flinkDriverAt(() => new URL("http://127.0.0.1:1"), undefined as never);
  const wanted = [
    { node: "in", parallelism: 1, resources: { cpu: 2, memory: 100 } },
    { node: "work", parallelism: 4, resources: { memory: 300 } },
    { node: "out", parallelism: 1 },
  ];
  expect(driver.meant?.(flinkPolicy(), { nodes: [], edges: [] }, wanted)).toEqual([
    { node: "in", parallelism: 1, resources: { cpu: 2, memory: 300 } },
    { node: "work", parallelism: 4, resources: { cpu: 2, memory: 300 } },
    { node: "out", parallelism: 1 },
  ]);
});
