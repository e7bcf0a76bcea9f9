import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobsDriver, kubernetesDriver } from "../host/driver/index.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import type { Cluster as KubeCluster } from "../host/kube/index.ts";
import type { Driver } from "../host/loop/index.ts";
import type { Policy, TargetNode } from "../host/policy/index.ts";
import { guardrails, policy } from "./builders.ts";
import { POD, RULES as JOB_RULES } from "./jobs-template.ts";
import { allow, bed, deployment, expectStatus, SCALER_RULES, until, type Bed } from "./kube/bed.ts";
import { passesOf } from "./passes.ts";
import { sharedCluster, type Cluster } from "./world/index.ts";

let world: Cluster;
let ground: Bed;
beforeAll(async () => {
  world = await sharedCluster();
  ground = await bed(world.kubeconfig);
  await world.applyNode("faults-node");
});
afterAll(() => ground[Symbol.asyncDispose]());

const RULES = [...SCALER_RULES, { apiGroups: [""], resources: ["events"], verbs: ["list"] }];
const target = (kind: string, apiVersion = "apps/v1"): TargetNode => ({
  ...{ name: "work", to: [], ref: { apiVersion, kind, name: "work" } },
  ...{ bounds: { min: 0, max: 20 }, attributes: {} },
});

/** Passes that want so many of the only node. */
function scaling(own: Policy, driver: Driver) {
  const { clock, pass } = passesOf(own, driver);
  return { clock, pass: (work: number, afterMs?: number) => pass({ work }, afterMs) };
}

async function namespaceWith(rules: typeof RULES) {
  const namespace = await ground.namespace();
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await until(async () => (await ground.admin("GET", accounts)).status === 200, "the default account");
  await allow(ground, namespace, "scaler", rules);
  return namespace;
}

/** A quota, as soon as it is known. */
async function quota(namespace: string, hard: Readonly<Record<string, string>>) {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
  await expectStatus(ground.admin("POST", path, { metadata: { name: "few" }, spec: { hard } }), 201);
  await until(async () => {
    const { body } = await ground.admin("GET", `${path}/few`);
    return JSON.stringify(body["status"]?.["hard"]) === JSON.stringify(hard);
  }, "the quota is known");
  return () => expectStatus(ground.admin("DELETE", `${path}/few`), 200);
}

interface Given {
  readonly kind?: "Deployment" | "StatefulSet";
  readonly replicas?: number;
  readonly nodeSelector?: object;
  readonly rest?: Partial<Policy>;
  readonly cluster?: (real: KubeCluster) => KubeCluster;
}

/** An object called `work`, and a policy that scales it. */
async function stage({ kind = "Deployment", replicas = 2, nodeSelector, rest, cluster }: Given = {}) {
  const namespace = await namespaceWith(RULES);
  const path = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  const { metadata, spec } = deployment("work", replicas);
  const pod = { ...spec.template.spec, ...(nodeSelector && { nodeSelector }) };
  const template = { ...spec.template, spec: pod };
  await expectStatus(ground.admin("POST", path, { metadata, spec: { ...spec, template } }), 201);
  const real = ground.connect();
  const driver = kubernetesDriver(cluster?.(real) ?? real);
  const own = policy({ namespace, nodes: [target(kind)], ...rest });
  const read = () => expectStatus(ground.admin("GET", `${path}/work`), 200);
  return {
    ...{ namespace, path, ...scaling(own, driver) },
    replicas: async () => (await read())["spec"]?.["replicas"],
    /** How often its spec was written since it was made. */
    written: async () => Number((await read())["metadata"]?.["generation"]) - 1,
  };
}

const hold = { timeoutSeconds: 60, onFailure: "Hold" } as const;
const rollback = { timeoutSeconds: 60, onFailure: "Rollback" } as const;
const stateOf = ({ followed }: Iteration) => followed?.[0]?.state;

