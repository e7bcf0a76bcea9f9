import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import { connect, serviceAccount } from "../host/kube/index.ts";
import type { TenantIdentity } from "../host/kube/index.ts";
import {
  allow,
  bed,
  CONFIG_MAPS,
  DEPLOYMENTS,
  deployment,
  expectStatus,
  faultOf,
  until,
} from "./kube/bed.ts";
import { NAMESPACES, SCALER_RULES, type Bed } from "./kube/bed.ts";
import { HandTime } from "./kube/hand-time.ts";
import { sharedCluster } from "./world/index.ts";

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
});
afterAll(() => ground[Symbol.asyncDispose]());

// Identity

const WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

test("the danger is real: with an empty impersonation header the API server runs a call as the operator", async () => {
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const plain = await expectStatus(ground.admin("POST", WHO, review), 201);
  const empty = await expectStatus(ground.admin("POST", WHO, review, { "Impersonate-User": "" }), 201);
  const named = { "Impersonate-User": "system:serviceaccount:team-a:scaler" };
  const tenant = await expectStatus(ground.admin("POST", WHO, review, named), 201);
  const nameOf = (answer: typeof plain) => answer["status"]?.["userInfo"]?.["username"];
  expect(nameOf(empty)).toBe(nameOf(plain));
  expect(nameOf(tenant)).toBe("system:serviceaccount:team-a:scaler");
});

test.each(["", " ", "a/b", "a:b", "Scaler", "a\r\nX-Evil: 1", "-a", "a".repeat(64)])(
  "%j is no service account",
  (name) => {
    expect(() => serviceAccount("team-a", name)).toThrow(Fault);
    expect(() => serviceAccount(name, "scaler")).toThrow(/is not a namespace/);
  },
);

test.each([
  ["an empty user", { namespace: "team-a", name: "scaler", user: "" }],
  ["an empty name", { namespace: "team-a", name: "", user: "system:serviceaccount:team-a:" }],
  ["another user", { namespace: "team-a", name: "scaler", user: "system:admin" }],
  ["a look-alike", { namespace: "team-a", name: "scaler", user: "system:serviceaccount:team-a:scaler" }],
  ["nothing", undefined],
  ["a symbol", Symbol("operator")],
])("a call for a tenant with %s as its identity throws before a single byte is sent", async (_, forged) => {
  const { cluster, line } = await ground.wired();
  const act = async () => cluster.as(forged as unknown as TenantIdentity).get(CONFIG_MAPS, "x");
  expect((await faultOf(act())).code).toBe("IdentityInvalid");
  expect(line.opened).toBe(0);
});

test("an identity cannot be changed after it was made", () => {
  const identity = serviceAccount("team-a", "scaler") as { user: string };
  expect(() => (identity.user = "")).toThrow(TypeError);
});

test("a kubeconfig that impersonates is refused: an empty name in it would be the operator", async () => {
  for (const as of ["", "somebody"]) {
    const file = await ground.changed(({ users }) => (users[0].user["as"] = as));
    expect(() => connect({ kubeconfig: file })).toThrow(/impersonates/);
  }
});

test("an account that may scale reads the scale, and another account of its namespace is refused by name", async () => {
  const namespace = await ground.namespace();
  await expectStatus(
    ground.admin("POST", `/apis/apps/v1/namespaces/${namespace}/deployments`, deployment("split", 2)),
    201,
  );
  await allow(ground, namespace, "scaler", SCALER_RULES);
  const cluster = ground.connect();
  const scale = await cluster.as(serviceAccount(namespace, "scaler")).get(DEPLOYMENTS, "split", "scale");
  expect(scale["spec"]).toEqual({ replicas: 2 });
  const fault = await faultOf(
    cluster.as(serviceAccount(namespace, "other")).get(DEPLOYMENTS, "split", "scale"),
  );
  expect(fault.code).toBe("Forbidden");
  expect(fault.remedy).toBe(
    `Bind the service account ${namespace}/other to a Role that allows get on deployments/scale of apps.`,
  );
});

