import { isIP } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { deniedBy } from "../host/egress/address.ts";
import {
  parseClusterCredential,
  parseCredential,
  parsePolicy,
  parseTenant,
  type Parsed,
} from "../host/policy/index.ts";
import { changed, manifest, type Changes } from "./manifest.ts";
import { sharedCluster, type Cluster } from "./world/index.ts";
import {
  NETWORKS,
  WRONG_CLUSTER_CREDENTIALS,
  WRONG_CREDENTIALS,
  WRONG_TENANTS,
} from "./wrong-credentials.ts";

const CRDS = ["credentials", "clustercredentials", "tenants"].map(
  (plural) => `crds/sluice.dev_${plural}.yaml`,
);
let cluster: Cluster;
let namespace: string;

beforeAll(async () => {
  cluster = await sharedCluster();
  const files = CRDS.flatMap((crd) => ["--filename", crd]);
  await cluster.kubectl(["apply", "--server-side", ...files]);
  const established = '--for=jsonpath={.status.conditions[?(@.type=="Established")].status}=True';
  await cluster.kubectl(["wait", established, "--timeout=30s", ...files]);
  namespace = await cluster.namespace();
});

const bearer = { secretRef: { name: "s" }, key: "token" };
const of = (kind: string, spec: object) => (changes: Changes) =>
  changed({ apiVersion: "sluice.dev/v1alpha1", kind, metadata: { name: "one" }, spec }, changes);
const credential = of("Credential", { hosts: [{ host: "a.example.com" }], bearer });
const clusterCredential = of("ClusterCredential", { hosts: [{ host: "a.example.com" }], bearer });
const tenant = of("Tenant", {
  namespaces: ["team-a"],
  egress: [{ host: "a.example.com", networks: ["10.1.0.0/16"] }],
});

/** What the user reads of each of the objects; one kubectl for all of them, because starting it takes longest. */
async function answers(objects: readonly object[]): Promise<string[]> {
  const documents = objects.map((object, at) =>
    JSON.stringify({ ...object, metadata: { name: `wrong-${String(at)}`, namespace } }),
  );
  const create = ["create", "--dry-run=server", "--filename", "-"];
  const all = await cluster
    .kubectl(create, { input: documents.join("\n---\n") })
    .catch((thrown: Error) => thrown.message);
  const each = all.split(/(?:Credential|Tenant)(?:\.sluice\.dev)? (?="wrong-)/);
  return documents.map((_, at) => each.find((one) => one.startsWith(`"wrong-${String(at)}"`)) ?? all);
}

const problems = (parsed: Parsed<unknown>) =>
  parsed.ok ? [] : parsed.problems.map(({ field, message }) => `${field}: ${message}`);

describe.each([
  ["a Credential", credential, parseCredential, WRONG_CREDENTIALS],
  ["a ClusterCredential", clusterCredential, parseClusterCredential, WRONG_CLUSTER_CREDENTIALS],
  ["a Tenant", tenant, parseTenant, WRONG_TENANTS],
] as const)("%s", (_, make, parse, wrong) => {
  test("that is whole is taken by the API server and by the parser", async () => {
    expect(parse(make({})).ok).toBe(true);
    const [said] = await answers([make({})]);
    expect(said).toContain("created (server dry run)");
  });

  test("is refused by both with the same words and the same field, whatever is wrong", async () => {
    const said = await answers(wrong.map(([, changes]) => make(changes)));
    wrong.forEach(([sentence, changes, field, says], at) => {
      expect(problems(parse(make(changes))), sentence).toEqual([`${field}: ${says}`]);
      expect(said[at], sentence).toContain(field);
      expect(said[at], sentence).toContain(says);
    });
  });
});

test("networks that a Tenant may grant are taken by both, and are networks", async () => {
  const granting = tenant({ "spec.egress.0.networks": NETWORKS });
  expect(problems(parseTenant(granting))).toEqual([]);
  const [said] = await answers([granting]);
  expect(said).toContain("created (server dry run)");
  expect(NETWORKS.filter((one) => isIP(one.split("/")[0] ?? "") === 0)).toEqual([]);
  expect(() => deniedBy(NETWORKS)).not.toThrow();
});

test("a ClusterCredential cannot be bound to a service: a tenant could make one of any name", async () => {
  const bound = clusterCredential({ "spec.hosts": [{ service: { name: "a", port: 80 } }] });
  expect(parseClusterCredential(bound).ok).toBe(false);
  const [said] = await answers([bound]);
  expect(said).toContain("spec.hosts[0].service");
});

describe("what is parsed", () => {
  test("has every default: 443, the usual keys of Secrets, ten minutes", () => {
    const parsed = (changes: Changes) =>
      parseCredential(credential({ "spec.bearer": undefined, ...changes }));
    const secretRef = { name: "s" };
    expect(parsed({ "spec.bearer": { secretRef } })).toMatchObject({
      value: { name: "one", hosts: [{ host: "a.example.com", port: 443 }] },
    });
    const proofs = [
      parsed({ "spec.bearer": { secretRef } }),
      parsed({ "spec.basic": { secretRef } }),
      parsed({ "spec.mtls": { secretRef } }),
      parsed({ "spec.sasl": { secretRef, mechanism: "SCRAM-SHA-512" } }),
      parsed({ "spec.serviceAccountToken": { audience: "forecast" } }),
    ].map((one) => (one.ok ? one.value.proof : one.fault.message));
    expect(proofs).toEqual([
      { kind: "bearer", secret: "s", key: "token" },
      { kind: "basic", secret: "s", usernameKey: "username", passwordKey: "password" },
      { kind: "mtls", secret: "s", certificateKey: "tls.crt", privateKeyKey: "tls.key" },
      {
        kind: "sasl",
        mechanism: "SCRAM-SHA-512",
        secret: "s",
        usernameKey: "username",
        passwordKey: "password",
      },
      { kind: "serviceAccountToken", audience: "forecast", expirationSeconds: 600 },
    ]);
  });

  test("of a policy names each rule's credential, and the field that a message is about", () => {
    const rules = [
      { host: "b.example.com" },
      { service: { name: "forecast", port: 80 }, credentialRef: { name: "key" } },
      { host: "a.example.com", credentialRef: { kind: "ClusterCredential", name: "shared" } },
    ];
    const parsed = parsePolicy(
      manifest({ "spec.algorithm.egress": rules, "spec.sources.0.credentialRef": { name: "metrics" } }),
    );
    if (!parsed.ok) throw parsed.fault;
    const { hosts, services } = parsed.value.algorithm.egress;
    const at = (field: string) => `${field}.credentialRef`;
    expect(
      [...hosts, ...services, ...parsed.value.sources].map((one) =>
        "credential" in one ? one.credential : undefined,
      ),
    ).toEqual([
      undefined,
      { kind: "ClusterCredential", name: "shared", field: at("spec.algorithm.egress[2]") },
      { kind: "Credential", name: "key", field: at("spec.algorithm.egress[1]") },
      { kind: "Credential", name: "metrics", field: at("spec.sources[0]") },
    ]);
  });
});
