import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Revealed } from "../host/egress/index.ts";
import type { Fault } from "../host/fault/index.ts";
import type { Cluster } from "../host/kube/index.ts";
import { credentials, type Credentials } from "../host/operator/credential.ts";
import type { Granted, Tenants } from "../host/operator/tenants.ts";
import { NO_TENANT, type CredentialUse } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { certificateFor } from "./egress/bed.ts";
import { allow, bed, expectStatus, faultOf, until, type Bed } from "./kube/bed.ts";
import { HandTime } from "./kube/hand-time.ts";
import { sharedCluster } from "./world/index.ts";

const FIELD = "spec.algorithm.egress[0].credentialRef";
const CANARY = "c4nary-of-team-a";
const HOSTS = [{ host: "a.example.com" }];
const READS = [
  { apiGroups: ["sluice.dev"], resources: ["credentials"], verbs: ["get"] },
  { apiGroups: [""], resources: ["secrets"], resourceNames: ["s", "t", "none"], verbs: ["get"] },
];
const OWN_TOKEN = {
  ...{ apiGroups: [""], resources: ["serviceaccounts/token"] },
  ...{ resourceNames: ["scaler"], verbs: ["create"] },
};

let ground: Bed;
let cluster: Cluster;
let namespace: string;
let operators: string;
let granted: Granted;
let held: Credentials;

beforeAll(async () => {
  const world = await sharedCluster();
  const crds = ["credentials", "clustercredentials"].flatMap((one) => [
    "--filename",
    `crds/sluice.dev_${one}.yaml`,
  ]);
  await world.kubectl(["apply", "--server-side", ...crds]);
  ground = await bed(world.kubeconfig);
  const served = async (kinds: string) =>
    (await ground.admin("GET", `/apis/sluice.dev/v1alpha1/${kinds}`)).status === 200;
  await until(
    async () => (await served("credentials")) && served("clustercredentials"),
    "the kinds are served",
  );
  [namespace, operators] = [await ground.namespace(), await ground.namespace()];
  await allow(ground, namespace, "scaler", [...READS, OWN_TOKEN]);
  await allow(ground, namespace, "bare", READS.slice(0, 1));
  cluster = ground.connect();
  await secret("s", { token: CANARY, username: "me", password: CANARY, "tls.crt": "no", "tls.key": CANARY });
});
afterAll(() => ground[Symbol.asyncDispose]());
beforeEach(() => {
  granted = NO_TENANT;
  const tenants: Tenants = { ceilingOf: () => granted, hasSynced: () => true, ended: Promise.resolve() };
  held = credentials({ cluster, tenants, namespace: operators, time: new HandTime() });
});

const API = "sluice.dev/v1alpha1";
const secret = (name: string, stringData: Record<string, string>, into = namespace) =>
  put(`/api/v1/namespaces/${into}/secrets`, name, { stringData });
const credential = (name: string, spec: object) =>
  put(`/apis/${API}/namespaces/${namespace}/credentials`, name, {
    ...{ apiVersion: API, kind: "Credential" },
    spec: { hosts: HOSTS, ...spec },
  });
const shared = (name: string, spec: object) =>
  put(`/apis/${API}/clustercredentials`, name, {
    ...{ apiVersion: API, kind: "ClusterCredential" },
    spec: { hosts: HOSTS, ...spec },
  });
async function put(collection: string, name: string, object: object): Promise<void> {
  await ground.admin("DELETE", `${collection}/${name}`);
  await expectStatus(ground.admin("POST", collection, { metadata: { name }, ...object }), 201);
}

const use = (name: string, kind: CredentialUse["kind"] = "Credential"): CredentialUse => ({
  kind,
  name,
  field: FIELD,
});
async function reveal(named: CredentialUse, account = "scaler", of = namespace): Promise<Revealed> {
  const found = await held.of(policy({ namespace: of, serviceAccountName: account }), named);
  return found.reveal();
}
/** A fault as a user reads it; the secret is in none of it. */
async function sentence(work: Promise<unknown>): Promise<string> {
  const fault: Fault = await faultOf(work);
  const told = `${fault.code}: ${fault.sentence}`;
  expect(JSON.stringify([told, fault.message, fault.stack, String(fault.cause)])).not.toContain(CANARY);
  return told;
}

