import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "../../host/loop/index.ts";
import type { Policy } from "../../host/policy/index.ts";
import { diesAt } from "../crash-bed.ts";
import { flinkDriverAt, flinkPolicy, settled, told } from "../flink-bed.ts";
import { realFlink, type FlinkWorld } from "../flink-world.ts";

const world = await realFlink();

describe.skipIf(world === undefined)(
  "an operator that dies while it scales a real Flink and its TaskManagers",
  { timeout: 600_000 },
  () => {
    let flink: FlinkWorld;
    let driver: Driver;
    let clicks: Policy;
    let job: string;
    beforeAll(async () => {
      flink = await (world as NonNullable<typeof world>)({ replicas: 1 });
      ({ driver } = flinkDriverAt(() => flink.url, flink.cluster, 20_000));
      job = await flink.start({ name: "clicks", perSecond: 50 });
      const ref = { apiVersion: "apps/v1", kind: "Deployment", name: "taskmanager" };
      const taskManagers = { ref, slotsPerPod: 2, slotMode: "Shared" } as const;
      clicks = flinkPolicy({ taskManagers }, { namespace: flink.namespace });
      await settled(driver, clicks);
    }, 120_000);
    afterAll(() => flink?.[Symbol.asyncDispose]());

    /** What is found when all is settled, and how often the job was restarted since. */
    async function dies(step: number, work: number, before: number) {
      const after = await diesAt(step, {
        ...{ policy: clicks, driver },
        wants: { work },
      });
      await settled(driver, clicks);
      const found = {
        work: await flink.parallelism(job, "work"),
        taskManagers: await flink.replicas(),
        restarts: (await flink.restarts(job)) - before,
      };
      return { found, survived: after.survived };
    }

    test("is followed by one that finishes it: at every step, up and down, one restart", async () => {
      let steps = { up: 0, down: 0 };
      for (let step = 1, isOver = false; !isOver; step += 1) {
        const first = await flink.restarts(job);
        const up = await dies(step, 4, first);
        expect(up.found, `up, step ${step}`).toEqual({ work: 4, taskManagers: 2, restarts: 1 });
        const down = await dies(step, 1, first + 1);
        expect(down.found, `down, step ${step}`).toEqual({ work: 1, taskManagers: 1, restarts: 1 });
        steps = {
          up: up.survived ? steps.up : step,
          down: down.survived ? steps.down : step,
        };
        isOver = up.survived && down.survived;
      }
      told(`died at ${steps.up} steps on the way up, and at ${steps.down} down`);
      // Up: the TaskManagers and the job are written; the decision, its outcome and the quiet pass are remembered.
      expect(steps.up).toBeGreaterThanOrEqual(2 + 2 * 2);
      // Down: the job, a mark on a pod, and the TaskManagers.
      expect(steps.down).toBeGreaterThanOrEqual(3 + 2 * 2);
    });
  },
);
