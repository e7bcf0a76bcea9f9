import { afterAll, beforeAll, expect, test } from "vitest";
import { inOrder } from "../host/driver/order.ts";
import { kubernetesDriver } from "../host/driver/index.ts";
import type { Change } from "../host/knowledge/index.ts";
import type { Cluster as KubeCluster } from "../host/kube/index.ts";
import type { Policy, TargetNode } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { allow, bed, defineWidgets, deployment, expectStatus, faultOf, SCALER_RULES } from "./kube/bed.ts";
import type { Bed } from "./kube/bed.ts";
import { sharedCluster, type Cluster } from "./world/index.ts";

let world: Cluster;
let ground: Bed;
beforeAll(async () => {
  world = await sharedCluster();
  ground = await bed(world.kubeconfig);
  await defineWidgets(ground);
});
afterAll(() => ground[Symbol.asyncDispose]());

const target = (kind: string, name: string, rest: Partial<TargetNode> = {}): TargetNode => ({
  name,
  ref: { apiVersion: kind === "Widget" ? "test.sluice.dev/v1" : "apps/v1", kind, name },
  to: [],
  bounds: { min: 1, max: 10 },
  attributes: {},
  ...rest,
});

/** A namespace with an account that may scale, and hands that work as the administrator. */
async function stage(rest: { account?: string; rules?: typeof SCALER_RULES; cluster?: KubeCluster } = {}) {
  const namespace = await ground.namespace();
  await allow(ground, namespace, "scaler", rest.rules ?? SCALER_RULES);
  const at = (plural: string) =>
    plural === "widgets"
      ? `/apis/test.sluice.dev/v1/namespaces/${namespace}/widgets`
      : `/apis/apps/v1/namespaces/${namespace}/${plural}`;
  const driver = kubernetesDriver(rest.cluster ?? ground.connect());
  const policyOf = (...nodes: TargetNode[]): Policy =>
    policy({ namespace, nodes, serviceAccountName: rest.account ?? "scaler" });
  const replicasOf = async (plural: string, name: string) =>
    (await expectStatus(ground.admin("GET", `${at(plural)}/${name}`), 200))["spec"]?.["replicas"];
  return {
    namespace,
    driver,
    policyOf,
    replicasOf,
    deploy: (name: string, replicas: number) =>
      expectStatus(ground.admin("POST", at("deployments"), deployment(name, replicas)), 201),
    widget: (name: string, spec: object) => {
      const object = { apiVersion: "test.sluice.dev/v1", kind: "Widget", metadata: { name }, spec };
      return expectStatus(ground.admin("POST", at("widgets"), object), 201);
    },
    patch: (plural: string, name: string, body: object) =>
      expectStatus(ground.admin("PATCH", `${at(plural)}/${name}`, body), 200),
    remove: (plural: string, name: string) => ground.admin("DELETE", `${at(plural)}/${name}`),
  };
}

/** A replica that may write. */
const always = () => undefined;

/** The change of a node from what was discovered to a number. */
async function change(
  { driver }: Pick<Awaited<ReturnType<typeof stage>>, "driver">,
  policy: Policy,
  to: number,
): Promise<Change> {
  const [node] = (await driver.discover(policy)).nodes;
  if (node === undefined) throw new Error("no node");
  return { node: node.name, from: node.parallelism, to, revision: node.revision };
}

test("a topology says of each node what is asked of it, its bounds and its edges", async () => {
  const { driver, policyOf, deploy, widget } = await stage();
  await deploy("split", 2);
  await widget("count", { replicas: 5 });
  const found = await driver.discover(
    policyOf(
      target("Deployment", "split", { to: ["count"], attributes: { tier: "a" } }),
      target("Widget", "count"),
    ),
  );
  expect(found.edges).toEqual([{ from: "split", to: "count" }]);
  expect(found.nodes).toMatchObject([
    { name: "split", kind: "Deployment", parallelism: 2, min: 1, max: 10, attributes: { tier: "a" } },
    { name: "count", kind: "Widget", parallelism: 5, ready: 0 },
  ]);
});

