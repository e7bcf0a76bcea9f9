import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkaStreamsDriver, kubernetesDriver } from "../host/driver/index.ts";
import { Fault } from "../host/fault/index.ts";
import type { Change } from "../host/knowledge/index.ts";
import type { Driver } from "../host/loop/index.ts";
import type { Guardrails, Policy, TargetNode } from "../host/policy/index.ts";
import { guardrails, policy } from "./builders.ts";
import { allow, bed, deployment, expectStatus, SCALER_RULES, until, type Bed } from "./kube/bed.ts";
import { passesOf } from "./passes.ts";
import { sharedCluster, type Cluster } from "./world/index.ts";

const GI = 2 ** 30;
const RULES = [
  ...SCALER_RULES,
  { apiGroups: ["apps"], resources: ["deployments", "statefulsets", "replicasets"], verbs: ["get", "patch"] },
  { apiGroups: ["apps"], resources: ["replicasets/scale"], verbs: ["get", "update"] },
];
const RESOURCES: Guardrails["resources"] = {
  bounds: { cpu: { min: 0.1, max: 4 }, memory: { min: GI / 4, max: 8 * GI } },
  tolerance: 0,
  cooldownSeconds: 60,
};
type Container = Readonly<Record<string, unknown>>;
const SIDECAR: Container = { name: "proxy", image: "localhost/proxy", args: ["--quiet"] };

let world: Cluster;
let ground: Bed;
beforeAll(async () => {
  world = await sharedCluster();
  ground = await bed(world.kubeconfig);
  await world.applyNode("vertical-node");
});
afterAll(() => ground[Symbol.asyncDispose]());

interface Given {
  readonly kind?: "Deployment" | "StatefulSet" | "ReplicaSet";
  readonly resources?: object;
  readonly sidecars?: readonly Container[];
  readonly annotations?: object;
  /** Labels of the nodes that its pods may run on. */
  readonly nodeSelector?: object;
  readonly node?: Partial<TargetNode>;
  readonly rest?: Partial<Policy>;
  readonly rules?: typeof RULES;
}

/** An object called `split` with two pods, and a policy that scales it. */
async function stage(given: Given = {}) {
  const { kind = "Deployment", sidecars = [], annotations = {}, nodeSelector } = given;
  const namespace = await ground.namespace();
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await until(async () => (await ground.admin("GET", `${accounts}/default`)).status === 200, "the account");
  await allow(ground, namespace, "scaler", given.rules ?? RULES);
  const path = `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s`;
  const { metadata, spec } = deployment("split", 2);
  const main = { ...spec.template.spec.containers[0], resources: given.resources ?? {} };
  const pod = {
    ...spec.template.spec,
    containers: [main, ...sidecars],
    ...(nodeSelector && { nodeSelector }),
  };
  const template = { metadata: { ...spec.template.metadata, annotations }, spec: pod };
  await expectStatus(ground.admin("POST", path, { metadata, spec: { ...spec, template } }), 201);
  const node: TargetNode = {
    ...{ name: "split", ref: { apiVersion: "apps/v1", kind, name: "split" }, to: [] },
    ...{ bounds: { min: 1, max: 10 }, attributes: {}, ...given.node },
  };
  const own = policy({
    ...{ namespace, nodes: [node], guardrails: guardrails({ resources: RESOURCES }), ...given.rest },
  });
  const driver = kubernetesDriver(ground.connect());
  const { clock, pass: passing } = passesOf(own, driver);
  const pass = (want: object) => passing({ split: want });
  const read = () => expectStatus(ground.admin("GET", `${path}/split`), 200);
  const podsOf = async () => {
    const { items = [] } = await expectStatus(
      ground.admin("GET", `/api/v1/namespaces/${namespace}/pods`),
      200,
    );
    return items.filter((one) => one["metadata"]?.["deletionTimestamp"] === undefined);
  };
  return {
    ...{ clock, driver, own, pass, read, podsOf },
    containers: async () => {
      const found = (await read())["spec"]?.["template"] as unknown as { spec: { containers: Container[] } };
      return found.spec.containers;
    },
    patch: (body: object) => expectStatus(ground.admin("PATCH", `${path}/split`, body), 200),
    settled: () =>
      until(
        async () => (await driver.discover(own)).nodes[0]?.settled === true,
        "all pods have the template",
      ),
  };
}
const resourcesOf = ([container]: readonly Container[]) => container?.["resources"];