test("a tenant's call stays in its namespace: nothing in a name leads out of it", async () => {
  const { cluster, line } = await ground.wired();
  const api = cluster.as(serviceAccount("team-a", "scaler"));
  for (const name of ["..", ".", "", "../../namespaces/team-b/configmaps/x", "x/scale", "x%2f..", "a\\b"]) {
    expect((await faultOf(api.get(CONFIG_MAPS, name))).code).toBe("PolicyInvalid");
  }
  expect((await faultOf(api.get(NAMESPACES, "team-b"))).code).toBe("PolicyInvalid");
  expect(line.opened).toBe(0);
  // What is strange and harmless is encoded, and simply is not there.
  const fault = await faultOf(
    ground.connect().operator.get(CONFIG_MAPS, { namespace: "default", name: "x?watch=1#y" }),
  );
  expect(fault.code).toBe("TargetNotFound");
});

// Connections

test("300 calls at once use eight connections, whoever they are made for", async () => {
  const { cluster, line } = await ground.wired();
  const namespace = await ground.namespace();
  await allow(ground, namespace, "reader", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }]);
  const tenant = cluster.as(serviceAccount(namespace, "reader"));
  const calls = Array.from({ length: 300 }, (_, at) =>
    at % 2 === 0 ? tenant.list(CONFIG_MAPS) : cluster.operator.list(CONFIG_MAPS, { namespace }),
  );
  expect(await Promise.all(calls)).toHaveLength(300);
  expect(line.opened).toBe(8);
  expect(line.open).toBe(8);
});

test("a read that meets a broken connection is repeated; a write is not", async () => {
  const { cluster, line } = await ground.wired();
  const namespace = await ground.namespace();
  await cluster.operator.list(CONFIG_MAPS, { namespace });
  line.cut();
  const write = cluster.operator.create(CONFIG_MAPS, namespace, { metadata: { name: "x" } });
  expect(await faultOf(write)).toMatchObject({ code: "ClusterUnavailable", retry: true });
  const read = cluster.operator.list(CONFIG_MAPS, { namespace });
  setTimeout(() => line.mend(), 50);
  expect((await read).items.map(({ metadata }) => metadata.name)).not.toContain("x");
});

test("a write that nobody answers ends after 30 seconds", async () => {
  const time = new HandTime();
  const { cluster, line } = await ground.wired({ time });
  const namespace = await ground.namespace();
  await cluster.operator.list(CONFIG_MAPS, { namespace });
  line.mute();
  const write = faultOf(cluster.operator.create(CONFIG_MAPS, namespace, { metadata: { name: "x" } }));
  await until(() => time.alarms === 1, "the call has begun");
  time.pass(30_000);
  expect((await write).message).toBe(
    "The API server did not answer create configmaps: no answer in 30000 ms",
  );
});

/** An API server that answers as told: status, headers and how often so far. */
async function answering(
  answer: (asked: number) => { status: number; headers?: Record<string, string>; body?: string },
) {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    const { status, headers = {}, body = "{}" } = answer(asked);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const file = await ground.changed(({ clusters: [{ cluster }] }) => {
    cluster.server = `http://127.0.0.1:${port}`;
    // The library takes plain HTTP only from those who say that they know.
    cluster["insecure-skip-tls-verify"] = true;
  });
  const cluster = ground.connect({ kubeconfig: file });
  return { cluster, asked: () => asked, [Symbol.dispose]: () => void server.close() };
}

test("a busy server is asked again after the time that it said", async () => {
  using server = await answering((asked) =>
    asked === 1 ? { status: 429, headers: { "retry-after": "1" } } : { status: 200, body: `{"ok":true}` },
  );
  const startedMs = performance.now();
  expect(await server.cluster.operator.raw(["version"])).toEqual({ ok: true });
  expect(performance.now() - startedMs).toBeGreaterThan(1_000);
});