describe("what a request shows", () => {
  test("is made of the Secret's keys, each kind in its own way", async () => {
    await credential("bearer", { bearer: { secretRef: { name: "s" } } });
    expect(await reveal(use("bearer"))).toEqual({
      header: "authorization",
      value: `Bearer ${CANARY}`,
      texts: [CANARY],
    });
    await credential("basic", { basic: { secretRef: { name: "s" } } });
    const encoded = Buffer.from(`me:${CANARY}`).toString("base64");
    expect(await reveal(use("basic"))).toEqual({
      header: "authorization",
      value: `Basic ${encoded}`,
      texts: [encoded, CANARY],
    });
    const { cert, key } = certificateFor("team-a");
    await secret("t", { "tls.crt": cert, "tls.key": key });
    await credential("mtls", { mtls: { secretRef: { name: "t" } } });
    expect(await reveal(use("mtls"))).toEqual({ certificate: cert, privateKey: key });
  });

  test("is a token of the tenant's own account, for an audience that the Tenant approves, and for nothing else", async () => {
    await credential("token", { serviceAccountToken: { audience: "forecast" } });
    expect(await sentence(reveal(use("token")))).toBe(
      `EffectDenied: ${FIELD}: Tokens for the audience "forecast" are not approved. Have the audience added to spec.audiences of the Tenant.`,
    );
    granted = { ...NO_TENANT, audiences: ["forecast"] };
    const shown = await reveal(use("token"));
    const [, payload = ""] = ("value" in shown ? shown.value : "").split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ aud: ["forecast"], sub: `system:serviceaccount:${namespace}:scaler` });
    expect(Number(claims["exp"]) - Number(claims["iat"])).toBe(600);
    granted = NO_TENANT;
    expect(await sentence(reveal(use("token")))).toContain("are not approved");
    granted = { ...NO_TENANT, audiences: ["forecast"] };
    expect(await sentence(reveal(use("token"), "bare"))).toContain(
      `Bind the service account ${namespace}/bare to a Role that allows create on serviceaccounts/token.`,
    );
  });

  test("is bound: a source gets it for the service that it names alone", async () => {
    const service = { name: "prometheus", port: 9090 };
    await credential("metrics", { hosts: [{ service }], bearer: { secretRef: { name: "s" } } });
    const asking = policy({ namespace });
    expect(await held.forService(asking, use("metrics"), service)).toEqual({
      headers: { authorization: `Bearer ${CANARY}` },
      texts: [CANARY],
    });
    const other = held.forService(asking, use("metrics"), { ...service, port: 9091 });
    expect(await sentence(other)).toContain("is not bound to the service prometheus:9091");
  });
});

describe("a credential that cannot be used", () => {
  const fault = async (name: string, spec: object, account?: string) => {
    await credential(name, spec);
    return sentence(reveal(use(name), account));
  };
  const of = (name: string, rest: object = {}) => ({ secretRef: { name }, ...rest });

  test("is not there: the message says what, and where", async () => {
    expect(await sentence(reveal(use("nobody")))).toBe(
      `CredentialUnavailable: ${FIELD}: There is no Credential nobody. Create it, or correct the name.`,
    );
    expect(await fault("no-secret", { bearer: of("none") })).toBe(
      `CredentialUnavailable: ${FIELD}: There is no Secret none in the namespace ${namespace}, which the Credential no-secret names. Create it, or correct the name.`,
    );
    expect(await fault("no-key", { bearer: of("s", { key: "other" }) })).toContain(
      "The Secret s has no key other, or nothing under it.",
    );
  });

  test("may not be read by the policy's account, whatever the operator may: the message says which right is missing", async () => {
    await credential("bearer", { bearer: of("s") });
    expect(await sentence(reveal(use("bearer"), "bare"))).toContain(
      `Bind the service account ${namespace}/bare to a Role that allows get on secrets.`,
    );
    expect(await sentence(reveal(use("bearer"), "default"))).toContain(
      `Bind the service account ${namespace}/default to a Role that allows get on credentials of sluice.dev.`,
    );
  });

  test("is of a kind that HTTP does not have, or holds what a header or a connection cannot", async () => {
    expect(await fault("sasl", { sasl: of("s", { mechanism: "PLAIN" }) })).toContain(
      "The Credential sasl is of the kind sasl, which HTTP does not have.",
    );
    expect(await fault("mtls", { mtls: of("s") })).toContain(
      "The Secret s has no certificate in PEM with the private key that belongs to it.",
    );
    await secret("t", {
      token: `${CANARY}\n`,
      username: "a:b",
      password: CANARY,
      long: CANARY.repeat(1_000),
    });
    expect(await fault("echo", { bearer: of("t") })).toContain(
      "The key token of the Secret t has a line break, or white space at an end.",
    );
    expect(await fault("colon", { basic: of("t") })).toContain(
      "The user name in the Secret t has a colon in it.",
    );
    expect(await fault("long", { bearer: of("t", { key: "long" }) })).toContain("has more than 8192 bytes");
  });
});

