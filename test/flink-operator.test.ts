import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Policy } from "../host/policy/index.ts";
import { guardrails } from "./builders.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, nodeOf } from "./flink-bed.ts";
import { JOB_ID, SOURCE_ID, standIn, WORK_ID, type StandIn } from "./flink-stand-in.ts";
import { allow, bed, expectStatus, until, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";

const GROUP = "flink.apache.org";
const OVERRIDES = "pipeline.jobvertex-parallelism-overrides";
let ground: Bed;
let jobs: StandIn;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
  jobs = await standIn();
  await Promise.all(["FlinkDeployment", "FlinkSessionJob"].map(define));
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await ground[Symbol.asyncDispose]();
});

const plural = (kind: string) => `${kind.toLowerCase()}s`;

/** As much of the operator's kinds as the driver looks at; the operator itself does not run here. */
async function define(kind: string): Promise<void> {
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const flinkConfiguration = { type: "object", additionalProperties: { type: "string" } };
  const spec = { ...open, properties: { flinkConfiguration } };
  const version = {
    ...{ name: "v1beta1", served: true, storage: true, subresources: { status: {} } },
    schema: { openAPIV3Schema: { type: "object", properties: { spec, status: open } } },
  };
  const names = { kind, plural: plural(kind), singular: kind.toLowerCase(), listKind: `${kind}List` };
  const definition = {
    metadata: { name: `${plural(kind)}.${GROUP}` },
    spec: { group: GROUP, scope: "Namespaced", names, versions: [version] },
  };
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  expect((await ground.admin("POST", path, definition)).status).toSatisfy(
    (one) => one === 201 || one === 409,
  );
  const served = async () =>
    (await ground.admin("GET", `/apis/${GROUP}/v1beta1/${plural(kind)}`)).status === 200;
  await until(served, `the kind ${kind} is served`);
}

/** An object of this kind in a namespace of its own, and a policy that scales its job. */
async function object(
  kind: "FlinkDeployment" | "FlinkSessionJob",
  flinkConfiguration: object = {},
  more: { readonly spec?: object; readonly policy?: Partial<Policy> } = {},
) {
  const namespace = await ground.namespace();
  const rules = [{ apiGroups: [GROUP], resources: [plural(kind)], verbs: ["get", "patch"] }];
  await allow(ground, namespace, "scaler", rules);
  const path = `/apis/${GROUP}/v1beta1/namespaces/${namespace}/${plural(kind)}`;
  const spec = { flinkConfiguration, deploymentName: "session", ...more.spec };
  const made = { apiVersion: `${GROUP}/v1beta1`, kind, metadata: { name: "clicks" }, spec };
  await expectStatus(ground.admin("POST", path, made), 201);
  const status = { status: { jobStatus: { jobId: JOB_ID } } };
  await expectStatus(ground.admin("PATCH", `${path}/clicks/status`, status), 200);
  const asked: string[] = [];
  const { driver } = flinkDriverAt(
    () => jobs.url,
    ground.connect(),
    300,
    (_policy, { name, port }) => void asked.push(`${name}:${port}`),
  );
  const jobManager =
    kind === "FlinkDeployment" ? { flinkDeployment: "clicks" } : { flinkSessionJob: "clicks" };
  const policy = flinkPolicy({ jobManager }, { namespace, ...more.policy });
  return {
    ...{ driver, policy, asked },
    read: () => expectStatus(ground.admin("GET", `${path}/clicks`), 200),
    patch: (spec: object, manager: string) =>
      expectStatus(ground.admin("PATCH", `${path}/clicks?fieldManager=${manager}`, { spec }), 200),
  };
}

beforeEach(() => void jobs.puts.splice(0));

