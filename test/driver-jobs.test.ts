import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { jobsDriver } from "../host/driver/index.ts";
import { Fault } from "../host/fault/index.ts";
import type { JobsTarget, Policy } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { allow, bed, expectStatus, faultOf, type Bed } from "./kube/bed.ts";
import { POD, RULES } from "./jobs-template.ts";
import { sharedCluster } from "./world/index.ts";

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
});
afterAll(() => ground[Symbol.asyncDispose]());

const always = () => undefined;
const JOBS: JobsTarget = {
  kind: "jobs",
  strategy: "Default",
  custom: undefined,
  rollout: "Gradual",
  pendingPodConditions: [],
  history: { succeeded: 100, failed: 100 },
};
async function stage(rules = RULES) {
  const namespace = await ground.namespace();
  await allow(ground, namespace, "scaler", rules);
  const cron = `/apis/batch/v1/namespaces/${namespace}/cronjobs`;
  const spec = {
    schedule: "0 0 31 2 *",
    suspend: true,
    jobTemplate: { metadata: { labels: { team: "a" } }, spec: { backoffLimit: 0, template: POD } },
  };
  await expectStatus(
    ground.admin("POST", cron, { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "work" }, spec }),
    201,
  );
  const driver = jobsDriver(ground.connect());
  const policyOf = (target: Partial<JobsTarget> = {}, rest: Partial<Policy> = {}): Policy =>
    policy({
      namespace,
      uid: `uid-${namespace}`,
      target: { ...JOBS, ...target },
      nodes: [
        {
          name: "work",
          ref: { apiVersion: "batch/v1", kind: "CronJob", name: "work" },
          to: [],
          bounds: { min: 0, max: 10 },
          attributes: {},
        },
      ],
      ...rest,
    });
  const list = async (path: string) =>
    (await expectStatus(ground.admin("GET", path), 200))["items"] as unknown as {
      metadata: { name: string; labels: Record<string, string>; ownerReferences?: object[] };
      spec: Record<string, unknown>;
    }[];
  const pods = () => list(`/api/v1/namespaces/${namespace}/pods`);
  return {
    ...{ namespace, driver, policyOf, pods },
    jobs: () => list(`/apis/batch/v1/namespaces/${namespace}/jobs`),
    found: async (of: Policy) => {
      const [node] = (await driver.discover(of)).nodes;
      if (node === undefined) throw new Error("no node");
      return node;
    },
    /** What becomes of so many pods that nothing was said of yet. */
    become: async (phase: "Running" | "Succeeded" | "Failed", count: number, from = "Pending") => {
      await expect.poll(async () => (await pods()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const all = (await expectStatus(ground.admin("GET", path), 200))["items"] as unknown as {
        metadata: { name: string };
        status: { phase: string };
      }[];
      const ready = [{ type: "Ready", status: phase === "Running" ? "True" : "False" }];
      for (const { metadata } of all.filter(({ status }) => status.phase === from).slice(0, count))
        await expectStatus(
          ground.admin("PATCH", `${path}/${metadata.name}/status`, { status: { phase, conditions: ready } }),
          200,
        );
    },
    setImage: (image: string) =>
      expectStatus(
        ground.admin("PATCH", `${cron}/work`, {
          spec: {
            jobTemplate: {
              spec: { template: { spec: { ...POD.spec, containers: [{ name: "main", image }] } } },
            },
          },
        }),
        200,
      ),
  };
}

type Stage = Awaited<ReturnType<typeof stage>>;

async function want(at: Stage, of: Policy, work: number) {
  const topology = await at.driver.discover(of);
  const [meant] = at.driver.meant?.(of, topology, [{ node: "work", parallelism: work }]) ?? [];
  const [node] = topology.nodes;
  if (meant === undefined || node === undefined) throw new Error("no node");
  const change = { node: "work", from: node.parallelism, to: meant.parallelism, revision: node.revision };
  return { change, outcomes: await at.driver.scale(of, [change], always) };
}

describe("jobs on a real API server with its real job controller", () => {
  test("are made from the template as the policy's account, marked, and counted until they have finished", async () => {
    const at = await stage();
    const of = at.policyOf();
    expect(await at.found(of)).toMatchObject({ kind: "Job", parallelism: 0, ready: 0, min: 0, max: 10 });
    expect((await want(at, of, 3)).outcomes).toEqual([{ node: "work", outcome: "Scaled" }]);
    const [job] = await at.jobs();
    expect(job?.metadata.labels).toMatchObject({ team: "a", "sluice.dev/policy-uid": of.uid });
    expect(job?.metadata.ownerReferences).toBeUndefined();
    expect(job?.spec).toMatchObject({ backoffLimit: 0, template: { metadata: { labels: { app: "work" } } } });
    expect(await at.found(of)).toMatchObject({ parallelism: 3, ready: 0, settled: false });
    await at.become("Running", 2);
    await expect.poll(async () => (await at.found(of)).ready, { timeout: 20_000 }).toBe(2);
    expect(await at.found(of)).toMatchObject({ parallelism: 3, attributes: { pending: "1", failed: "0" } });
    await at.become("Succeeded", 2, "Running");
    await at.become("Failed", 1);
    await expect.poll(async () => (await at.found(of)).parallelism, { timeout: 20_000 }).toBe(0);
    expect(await at.found(of)).toMatchObject({ settled: true, attributes: { failed: "1" } });
  });

  test("are counted against what is wanted as the strategy says", async () => {
    const at = await stage();
    const of = at.policyOf();
    await want(at, of, 4);
    await at.become("Running", 3);
    await expect.poll(async () => (await at.found(of)).ready, { timeout: 20_000 }).toBe(3);
    const meant = async (strategy: JobsTarget["strategy"], work: number) => {
      const topology = await at.driver.discover(of);
      const [one] =
        at.driver.meant?.(at.policyOf({ strategy, custom: { deduct: 1, runningPercent: 50 } }), topology, [
          { node: "work", parallelism: work },
        ]) ?? [];
      return one?.parallelism;
    };
    // Four run, one of them waits.
    expect(await meant("Default", 6)).toBe(6);
    expect(await meant("Accurate", 6)).toBe(4 + 5);
    expect(await meant("Eager", 6)).toBe(4 + 5);
    expect(await meant("Custom", 6)).toBe(4 + 3);
    expect(await meant("Default", 2)).toBe(4);
    expect(await meant("Accurate", 60)).toBe(10);
  });

  test("are not made twice when a decision is carried out again, by however many", async () => {
    const at = await stage();
    const of = at.policyOf();
    const { change } = await want(at, of, 3);
    await Promise.all([at.driver.scale(of, [change], always), at.driver.scale(of, [change], always)]);
    expect(await at.jobs()).toHaveLength(3);
    await at.become("Succeeded", 3);
    await expect.poll(async () => (await at.found(of)).parallelism, { timeout: 20_000 }).toBe(0);
    // What was decided was done, though none of it runs any more.
    expect(await at.driver.scale(of, [change], always)).toEqual([{ node: "work", outcome: "Scaled" }]);
    expect(await at.jobs()).toHaveLength(3);
  });

  test.each([0, 1, 2, 3])(
    "are finished where the one who made them was stopped after %i of four, and none without the permit",
    async (made) => {
      const at = await stage();
      const of = at.policyOf();
      const node = await at.found(of);
      const change = { node: "work", from: 0, to: 4, revision: node.revision };
      const stopped = new Fault("NotLeader", "Another replica has the shard");
      let asked = 0;
      const [outcome] = await at.driver.scale(of, [change], () =>
        (asked += 1) > made ? stopped : undefined,
      );
      expect(outcome).toMatchObject({ outcome: "Failed", code: "NotLeader" });
      expect(await at.jobs()).toHaveLength(made);
      await at.driver.scale(of, [change], always);
      expect(await at.jobs()).toHaveLength(4);
    },
  );

  test("of an older decision are not made beside those of a newer one", async () => {
    const at = await stage();
    const of = at.policyOf();
    const before = await at.found(of);
    await want(at, of, 3);
    const late = { node: "work", from: 0, to: 2, revision: before.revision };
    // The newer decision was made on the same version, and its jobs have the same names.
    expect(await at.driver.scale(of, [late], always)).toEqual([
      { node: "work", outcome: "Failed", code: "Conflict", message: expect.any(String) },
    ]);
    await want(at, of, 5);
    const [outcome] = await at.driver.scale(of, [late], always);
    expect(outcome).toMatchObject({ outcome: "Failed", code: "Conflict" });
    expect(await at.jobs()).toHaveLength(5);
  });

  test("are never ended to have fewer", async () => {
    const at = await stage();
    const of = at.policyOf();
    const { change } = await want(at, of, 3);
    const fewer = { ...change, from: 3, to: 1 };
    expect(await at.driver.scale(of, [fewer], always)).toEqual([{ node: "work", outcome: "Scaled" }]);
    expect(await at.jobs()).toHaveLength(3);
  });

  test("wait until a pod has the conditions, where the policy names some", async () => {
    const at = await stage();
    const of = at.policyOf({ pendingPodConditions: ["Ready", "example.com/Warm"] });
    await want(at, of, 1);
    await at.become("Running", 1);
    await expect.poll(async () => (await at.found(at.policyOf())).ready, { timeout: 20_000 }).toBe(1);
    expect(await at.found(of)).toMatchObject({ parallelism: 1, ready: 0 });
  });

  test("go with the policy where it brings back what was before", async () => {
    const at = await stage();
    const of = at.policyOf({}, { ownership: { onDrift: "Correct", onDelete: "Restore" } });
    await want(at, of, 1);
    expect((await at.jobs())[0]?.metadata.ownerReferences).toMatchObject([
      { kind: "ScalingPolicy", uid: of.uid },
    ]);
  });
});

describe("what is left of earlier work", () => {
  const LATER = new Date(Date.now() + 3_600_000);

  test("is kept as far as the history goes, and not taken away before its decision is surely done with", async () => {
    const at = await stage();
    const of = at.policyOf({ history: { succeeded: 1, failed: 0 } });
    await want(at, of, 4);
    await at.become("Succeeded", 3);
    await at.become("Failed", 1);
    await expect.poll(async () => (await at.found(of)).parallelism, { timeout: 20_000 }).toBe(0);
    await at.driver.tidy?.(of, always, new Date());
    expect(await at.jobs()).toHaveLength(4);
    await at.driver.tidy?.({ ...of, mode: "DryRun" }, always, LATER);
    expect(await at.jobs()).toHaveLength(4);
    await at.driver.tidy?.(of, always, LATER);
    expect(await at.jobs()).toHaveLength(1);
  });

  test("runs to its end by the old template, or is ended where the rollout is Immediate", async () => {
    const at = await stage();
    const [gradual, immediate] = [at.policyOf(), at.policyOf({ rollout: "Immediate" })];
    await want(at, gradual, 2);
    await at.driver.tidy?.(immediate, always, LATER);
    expect(await at.jobs()).toHaveLength(2);
    await at.setImage("example.invalid/work:2");
    await at.driver.tidy?.(gradual, always, LATER);
    expect(await at.jobs()).toHaveLength(2);
    await at.driver.tidy?.(immediate, always, LATER);
    await expect.poll(async () => (await at.jobs()).length, { timeout: 20_000 }).toBe(0);
  });
});

describe("what cannot be", () => {
  test("a template that is not there, or is none, names the field", async () => {
    const at = await stage([...RULES, { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }]);
    const ref = (apiVersion: string, kind: string, name: string) => {
      const of = at.policyOf();
      return { ...of, nodes: of.nodes.map((node) => ({ ...node, ref: { apiVersion, kind, name } })) };
    };
    for (const wrong of [ref("batch/v1", "CronJob", "gone"), ref("v1", "PodTemplate", "gone")])
      expect(await faultOf(at.driver.discover(wrong))).toMatchObject({
        code: "TargetNotFound",
        field: "spec.target.jobs.templateRef",
      });
    const path = `/api/v1/namespaces/${at.namespace}/configmaps`;
    await expectStatus(
      ground.admin("POST", path, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } }),
      201,
    );
    const none = await faultOf(at.driver.discover(ref("v1", "ConfigMap", "x")));
    expect(none).toMatchObject({ code: "TargetNotFound", field: "spec.target.jobs.templateRef" });
    expect(none.message).toContain("No jobs can be made from a ConfigMap");
  });

  test("an account without rights makes nothing", async () => {
    const at = await stage(RULES.map((rule) => ({ ...rule, verbs: ["get", "list"] })));
    const { outcomes } = await want(at, at.policyOf(), 2);
    expect(outcomes).toMatchObject([{ outcome: "Failed", code: "Forbidden" }]);
    expect(await at.jobs()).toEqual([]);
  });
});