test("ready is how many pods serve, and what merely exists where the account may not read the object", async () => {
  await world.applyNode("driver-node");
  const [scaleRules] = SCALER_RULES;
  const open = await stage();
  const closed = await stage({ rules: scaleRules === undefined ? [] : [scaleRules] });
  for (const { driver, policyOf, deploy } of [open, closed]) {
    await deploy("split", 3);
    const found = () => driver.discover(policyOf(target("Deployment", "split")));
    await expect.poll(async () => (await found()).nodes[0]?.ready, { timeout: 10_000 }).toBe(3);
  }
});

test("a Deployment and a custom resource are scaled as the policy's account", async () => {
  const { driver, policyOf, replicasOf, deploy, widget } = await stage();
  await deploy("split", 2);
  await widget("count", { replicas: 5 });
  const both = policyOf(target("Deployment", "split"), target("Widget", "count"));
  const { nodes } = await driver.discover(both);
  const changes = nodes.map(({ name, parallelism, revision }) => ({
    node: name,
    from: parallelism,
    to: parallelism + 1,
    revision,
  }));
  expect(await driver.scale(both, changes, always)).toEqual([
    { node: "split", outcome: "Scaled" },
    { node: "count", outcome: "Scaled" },
  ]);
  expect(await replicasOf("deployments", "split")).toBe(3);
  expect(await replicasOf("widgets", "count")).toBe(6);
});

test.each(["deployments", "widgets"])(
  "when somebody scales %s in between, their number stays",
  async (plural) => {
    const { driver, policyOf, replicasOf, deploy, widget, patch } = await stage();
    if (plural === "deployments") await deploy("x", 2);
    else await widget("x", { replicas: 2 });
    const one = policyOf(target(plural === "deployments" ? "Deployment" : "Widget", "x"));
    const decided = await change({ driver }, one, 4);
    await patch(plural, "x", { spec: { replicas: 7 } });
    const [outcome] = await driver.scale(one, [decided], always);
    expect(outcome).toMatchObject({ outcome: "Failed", code: "Conflict" });
    expect(outcome).toHaveProperty("message", expect.stringContaining("x to 7 while 2 to 4 was decided"));
    expect(await replicasOf(plural, "x")).toBe(7);
  },
);

test.each(["deployments", "widgets"])(
  "when something else of %s changes in between, the number is written",
  async (plural) => {
    const { driver, policyOf, replicasOf, deploy, widget, patch } = await stage();
    if (plural === "deployments") await deploy("x", 2);
    else await widget("x", { replicas: 2 });
    const one = policyOf(target(plural === "deployments" ? "Deployment" : "Widget", "x"));
    const decided = await change({ driver }, one, 4);
    await patch(plural, "x", { metadata: { annotations: { rollout: "2" } } });
    expect(await driver.scale(one, [decided], always)).toEqual([{ node: "x", outcome: "Scaled" }]);
    expect(await replicasOf(plural, "x")).toBe(4);
  },
);

test("an object that was made anew in between is left alone", async () => {
  const { driver, policyOf, replicasOf, widget, remove } = await stage();
  await widget("x", { replicas: 2 });
  const one = policyOf(target("Widget", "x"));
  const decided = await change({ driver }, one, 4);
  await remove("widgets", "x");
  await widget("x", { replicas: 2 });
  const [outcome] = await driver.scale(one, [decided], always);
  expect(outcome).toMatchObject({ outcome: "Failed", code: "Conflict" });
  expect(outcome).toHaveProperty("message", expect.stringContaining("made anew"));
  expect(await replicasOf("widgets", "x")).toBe(2);
});

test("a number that is there already counts as written, so that a decision can be repeated", async () => {
  const { driver, policyOf, widget } = await stage();
  await widget("x", { replicas: 2 });
  const one = policyOf(target("Widget", "x"));
  const decided = await change({ driver }, one, 4);
  await driver.scale(one, [decided], always);
  expect(await driver.scale(one, [decided], always)).toEqual([{ node: "x", outcome: "Scaled" }]);
});