describe.each(["Deployment", "StatefulSet"] as const)("the pods of a %s", (kind) => {
  test("are replaced by as many that request what was granted; limits keep their ratio", async () => {
    const requests = { cpu: "500m", memory: "1Gi" };
    const { pass, read, podsOf, settled, clock, driver, own } = await stage({
      ...{ kind, resources: { requests, limits: { cpu: "1", memory: "1Gi" } } },
      rest: { settle: { timeoutSeconds: 600, onFailure: "Hold" } },
    });
    await settled();
    expect((await driver.discover(own)).nodes[0]).toMatchObject({
      ...{ resources: { cpu: 0.5, memory: GI }, adjustable: ["cpu", "memory"] },
    });
    const one = await pass({ parallelism: 2, resources: { cpu: "750m", memory: "1.5Gi" } });
    expect(one).toMatchObject({ outcome: "Scaled", changes: [{ node: "split", outcome: "Scaled" }] });
    const { spec, metadata } = await read();
    expect(spec).toMatchObject({
      replicas: 2,
      template: {
        spec: {
          containers: [
            {
              resources: {
                requests: { cpu: "750m", memory: "1536Mi" },
                limits: { cpu: "1500m", memory: "1536Mi" },
              },
            },
          ],
        },
      },
    });
    expect(JSON.stringify(metadata?.["managedFields"])).toContain('"manager":"sluice","operation":"Update"');
    clock.nowMs += 1_000;
    const next = await pass({ parallelism: 2, resources: { cpu: "2" } });
    expect(next.decision?.changes).toEqual([]);
    expect(next.decision?.verdicts[0]?.resources?.reasons).toEqual([
      next.followed?.[0]?.state === "Settled" ? "CoolingDown" : "Settling",
    ]);
    await settled();
    const pods = await podsOf();
    expect(pods).toHaveLength(2);
    for (const pod of pods)
      expect(pod["spec"]).toMatchObject({ containers: [{ resources: { requests: { cpu: "750m" } } }] });
    clock.nowMs += 60_000;
    const last = await pass({ parallelism: 3, resources: { cpu: "1" } });
    expect(last.decision?.changes).toMatchObject([
      { from: 2, to: 3, resources: { from: { cpu: 0.75 }, to: { cpu: 1 } } },
    ]);
    expect(await read()).toMatchObject({
      spec: {
        replicas: 3,
        template: { spec: { containers: [{ resources: { limits: { cpu: "2" } } }] } },
      },
    });
  });
});

test("of several containers the one is meant that the policy names, or the pods themselves; the others stay as they are", async () => {
  const sidecars = [SIDECAR];
  const named = await stage({ sidecars, node: { container: "proxy" } });
  await named.pass({ parallelism: 2, resources: { cpu: "250m" } });
  const [main, proxy] = await named.containers();
  expect(main?.["resources"]).toEqual({});
  expect(proxy).toMatchObject({ ...SIDECAR, resources: { requests: { cpu: "250m" } } });

  const said = await stage({ sidecars, annotations: { "kubectl.kubernetes.io/default-container": "main" } });
  await said.pass({ parallelism: 2, resources: { memory: "256Mi" } });
  expect((await said.containers()).map((one) => one["resources"])).toEqual([
    { requests: { memory: "256Mi" } },
    {},
  ]);

  const unsaid = await stage({ sidecars });
  expect(await unsaid.pass({ parallelism: 3, resources: { cpu: "250m" } })).toMatchObject({
    outcome: "Failed",
    fault: {
      code: "TargetUnsuitable",
      message: expect.stringContaining("has 2 containers: main, proxy") as string,
    },
  });
});

test("pods that never come to serve with what they were given get back what they had, once", async () => {
  const { pass, containers, clock, patch, settled } = await stage({
    resources: { requests: { cpu: "500m" } },
    rest: { settle: { timeoutSeconds: 60, onFailure: "Rollback" } },
  });
  await settled();
  await pass({ parallelism: 2, resources: { cpu: "4", memory: "8Gi" } });
  // Their image is gone, say: the new ones go nowhere.
  const nowhere = { nodeSelector: { "no-such": "node" } };
  await patch({ spec: { template: { spec: nowhere } } });
  clock.nowMs += 30_000;
  const waiting = await pass({ parallelism: 2, resources: { cpu: "4", memory: "8Gi" } });
  expect(waiting).toMatchObject({ followed: [{ state: "Settling" }], decision: { changes: [] } });
  clock.nowMs += 31_000;
  const back = await pass({ parallelism: 2, resources: { cpu: "4", memory: "8Gi" } });
  expect(back).toMatchObject({
    outcome: "Scaled",
    decision: {
      verdicts: [{ reasons: ["RolledBack"] }],
      changes: [{ from: 2, to: 2, resources: { from: { cpu: 4, memory: 8 * GI }, to: { cpu: 0.5 } } }],
    },
  });
  expect(resourcesOf(await containers())).toEqual({ requests: { cpu: "500m" } });
  clock.nowMs += 120_000;
  const held = await pass({ parallelism: 2, resources: { cpu: "4" } });
  expect(held.decision).toMatchObject({
    changes: [],
    verdicts: [{ resources: { reasons: ["RolledBack"] } }],
  });
});