describe("a ClusterCredential", () => {
  const SHARED = `${CANARY}-shared`;
  const name = `shared-${String(process.pid)}`;
  const named = use(name, "ClusterCredential");
  const refused = () =>
    `EffectDenied: ${FIELD}: There is no ClusterCredential ${name} that the namespace ${namespace} may use. Have the namespace added to its spec.namespaces, or its name to spec.clusterCredentials of the Tenant.`;
  beforeAll(() => secret("s", { token: SHARED }, operators));
  afterAll(() => ground.admin("DELETE", `/apis/sluice.dev/v1alpha1/clustercredentials/${name}`));

  test("is for the namespaces that it names: its Secret is the operator's, and no tenant's account reads it", async () => {
    await shared(name, { namespaces: [namespace], bearer: { secretRef: { name: "s" } } });
    expect(await reveal(named)).toHaveProperty("value", `Bearer ${SHARED}`);
    expect(await reveal(named, "default")).toHaveProperty("value", `Bearer ${SHARED}`);
  });

  test("is for those whose Tenant names it, and for nobody else, who is not told whether it is there", async () => {
    expect(await sentence(reveal({ ...named, name: `${name}-not` }))).toBe(
      refused().replace(name, `${name}-not`),
    );
    await shared(name, { namespaces: [operators], bearer: { secretRef: { name: "s" } } });
    expect(await sentence(reveal(named))).toBe(refused());
    granted = { ...NO_TENANT, clusterCredentials: [name] };
    expect(await reveal(named)).toHaveProperty("value", `Bearer ${SHARED}`);
    granted = NO_TENANT;
    expect(await sentence(reveal(named))).toBe(refused());
  });

  test("says that its Secret is not in the operator's namespace", async () => {
    await shared(name, { namespaces: [namespace], bearer: { secretRef: { name: "t" } } });
    expect(await sentence(reveal(named))).toContain(
      `There is no Secret t in the operator's namespace, which the ClusterCredential ${name} names.`,
    );
  });
});

test("a ClusterCredential whose Secret the operator may not read says which Role lists it", async () => {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const name = `limited-${String(process.pid)}`;
  const rules = [{ apiGroups: ["sluice.dev"], resources: ["clustercredentials"], verbs: ["get"] }];
  await allow(ground, operators, name, []);
  await expectStatus(ground.admin("POST", `${rbac}/clusterroles`, { metadata: { name }, rules }), 201);
  const subjects = [{ kind: "ServiceAccount", name, namespace: operators }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
  const binding = { metadata: { name }, roleRef, subjects };
  await expectStatus(ground.admin("POST", `${rbac}/clusterrolebindings`, binding), 201);
  const account = `/api/v1/namespaces/${operators}/serviceaccounts/${name}/token`;
  const { status } = await expectStatus(ground.admin("POST", account, { spec: {} }), 201);
  const kubeconfig = await ground.changed(({ users }) => (users[0].user = { token: status?.["token"] }));
  await shared(name, { namespaces: [namespace], bearer: { secretRef: { name: "s" } } });
  const tenants: Tenants = { ceilingOf: () => granted, hasSynced: () => true, ended: Promise.resolve() };
  held = credentials({
    ...{ tenants, namespace: operators, time: new HandTime() },
    cluster: ground.connect({ kubeconfig }),
  });
  expect(await sentence(reveal(use(name, "ClusterCredential")))).toBe(
    `Forbidden: ${FIELD}: The operator may not read the Secret s in its namespace. Have its name added to the Role sluice-credentials there.`,
  );
  for (const [collection, one] of [
    [`${rbac}/clusterroles`, name],
    [`${rbac}/clusterrolebindings`, name],
    [`/apis/${API}/clustercredentials`, name],
  ])
    await ground.admin("DELETE", `${collection}/${one}`);
});

describe("a secret", () => {
  test("is kept for the one account that read it: another reads for itself, and may not", async () => {
    await credential("bearer", { bearer: { secretRef: { name: "s" } } });
    await reveal(use("bearer"));
    expect(await sentence(reveal(use("bearer"), "bare"))).toContain("allows get on secrets");
  });

  test("is read again as soon as its credential changes", async () => {
    await credential("bearer", { bearer: { secretRef: { name: "s" } } });
    expect(await reveal(use("bearer"))).toHaveProperty("value", `Bearer ${CANARY}`);
    await credential("bearer", { bearer: { secretRef: { name: "s" }, key: "username" } });
    expect(await reveal(use("bearer"))).toHaveProperty("value", "Bearer me");
  });
});