test("one node's failure leaves the others", async () => {
  const { driver, policyOf, replicasOf, deploy, remove } = await stage();
  await deploy("gone", 2);
  await deploy("stays", 2);
  const both = policyOf(target("Deployment", "gone"), target("Deployment", "stays"));
  const { nodes } = await driver.discover(both);
  await remove("deployments", "gone");
  const changes = nodes.map(({ name, revision }) => ({ node: name, from: 2, to: 3, revision }));
  expect(await driver.scale(both, changes, always)).toMatchObject([
    { node: "gone", outcome: "Failed", code: "TargetNotFound" },
    { node: "stays", outcome: "Scaled" },
  ]);
  expect(await replicasOf("deployments", "stays")).toBe(3);
});

test.each([
  ["an object that is not there", target("Deployment", "none"), /"none" not found/],
  ["a kind that is not there", target("Gizmo", "x"), /The cluster has no Gizmo in apps\/v1/],
  ["a kind without a scale", target("DaemonSet", "x"), /A DaemonSet of apps\/v1 has no scale subresource/],
  ["an object without a number", target("Widget", "blank"), /Widget blank says no number of replicas/],
])("%s is TargetNotFound, with the field that names it", async (_, node, message) => {
  const { driver, policyOf, deploy, widget } = await stage();
  await deploy("split", 1);
  await widget("blank", {});
  const fault = await faultOf(driver.discover(policyOf(target("Deployment", "split"), node)));
  expect(fault).toMatchObject({ code: "TargetNotFound", field: "spec.target.kubernetes.nodes[1].ref" });
  expect(fault.message).toMatch(message);
});

test("an account without rights is refused with the verb that it lacks, to read and to write", async () => {
  const readOnly = [{ apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["get"] }];
  const { namespace, driver, policyOf, deploy } = await stage({ rules: readOnly });
  await deploy("split", 1);
  const one = policyOf(target("Deployment", "split"));
  const [outcome] = await driver.scale(one, [await change({ driver }, one, 2)], always);
  expect(outcome).toMatchObject({ outcome: "Failed", code: "Forbidden" });
  expect(outcome).toHaveProperty(
    "message",
    expect.stringContaining(
      `Bind the service account ${namespace}/scaler to a Role that allows update on deployments/scale of apps.`,
    ),
  );
  const other = await faultOf(driver.discover({ ...one, serviceAccountName: "other" }));
  expect(other.code).toBe("Forbidden");
  expect(other.remedy).toContain("allows get on deployments/scale");
});

test("a policy without an account reads and writes nothing", async () => {
  const { cluster, line } = await ground.wired();
  const { driver, policyOf } = await stage({ cluster, account: "" });
  const one = policyOf(target("Deployment", "split"));
  expect((await faultOf(driver.discover(one))).code).toBe("IdentityInvalid");
  const write = driver.scale(one, [{ node: "split", from: 1, to: 2, revision: "u@1" }], always);
  expect((await faultOf(write)).code).toBe("IdentityInvalid");
  expect(line.opened).toBe(0);
});

const moves = (node: string, from: number, to: number): Change => ({ node, from, to, revision: "u@1" });

test("growth comes before shrinking, and upstream before downstream", () => {
  const nodes = [
    target("Deployment", "sink"),
    target("Deployment", "count", { to: ["sink"] }),
    target("Deployment", "split", { to: ["count"] }),
    target("Deployment", "side", { to: ["sink"] }),
  ];
  const changes = [moves("sink", 1, 2), moves("count", 4, 2), moves("side", 3, 1), moves("split", 1, 2)];
  expect(inOrder(changes, nodes).map(({ node }) => node)).toEqual(["split", "sink", "count", "side"]);
});

test("nodes on a cycle keep the policy's order", () => {
  const nodes = [target("Deployment", "a", { to: ["b"] }), target("Deployment", "b", { to: ["a", "b"] })];
  expect(inOrder([moves("b", 1, 2), moves("a", 1, 2)], nodes).map(({ node }) => node)).toEqual(["a", "b"]);
});
