import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { followTargets, kubernetesDriver } from "../host/driver/index.ts";
import { machineTime, type Cluster as KubeCluster } from "../host/kube/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { allow, bed, deployment, expectStatus, faultOf, SCALER_RULES, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";
import { eventually } from "./story/operator.ts";

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
});
afterAll(() => ground[Symbol.asyncDispose]());

const always = () => undefined;

/** A cluster that counts what is read as a tenant. */
function counting(cluster: KubeCluster): { cluster: KubeCluster; reads: () => number } {
  let reads = 0;
  const as: KubeCluster["as"] = (identity) => {
    const api = cluster.as(identity);
    return { ...api, get: (...what) => ((reads += 1), api.get(...what)) };
  };
  return { cluster: { ...cluster, as }, reads: () => reads };
}

/** A Deployment of 3, a driver over copies, and a policy of an account with these rules. */
async function stage(rules: typeof SCALER_RULES) {
  const namespace = await ground.namespace();
  await allow(ground, namespace, "scaler", rules);
  const at = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  await expectStatus(ground.admin("POST", at, deployment("split", 3)), 201);
  const stop = new AbortController();
  const { cluster, reads } = counting(ground.connect());
  const targets = await followTargets({
    cluster,
    kinds: [{ apiVersion: "apps/v1", kind: "Deployment" }],
    time: machineTime,
    signal: stop.signal,
    onFault: () => undefined,
  });
  const [kept] = targets.informers;
  await eventually(
    async () => kept?.copies.hasSynced(),
    (synced) => synced === true,
  );
  const ref = { apiVersion: "apps/v1", kind: "Deployment", name: "split" };
  const node = { name: "split", ref, to: [], bounds: { min: 1, max: 10 }, attributes: {} };
  const own: Policy = policy({ namespace, nodes: [node] });
  return {
    ...{ own, reads, driver: kubernetesDriver(cluster, targets) },
    scale: (replicas: number) =>
      expectStatus(ground.admin("PATCH", `${at}/split`, { spec: { replicas } }), 200),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await targets.ended;
    },
  };
}

describe("copies of targets", () => {
  test("spare every read of a pass in which nothing changes, and follow what others change", async () => {
    await using set = await stage(SCALER_RULES);
    const found = async () => (await set.driver.discover(set.own)).nodes[0]?.parallelism;
    expect([await found(), await found(), await found()]).toEqual([3, 3, 3]);
    expect(set.reads()).toBe(0);
    await set.scale(5);
    await eventually(found, (replicas) => replicas === 5);
    expect(set.reads()).toBe(0);
  });

  test("tell an account nothing that it may not read itself", async () => {
    await using set = await stage([]);
    const fault = await faultOf(set.driver.discover(set.own));
    expect(fault.code).toBe("Forbidden");
  });

  test("do not count after a write until they have moved: what was written is never read back from an old copy", async () => {
    await using set = await stage(SCALER_RULES);
    const [before] = (await set.driver.discover(set.own)).nodes;
    const change = { node: "split", from: 3, to: 6, revision: before?.revision ?? "" };
    expect(await set.driver.scale(set.own, [change], always)).toEqual([{ node: "split", outcome: "Scaled" }]);
    expect((await set.driver.discover(set.own)).nodes[0]?.parallelism).toBe(6);
  });

  test("do not take it for zero where a kind keeps its number elsewhere: it is read as the account", async () => {
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    const paths = { specReplicasPath: ".spec.workers", statusReplicasPath: ".status.workers" };
    const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } };
    const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    await expectStatus(
      ground.admin("POST", crd, {
        ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
        metadata: { name: "rigs.elsewhere.sluice.dev" },
        spec: {
          ...{ group: "elsewhere.sluice.dev", scope: "Namespaced", names: { plural: "rigs", kind: "Rig" } },
          versions: [{ ...version, subresources: { status: {}, scale: paths } }],
        },
      }),
      201,
    );
    const namespace = await ground.namespace();
    const apiGroups = ["elsewhere.sluice.dev"];
    await allow(ground, namespace, "scaler", [
      { apiGroups, resources: ["rigs", "rigs/scale"], verbs: ["get"] },
    ]);
    const apiVersion = "elsewhere.sluice.dev/v1";
    const rig = { apiVersion, kind: "Rig", metadata: { name: "drill" }, spec: { workers: 4 } };
    const at = `/apis/${apiVersion}/namespaces/${namespace}/rigs`;
    await eventually(
      () => ground.admin("POST", at, rig),
      ({ status }) => status === 201,
    );
    const stop = new AbortController();
    const { cluster, reads } = counting(ground.connect());
    const around = { cluster, time: machineTime, signal: stop.signal, onFault: () => undefined };
    const targets = await followTargets({ ...around, kinds: [{ apiVersion, kind: "Rig" }] });
    await eventually(
      async () => targets.informers[0]?.copies.size,
      (size) => size === 1,
    );
    const ref = { apiVersion, kind: "Rig", name: "drill" };
    const own = { name: "drill", ref, to: [], bounds: { min: 1, max: 10 }, attributes: {} };
    const found = await kubernetesDriver(cluster, targets).discover(policy({ namespace, nodes: [own] }));
    expect(found.nodes[0]?.parallelism).toBe(4);
    expect(reads()).toBeGreaterThan(0);
    stop.abort();
    await targets.ended;
    await ground.admin("DELETE", `${crd}/rigs.elsewhere.sluice.dev`);
  });
});