test("a server that is busy for long is left to the queue, with the time that it said", async () => {
  using server = await answering(() => ({ status: 503, headers: { "retry-after": "60" } }));
  const fault = await faultOf(server.cluster.operator.raw(["version"]));
  expect(fault).toMatchObject({ code: "ClusterUnavailable", retry: true, retryAfterSeconds: 60 });
  expect(server.asked()).toBe(1);
});

test("an answer above 32 MiB is not held", async () => {
  using server = await answering(() => ({ status: 200, body: "x".repeat(33 * 1_024 * 1_024) }));
  const fault = await faultOf(server.cluster.operator.raw(["version"]));
  expect(fault).toMatchObject({ code: "ClusterUnavailable" });
  expect(fault.message).toContain("above 33554432 bytes");
  expect(server.asked()).toBe(1);
});

const codeOf = async (act: Promise<unknown>) => (await faultOf(act)).code;

test("each refusal has its own code", async () => {
  const namespace = await ground.namespace();
  const { operator } = ground.connect();
  const map = { metadata: { name: "m" } };
  await operator.create(CONFIG_MAPS, namespace, map);
  expect(await codeOf(operator.create(CONFIG_MAPS, namespace, map))).toBe("Conflict");
  expect(await codeOf(operator.get(CONFIG_MAPS, { namespace, name: "none" }))).toBe("TargetNotFound");
  expect(await codeOf(operator.create(CONFIG_MAPS, namespace, { metadata: { name: "M_" } }))).toBe(
    "PolicyInvalid",
  );
  const stale = { metadata: { name: "m", resourceVersion: "1" } };
  expect(await codeOf(operator.replace(CONFIG_MAPS, { namespace, name: "m" }, stale))).toBe("Conflict");
  const place = { namespace, name: "m" };
  expect(await codeOf(operator.delete(CONFIG_MAPS, place, "00000000-0000-0000-0000-000000000000"))).toBe(
    "Conflict",
  );
  await operator.delete(CONFIG_MAPS, place);
});

test("a renewed token is used at once, without a restart", async () => {
  const namespace = await ground.namespace();
  await allow(ground, namespace, "operator", [
    { apiGroups: [""], resources: ["configmaps"], verbs: ["list"] },
  ]);
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/operator/token`;
  const token = await expectStatus(ground.admin("POST", path, { spec: { expirationSeconds: 600 } }), 201);
  const directory = await mkdtemp(join(tmpdir(), "sluice-token-"));
  const tokenFile = join(directory, "token");
  await writeFile(tokenFile, "expired");
  const kubeconfig = await ground.changed(({ users }) => {
    users[0].user = { "auth-provider": { name: "tokenFile", config: { tokenFile } } };
  });
  const time = new HandTime();
  const cluster = ground.connect({ kubeconfig, time });
  const { operator } = cluster;
  expect((await faultOf(operator.list(CONFIG_MAPS, { namespace }))).message).toBe("Unauthorized");
  await writeFile(tokenFile, String(token["status"]?.["token"]));
  time.pass(1_000);
  const place = `/api/v1/namespaces/${namespace}/configmaps`;
  await expectStatus(ground.admin("POST", place, { metadata: { name: "mine" } }), 201);
  const { items } = await operator.list(CONFIG_MAPS, { namespace });
  expect(items.map(({ metadata }) => metadata.name)).toContain("mine");
  // This operator may not act for others: the remedy is the administrator's, not the tenant's.
  const fault = await faultOf(cluster.as(serviceAccount(namespace, "scaler")).list(CONFIG_MAPS));
  expect(fault.code).toBe("Forbidden");
  expect(fault.remedy).toBe(
    `Allow the operator's account to impersonate the service account ${namespace}/scaler.`,
  );
  await rm(directory, { recursive: true });
});