describe("an object with a scale", { timeout: 60_000 }, () => {
  test("whose pods are stuck is written once, says so when its time is over, and serves when they can run", async () => {
    const label = `stuck-${Date.now()}`;
    const { pass, written } = await stage({
      ...{ kind: "StatefulSet", nodeSelector: { for: label }, rest: { settle: hold } },
    });
    await pass(5);
    for (let second = 0; second < 50; second += 10) expect(stateOf(await pass(5, 10_000))).toBe("Settling");
    expect(stateOf(await pass(5, 20_000))).toBe("Late");
    for (let again = 0; again < 5; again += 1) expect(stateOf(await pass(5, 15_000))).toBe("Late");
    expect(await written()).toBe(1);
    await world.applyNode(`node-${label}`, { labels: { for: label } });
    await until(async () => stateOf(await pass(5, 1_000)) === "Settled", "all serve");
    expect(await written()).toBe(1);
  });

  test("whose pods are stuck is taken back once where that is wanted, and not tried again for ten minutes", async () => {
    const { pass, written, replicas } = await stage({
      ...{ kind: "StatefulSet", nodeSelector: { for: "nobody" }, rest: { settle: rollback } },
    });
    await pass(5);
    const seen: unknown[] = [];
    for (let minute = 0; minute < 11; minute += 1) {
      await pass(5, 61_000);
      seen.push(await replicas());
    }
    // Back in the first minute, and one more try when the ten are over.
    expect(seen).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 5]);
    expect(await written()).toBe(3);
  });

  test("whose pods a quota forbids is written once; as soon as the quota is gone they are there", async () => {
    const { namespace, pass, written } = await stage({ replicas: 1, rest: { settle: hold } });
    const lift = await quota(namespace, { pods: "1" });
    await pass(4);
    let last: Iteration | undefined;
    await until(async () => {
      last = await pass(4, 1_000);
      return last.followed?.[0]?.trouble?.code === "QuotaExceeded";
    }, "it is said why");
    for (let again = 0; again < 10; again += 1) await pass(4, 1_000);
    expect(await written()).toBe(1);
    await lift();
    await until(async () => stateOf(await pass(4)) === "Settled", "all serve");
    expect(await written()).toBe(1);
  }, 120_000);

  test("that somebody changes before every write is tried six times a pass, and scaled when they leave it alone", async () => {
    const busy = { isOn: true, puts: 0 };
    const { pass, replicas } = await stage({ cluster: (real) => restless(real, busy) });
    for (let again = 1; again <= 3; again += 1) {
      const failed = await pass(5, 5_000);
      expect(failed.changes).toMatchObject([{ node: "work", outcome: "Failed", code: "Conflict" }]);
      expect([busy.puts, await replicas()]).toEqual([6 * again, 2]);
    }
    busy.isOn = false;
    expect(await pass(5, 5_000)).toMatchObject({ outcome: "Scaled" });
    expect(await replicas()).toBe(5);
    expect(busy.puts).toBeLessThanOrEqual(4 * 6);
  });
});

/** The cluster, where somebody writes the object directly before every write of its scale. */
function restless(real: KubeCluster, busy: { isOn: boolean; puts: number }): KubeCluster {
  const as: KubeCluster["as"] = (identity) => {
    const api = real.as(identity);
    return {
      ...api,
      replace: async (resource, name, object, subresource) => {
        busy.puts += 1;
        const path = `/apis/apps/v1/namespaces/${identity.namespace}/deployments/${name}`;
        const annotations = { rollout: String(busy.puts) };
        if (busy.isOn) await expectStatus(ground.admin("PATCH", path, { metadata: { annotations } }), 200);
        return api.replace(resource, name, object, subresource);
      },
    };
  };
  return { ...real, as };
}

