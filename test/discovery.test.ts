import { afterAll, beforeAll, expect, test } from "vitest";
import { bed, DEPLOYMENTS, expectStatus, faultOf, type Bed } from "./kube/bed.ts";
import { HandTime } from "./kube/hand-time.ts";
import { sharedCluster } from "./world/index.ts";

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
});
afterAll(() => ground[Symbol.asyncDispose]());

test.each(["", "apps/v1/extra", "../v1", "apps/../v1", "Apps/v1", "apps/", "v1?x=1"])(
  "%j is no apiVersion",
  async (apiVersion) => {
    expect((await faultOf(ground.connect().resource(apiVersion, "Deployment"))).code).toBe("PolicyInvalid");
  },
);

test("a kind is found with its plural and its scale, and asked for only once by many", async () => {
  const { cluster, line } = await ground.wired();
  const found = await Promise.all(
    Array.from({ length: 20 }, () => cluster.resource("apps/v1", "Deployment")),
  );
  expect(found[19]).toEqual(DEPLOYMENTS);
  expect(await cluster.resource("apps/v1", "DaemonSet")).toMatchObject({
    plural: "daemonsets",
    hasScale: false,
  });
  expect(line.opened).toBe(1);
});

test("a kind that is installed later is found after ten seconds", async () => {
  const time = new HandTime();
  const cluster = ground.connect({ time });
  const group = `g${process.pid}.test.sluice.dev`;
  const fault = await faultOf(cluster.resource(`${group}/v1`, "Gadget"));
  expect(fault).toMatchObject({
    code: "TargetNotFound",
    message: `The cluster has no Gadget in ${group}/v1`,
  });
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const definition = {
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Gadget", plural: "gadgets" },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
      ],
    },
  };
  await expectStatus(ground.admin("POST", path, definition), 201);
  await expect
    .poll(
      () => {
        time.pass(10_000);
        return cluster.resource(`${group}/v1`, "Gadget").then(
          ({ plural }) => plural,
          () => undefined,
        );
      },
      { timeout: 10_000 },
    )
    .toBe("gadgets");
  await ground.admin("DELETE", `${path}/gadgets.${group}`);
});
