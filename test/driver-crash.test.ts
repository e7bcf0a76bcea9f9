import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobsDriver, kafkaStreamsDriver, kubernetesDriver } from "../host/driver/index.ts";
import type { Kafka } from "../host/kafka/index.ts";
import type { Driver } from "../host/loop/index.ts";
import type { Policy, TargetNode } from "../host/policy/index.ts";
import { guardrails, policy } from "./builders.ts";
import { diesAt, type Aftermath, type Scene } from "./crash-bed.ts";
import { POD, RULES as JOB_RULES } from "./jobs-template.ts";
import { allow, bed, deployment, expectStatus, SCALER_RULES, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";

const GI = 2 ** 30;
const RULES = [...SCALER_RULES, { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] }];
let ground: Bed;
beforeAll(async () => {
  const world = await sharedCluster();
  ground = await bed(world.kubeconfig);
  await world.applyNode("crash-node");
});
afterAll(() => ground[Symbol.asyncDispose]());

const target = (name: string, to: readonly string[] = []): TargetNode => ({
  ...{ name, to, ref: { apiVersion: "apps/v1", kind: "Deployment", name } },
  ...{ bounds: { min: 1, max: 10 }, attributes: {} },
});

/** Deployments in a namespace of their own, and an account that scales them. */
async function deployments(replicas: Readonly<Record<string, number>>) {
  const namespace = await ground.namespace();
  await allow(ground, namespace, "scaler", RULES);
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  for (const [name, count] of Object.entries(replicas))
    await expectStatus(ground.admin("POST", path, deployment(name, count)), 201);
  return {
    namespace,
    /** What each is asked for now, and how often its spec was written. */
    found: async () => {
      const all = Object.keys(replicas).map(async (name) => {
        const { spec, metadata } = await expectStatus(ground.admin("GET", `${path}/${name}`), 200);
        return [name, [spec?.["replicas"], Number(metadata?.["generation"]) - 1]] as const;
      });
      return Object.fromEntries(await Promise.all(all));
    },
  };
}

/** Dies at every step there is, one after the other, each time somewhere else. Returns how many there were. */
async function everyStep(
  stage: () => Promise<{ scene: Scene; check: (after: Aftermath) => Promise<void> }>,
): Promise<number> {
  for (let step = 1; ; step += 1) {
    const { scene, check } = await stage();
    const after = await diesAt(step, scene);
    await check(after);
    // What was decided before it was dead was decided once.
    const made = after.passes.filter(({ decision }) => (decision?.changes.length ?? 0) > 0);
    expect(new Set(made.map(({ id }) => id)).size, `step ${step}`).toBe(1);
    if (after.survived) return step - 1;
  }
}

describe("an operator that dies at any step of a decision", { timeout: 180_000 }, () => {
  test("on objects with a scale: every number and every resource is written, each once", async () => {
    const rails = guardrails({
      resources: { bounds: { memory: { min: GI, max: 4 * GI } }, tolerance: 0, cooldownSeconds: 0 },
    });
    const steps = await everyStep(async () => {
      const { namespace, found } = await deployments({ read: 1, work: 1, write: 4 });
      const nodes = [target("read", ["work"]), target("work", ["write"]), target("write")];
      return {
        scene: {
          policy: policy({ namespace, nodes, guardrails: rails }),
          driver: kubernetesDriver(ground.connect()),
          wants: { read: 2, work: { parallelism: 3, resources: { memory: "2Gi" } }, write: 2 },
        },
        check: async ({ permitted }) => {
          // The resources and the number of `work` are two writes of its spec.
          expect(await found()).toEqual({ read: [2, 1], work: [3, 2], write: [2, 1] });
          expect(permitted).toBeGreaterThanOrEqual(4);
        },
      };
    });
    // Four writes; the decision, what became of each of three nodes, and the quiet pass are remembered.
    expect(steps).toBeGreaterThanOrEqual(4 + 2 * 4);
  });

  test("on applications of Kafka Streams: every application is written once, in instances", async () => {
    const steps = await everyStep(async () => {
      const { namespace, found } = await deployments({ count: 1, join: 3 });
      const application = (name: string, threadsPerInstance: number) => ({
        ...{ name, applicationId: name, bootstrap: [], credential: undefined, tls: undefined },
        ...{ threadsPerInstance, subtopologies: [] },
      });
      return {
        scene: {
          policy: policy({
            ...{ namespace, nodes: [target("count", ["join"]), target("join")] },
            target: { kind: "kafkaStreams", applications: [application("count", 2), application("join", 1)] },
          }),
          driver: kafkaStreamsDriver(kubernetesDriver(ground.connect()), quietKafka),
          wants: { count: 5, join: 2 },
        },
        // Five threads are three instances of two.
        check: async () => expect(await found()).toEqual({ count: [3, 1], join: [2, 1] }),
      };
    });
    expect(steps).toBeGreaterThanOrEqual(2 + 2 * 3);
  });

  test("on jobs: as many are made as were decided on, and none twice", async () => {
    const steps = await everyStep(async () => {
      const { scene, jobs } = await jobsScene();
      return {
        scene,
        check: async ({ permitted }) => {
          expect(await jobs()).toBe(3);
          expect(permitted).toBe(3);
        },
      };
    });
    expect(steps).toBeGreaterThanOrEqual(3 + 2 * 2);
  });
});

/** Applications that Kafka knows nothing of yet: what is settled is not asked here. */
const quietKafka: Kafka = {
  cluster: async () =>
    Promise.resolve({
      group: () => Promise.resolve({ state: "Stable", members: [] }),
      committed: () => Promise.resolve(new Map()),
      partitions: () => Promise.resolve([]),
      offsets: () => Promise.resolve(new Map()),
    } as never),
  connections: 0,
  close: () => undefined,
};

/** A template of which work of three is to make three jobs. */
async function jobsScene(): Promise<{ scene: Scene; jobs: () => Promise<number> }> {
  const namespace = await ground.namespace();
  await allow(ground, namespace, "scaler", JOB_RULES);
  const path = `/apis/batch/v1/namespaces/${namespace}`;
  const spec = { schedule: "0 0 31 2 *", suspend: true, jobTemplate: { spec: { template: POD } } };
  const made = { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "work" }, spec };
  await expectStatus(ground.admin("POST", `${path}/cronjobs`, made), 201);
  const node = { ...target("work"), ref: { apiVersion: "batch/v1", kind: "CronJob", name: "work" } };
  const own: Policy = policy({
    ...{ namespace, uid: `uid-${namespace}`, nodes: [{ ...node, bounds: { min: 0, max: 10 } }] },
    target: {
      ...{ kind: "jobs", strategy: "Default", custom: undefined, rollout: "Gradual" },
      ...{ pendingPodConditions: [], history: { succeeded: 100, failed: 100 } },
    },
  });
  const driver: Driver = jobsDriver(ground.connect());
  return {
    scene: { policy: own, driver, wants: { work: 3 } },
    jobs: async () => {
      const { items = [] } = await expectStatus(ground.admin("GET", `${path}/jobs`), 200);
      return items.length;
    },
  };
}