test("what somebody else gave them between decision and write is not overwritten", async () => {
  const { driver, own, patch, containers } = await stage({ resources: { requests: { cpu: "500m" } } });
  const [node] = (await driver.discover(own)).nodes;
  const change = {
    ...{ node: "split", from: 2, to: 2, revision: node?.revision ?? "" },
    resources: { from: { cpu: 0.5 }, to: { cpu: 1 } },
  };
  const other = { name: "main", image: "localhost/none", resources: { requests: { cpu: "300m" } } };
  await patch({ spec: { template: { spec: { containers: [other] } } } });
  expect(await driver.scale(own, [change], () => undefined)).toMatchObject([
    { outcome: "Failed", code: "Conflict" },
  ]);
  expect(resourcesOf(await containers())).toEqual({ requests: { cpu: "300m" } });
  await patch({
    spec: { template: { spec: { containers: [{ ...other, resources: { requests: { cpu: "1" } } }] } } },
  });
  const never = () => expect.fail("what is there already is not written");
  expect(await driver.scale(own, [change], never)).toEqual([{ node: "split", outcome: "Scaled" }]);
});

test("one that is cut off between resources and number goes on with the number alone", async () => {
  const { driver, own, read, settled } = await stage({ resources: { requests: { cpu: "500m" } } });
  // As long as its controller writes its status, a write may meet a conflict and be tried again.
  await settled();
  const [node] = (await driver.discover(own)).nodes;
  const change = {
    ...{ node: "split", from: 2, to: 3, revision: node?.revision ?? "" },
    resources: { from: { cpu: 0.5 }, to: { cpu: 1 } },
  };
  let asked = 0;
  const once = () => ((asked += 1) === 1 ? undefined : new Fault("NotLeader", "another replica may write"));
  expect(await driver.scale(own, [change], once)).toMatchObject([{ outcome: "Failed", code: "NotLeader" }]);
  const requests = { template: { spec: { containers: [{ resources: { requests: { cpu: "1" } } }] } } };
  const half = await read();
  expect(half["spec"]).toMatchObject({ replicas: 2, ...requests });
  expect(await driver.scale(own, [change], () => undefined)).toEqual([{ node: "split", outcome: "Scaled" }]);
  const { spec, metadata } = await read();
  expect(spec).toMatchObject({ replicas: 3, ...requests });
  // Made, and written twice: once by each.
  expect(metadata?.["generation"]).toBe(3);
});

test("instances of Kafka Streams get them as what runs them does; numbers are threads", async () => {
  const asked: Change[] = [];
  const kubernetes = {
    scale: async (_policy: Policy, changes: readonly Change[]) => {
      asked.push(...changes);
      return Promise.resolve(changes.map(({ node }) => ({ node, outcome: "Scaled" as const })));
    },
  } as unknown as Driver;
  const application = {
    ...{ name: "count", applicationId: "count", bootstrap: [], credential: undefined, tls: undefined },
    ...{ threadsPerInstance: 2, subtopologies: [] },
  };
  const own = policy({ target: { kind: "kafkaStreams", applications: [application] } });
  const resources = { from: { memory: GI }, to: { memory: 2 * GI } };
  const change = { node: "count", from: 4, to: 4, revision: "1", resources };
  expect(await kafkaStreamsDriver(kubernetes, {} as never).scale(own, [change], () => undefined)).toEqual([
    { node: "count", outcome: "Scaled" },
  ]);
  expect(asked).toEqual([{ node: "count", from: 2, to: 2, revision: "1", resources }]);
});

test("what keeps pods that are there as they are cannot be given others: the number goes on being scaled", async () => {
  const { pass, containers } = await stage({ kind: "ReplicaSet" });
  const one = await pass({ parallelism: 3, resources: { cpu: "1" } });
  expect(one).toMatchObject({
    outcome: "Scaled",
    decision: { verdicts: [{ granted: 3, resources: { granted: {}, reasons: ["NotAdjustable"] } }] },
  });
  expect(resourcesOf(await containers())).toEqual({});
});

test("an account that may not patch the object is told which right is missing, and the object stays as it is", async () => {
  const { pass, containers } = await stage({ rules: SCALER_RULES });
  const one = await pass({ parallelism: 2, resources: { cpu: "1" } });
  expect(one).toMatchObject({
    outcome: "Failed",
    changes: [{ code: "Forbidden", message: expect.stringMatching(/patch.*deployments/) as string }],
  });
  expect(resourcesOf(await containers())).toEqual({});
});