/** A template called `work`, and a policy that makes jobs from it. */
async function jobsStage(rest: Partial<Policy> = {}) {
  const namespace = await namespaceWith(JOB_RULES);
  const path = `/apis/batch/v1/namespaces/${namespace}`;
  const spec = { backoffLimit: 0, template: POD };
  const template = {
    ...{ apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "work" } },
    spec: { schedule: "0 0 31 2 *", suspend: true, jobTemplate: { spec } },
  };
  const make = () => expectStatus(ground.admin("POST", `${path}/cronjobs`, template), 201);
  await make();
  const own = policy({
    ...{ namespace, uid: `uid-${namespace}`, nodes: [target("CronJob", "batch/v1")] },
    target: {
      ...{ kind: "jobs", strategy: "Default", custom: undefined, rollout: "Gradual" },
      ...{ pendingPodConditions: [], history: { succeeded: 2, failed: 2 } },
    },
    ...rest,
  });
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const list = async (at: string) => (await expectStatus(ground.admin("GET", at), 200)).items ?? [];
  return {
    ...{ namespace, ...scaling(own, jobsDriver(ground.connect())), make },
    remove: () => expectStatus(ground.admin("DELETE", `${path}/cronjobs/work`), 200),
    jobs: () => list(`${path}/jobs`),
    /** All jobs fail that have not ended. */
    fail: async (made: number) => {
      await until(async () => (await list(pods)).length >= made, "the pods are there");
      for (const { metadata, status } of await list(pods))
        if (status?.["phase"] === "Pending")
          await expectStatus(
            ground.admin("PATCH", `${pods}/${String(metadata?.["name"])}/status`, {
              status: { phase: "Failed" },
            }),
            200,
          );
      const failed = async () =>
        (await list(`${path}/jobs`)).every(({ status }) => JSON.stringify(status).includes('"Failed"'));
      await until(failed, "the jobs have failed");
    },
  };
}

describe("jobs", { timeout: 60_000 }, () => {
  test("that a quota forbids are not tried again and again; those that are missing are made when it is gone", async () => {
    const { namespace, pass, clock, jobs } = await jobsStage();
    const lift = await quota(namespace, { "count/jobs.batch": "2" });
    expect(await pass(5)).toMatchObject({ changes: [{ outcome: "Failed", code: "QuotaExceeded" }] });
    expect(await jobs()).toHaveLength(2);
    const tried = clock.writes;
    for (let again = 0; again < 5; again += 1) await pass(5, 5_000);
    expect([clock.writes, (await jobs()).length]).toEqual([tried, 2]);
    await lift();
    await until(async () => {
      await pass(5, 31_000);
      return (await jobs()).length === 5;
    }, "all are made");
  });

  test("are not made of a template that is gone, and are again when it is back", async () => {
    const { pass, clock, jobs, remove, make } = await jobsStage();
    await remove();
    for (let again = 0; again < 3; again += 1)
      expect(await pass(3, 5_000)).toMatchObject({ outcome: "Failed", fault: { code: "TargetNotFound" } });
    expect([clock.writes, await jobs()]).toEqual([0, []]);
    await make();
    await pass(3, 5_000);
    expect(await jobs()).toHaveLength(3);
  });

  test("that fail at once are followed by no more than the policy's rate allows, and few of them are kept", async () => {
    const up = {
      windowSeconds: 0,
      select: "Max",
      tolerance: 0,
      rates: [{ type: "Pods", value: 3, periodSeconds: 60 }],
    } as const;
    const behavior = { up, down: { ...up, rates: [] }, arithmetic: "Exact", isPlain: false } as const;
    const { pass, clock, jobs, fail } = await jobsStage({ guardrails: guardrails({ behavior }) });
    await pass(5);
    expect(clock.writes).toBe(3);
    await fail(3);
    // Five are still to be done, and three were made within the minute.
    for (let second = 10; second < 60; second += 10) await pass(5, 10_000);
    const made = async () => (await jobs()).filter(({ status }) => status?.["failed"] === undefined).length;
    expect(await made()).toBe(0);
    await pass(5, 11_000);
    expect(await made()).toBe(3);
    // Those that have failed are taken away when their decision is surely done with.
    await pass(3, 600_000);
    expect((await jobs()).length).toBe(3 + 2);
  });
});
