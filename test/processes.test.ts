import { afterAll, beforeAll, expect, test } from "vitest";
import { bed, deployment, expectStatus, until, type Bed, type Json } from "./kube/bed.ts";
import { processNode, sharedCluster, type Cluster, type ProcessNode } from "./world/index.ts";

let world: Cluster;
let ground: Bed;
beforeAll(async () => {
  world = await sharedCluster();
  ground = await bed(world.kubeconfig);
});
afterAll(() => ground[Symbol.asyncDispose]());

/** Says where it is, then lives until it is ended. */
const PROGRAM = "console.log('serving ' + process.argv[1]); setInterval(() => undefined, 1e6)";
const trivial = (): Promise<ProcessNode> =>
  processNode(ground.admin, {
    command: ({ pod }) => ({ program: process.execPath, arguments: ["-e", PROGRAM, pod] }),
    isReady: async ({ log }) => (await log()).includes("serving"),
  });

/** A Deployment whose pods are processes of the node. */
async function workload(node: ProcessNode, replicas: number) {
  const namespace = await world.namespace();
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const { spec, ...rest } = deployment("worker", replicas);
  const template = { ...spec.template, spec: { ...spec.template.spec, ...node.placement } };
  await expectStatus(ground.admin("POST", path, { ...rest, spec: { ...spec, template } }), 201);
  const pods = async () => {
    const list = await expectStatus(ground.admin("GET", `/api/v1/namespaces/${namespace}/pods`), 200);
    return list.items ?? [];
  };
  return {
    namespace,
    pods,
    scale: (to: number) =>
      expectStatus(ground.admin("PATCH", `${path}/worker/scale`, { spec: { replicas: to } }), 200),
    ready: async () => {
      const { status } = await expectStatus(ground.admin("GET", `${path}/worker`), 200);
      return Number(status?.["readyReplicas"] ?? 0);
    },
  };
}
const names = (pods: readonly Json[]) => pods.map((pod) => String(pod["metadata"]?.["name"])).toSorted();

test("each pod of a Deployment is one process: it is Ready when the process says so, and both end together", async () => {
  await using node = await trivial();
  const { pods, scale, ready } = await workload(node, 2);
  await until(async () => (await ready()) === 2, "two pods are Ready");
  expect(
    node
      .processes()
      .map(({ pod }) => pod)
      .toSorted(),
  ).toEqual(names(await pods()));
  const [first] = node.processes();
  expect(await first?.log()).toBe(`serving ${first?.pod}\n`);
  await scale(3);
  await until(async () => (await ready()) === 3, "three pods are Ready");
  expect(new Set(node.processes().map(({ pid }) => pid)).size).toBe(3);
  await scale(1);
  await until(async () => (await pods()).length === 1, "two pods have gone");
  expect(node.processes().map(({ pod }) => pod)).toEqual(names(await pods()));
});

test("a process that ends by itself is started again, and the pod counts a restart", async () => {
  await using node = await trivial();
  const { pods, ready } = await workload(node, 1);
  await until(async () => (await ready()) === 1, "one pod is Ready");
  const [first] = node.processes();
  process.kill(first?.pid ?? 0, "SIGKILL");
  await until(async () => {
    const counted = JSON.stringify((await pods()).map((pod) => pod["status"]?.["containerStatuses"]));
    return counted.includes('"restartCount":1') && (await ready()) === 1;
  }, "it was started again");
  expect(node.processes()).toHaveLength(1);
  expect(node.processes()[0]?.pid).not.toBe(first?.pid);
});

test("a node that holds back has pods that are bound and not Ready, and starts them when it is let go", async () => {
  await using node = await trivial();
  node.hold(true);
  const { pods, ready } = await workload(node, 1);
  await until(async () => (await pods())[0]?.["spec"]?.["nodeName"] !== undefined, "the pod is bound");
  expect(node.processes()).toEqual([]);
  expect(await ready()).toBe(0);
  node.hold(false);
  await until(async () => (await ready()) === 1, "one pod is Ready");
});