test.each([
  ["FlinkDeployment", "clicks-rest:8081"],
  ["FlinkSessionJob", "session-rest:8081"],
] as const)(
  "a %s is told by one entry of its configuration, and nothing else of it is touched",
  async (...given) => {
    const [kind, service] = given;
    const { driver, policy, asked, read } = await object(kind, { "taskmanager.numberOfTaskSlots": "2" });
    const found = await driver.discover(policy);
    expect(new Set(asked)).toEqual(new Set([service]));
    expect(found.nodes.map(({ name, parallelism }) => [name, parallelism])).toEqual([
      ["in", 1],
      ["work", 2],
    ]);
    const outcome = await driver.scale(policy, [change(found, "work", 4)], anybody);
    expect(outcome).toEqual([{ node: "work", outcome: "Scaled" }]);
    const { spec, metadata } = await read();
    expect(spec?.["flinkConfiguration"]).toEqual({
      "taskmanager.numberOfTaskSlots": "2",
      [OVERRIDES]: `${SOURCE_ID}:1,${WORK_ID}:4`,
    });
    const managed = JSON.stringify(metadata?.["managedFields"]);
    expect(managed).toContain('"manager":"sluice","operation":"Apply"');
    expect(jobs.puts).toEqual([]);
    // What was written is not what runs: that is the operator's to do, and is looked at in the job.
    expect(nodeOf(await driver.discover(policy), "work")).toMatchObject({
      parallelism: 4,
      ready: 2,
      settled: false,
    });
    expect(await driver.writer?.(policy, "work")).toEqual({ parallelism: 4, by: "sluice", isOwn: true });
    const never = () => expect.fail("nothing is to be written twice");
    expect(await driver.scale(policy, [change(found, "work", 4)], never)).toEqual(outcome);
  },
);

test("an entry that another tool applies is left to it, and the user reads whose it is", async () => {
  const { driver, policy, read, patch } = await object("FlinkDeployment");
  await patch({ flinkConfiguration: { [OVERRIDES]: `${WORK_ID}:3` } }, "gitops");
  const found = await driver.discover(policy);
  expect(nodeOf(found, "work").parallelism).toBe(3);
  expect(await driver.writer?.(policy, "work")).toEqual({ parallelism: 3, by: "gitops", isOwn: false });
  const outcome = await driver.scale(policy, [change(found, "work", 4)], anybody);
  expect(outcome).toMatchObject([{ node: "work", outcome: "Failed", code: "FieldConflict" }]);
  expect(outcome[0]).toHaveProperty("message", expect.stringContaining("gitops"));
  expect((await read())["spec"]?.["flinkConfiguration"]).toEqual({ [OVERRIDES]: `${WORK_ID}:3` });
});

test("the TaskManagers of a FlinkDeployment get other memory, processors and slots; one of a session shares its own", async () => {
  const GI = 2 ** 30;
  const bounds = { cpu: { min: 1, max: 8 }, memory: { min: GI, max: 8 * GI }, slots: { min: 1, max: 8 } };
  const resources = { bounds, tolerance: 0, cooldownSeconds: 0 };
  const taskManager = { replicas: 3, resource: { memory: "2048m" } };
  const more = { spec: { taskManager }, policy: { guardrails: guardrails({ resources }) } };
  const { driver, policy, read } = await object("FlinkDeployment", { other: "stays" }, more);
  const found = await driver.discover(policy);
  expect(nodeOf(found, "work")).toMatchObject({
    resources: { memory: 2 * GI, slots: 1 },
    adjustable: ["cpu", "memory", "slots"],
  });
  const reshape = { from: { memory: 2 * GI, slots: 1 }, to: { cpu: 2, memory: 3 * GI, slots: 2 } };
  const one = { ...change(found, "work", 2), resources: reshape };
  expect(await driver.scale(policy, [one], anybody)).toEqual([{ node: "work", outcome: "Scaled" }]);
  expect((await read())["spec"]).toMatchObject({
    flinkConfiguration: { other: "stays", "taskmanager.numberOfTaskSlots": "2" },
    taskManager: { replicas: 3, resource: { cpu: 2, memory: "3072m" } },
  });
  const never = () => expect.fail("nothing is to be written twice");
  expect(await driver.scale(policy, [one], never)).toEqual([{ node: "work", outcome: "Scaled" }]);

  const back = { ...one, resources: { from: reshape.to, to: reshape.from } };
  expect(await driver.scale(policy, [back], anybody)).toEqual([{ node: "work", outcome: "Scaled" }]);
  const { spec } = await read();
  expect(spec?.["taskManager"]).toEqual({ replicas: 3, resource: { memory: "2048m" } });

  const session = await object("FlinkSessionJob", {}, more);
  const [node] = (await session.driver.discover(session.policy)).nodes;
  expect(node).not.toHaveProperty("adjustable");
});

test("an object whose autoscaler is on is left to it", async () => {
  const { driver, policy } = await object("FlinkDeployment", { "job.autoscaler.enabled": "true" });
  await expect(driver.discover(policy)).rejects.toMatchObject({ code: "TargetOwned" });
});

test("an object that the policy's account may not read is not read", async () => {
  const { driver, policy } = await object("FlinkDeployment");
  await expect(driver.discover({ ...policy, serviceAccountName: "default" })).rejects.toMatchObject({
    code: "Forbidden",
  });
});
