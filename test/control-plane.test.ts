import { afterAll, beforeAll, expect, test } from "vitest";
import type { Fault } from "../host/fault/index.ts";
import { machineTime } from "../host/kube/index.ts";
import { followControlPlane } from "../host/operator/control-plane.ts";
import { bed, expectStatus, until, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";

const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const slice = (...addresses: string[]) => ({
  metadata: { name: "kubernetes", labels: { "kubernetes.io/service-name": "kubernetes" } },
  addressType: "IPv4",
  endpoints: [{ addresses }],
  ports: [{ name: "https", port: 6443 }],
});

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
  // An API server on loopback does not write its own.
  await expectStatus(ground.admin("POST", SLICES, slice("203.0.113.7")), 201);
});
afterAll(async () => {
  await ground.admin("DELETE", `${SLICES}/kubernetes`);
  await ground[Symbol.asyncDispose]();
});

test("what nobody may ask is what an administrator denied, and every API server's address, one that joins included", async () => {
  const ends = new AbortController();
  const faults: Fault[] = [];
  const plane = await followControlPlane({
    cluster: ground.connect(),
    denied: ["10.0.0.0/24"],
    reached: ["127.0.0.1", "198.51.100.1"],
    time: machineTime,
    signal: ends.signal,
    onFault: (fault) => faults.push(fault),
  });
  await until(() => plane.hasSynced(), "the addresses are read");
  // 10.96.0.1 is the Service of the API server in this cluster.
  expect(plane.denied()).toEqual(["10.0.0.0/24", "198.51.100.1", "10.96.0.1", "203.0.113.7"]);
  expect(plane.denied()).toBe(plane.denied());
  const joined = { endpoints: [{ addresses: ["203.0.113.7"] }, { addresses: ["203.0.113.8"] }] };
  await expectStatus(ground.admin("PATCH", `${SLICES}/kubernetes`, joined), 200);
  await until(() => plane.denied().includes("203.0.113.8"), "the second API server is known");
  expect(faults).toEqual([]);
  ends.abort();
  await plane.ended;
});
