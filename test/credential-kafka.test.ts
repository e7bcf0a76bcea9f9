import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { credentials, type Credentials } from "../host/operator/credential.ts";
import type { Tenants } from "../host/operator/tenants.ts";
import { NO_TENANT, type Broker, type CredentialUse } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { certificateFor } from "./egress/bed.ts";
import { allow, bed, expectStatus, faultOf, until, type Bed } from "./kube/bed.ts";
import { HandTime } from "./kube/hand-time.ts";
import { sharedCluster } from "./world/index.ts";

const API = "sluice.dev/v1alpha1";
const CANARY = "c4nary-of-team-a";
const READS = [
  { apiGroups: ["sluice.dev"], resources: ["credentials"], verbs: ["get"] },
  { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
];
let ground: Bed;
let namespace: string;
let held: Credentials;

beforeAll(async () => {
  const world = await sharedCluster();
  await world.kubectl(["apply", "--server-side", "--filename", "crds/sluice.dev_credentials.yaml"]);
  ground = await bed(world.kubeconfig);
  namespace = await ground.namespace();
  const kind = `/apis/${API}/namespaces/${namespace}/credentials`;
  await until(async () => (await ground.admin("GET", kind)).status === 200, "the kind is served");
  await allow(ground, namespace, "scaler", READS);
  const tenants: Tenants = { ceilingOf: () => NO_TENANT, hasSynced: () => true, ended: Promise.resolve() };
  held = credentials({ cluster: ground.connect(), tenants, namespace, time: new HandTime() });
});
afterAll(() => ground[Symbol.asyncDispose]());

const secret = (name: string, stringData: Record<string, string>) =>
  expectStatus(
    ground.admin("POST", `/api/v1/namespaces/${namespace}/secrets`, { metadata: { name }, stringData }),
    201,
  );
const credential = (name: string, spec: object) =>
  expectStatus(
    ground.admin("POST", `/apis/${API}/namespaces/${namespace}/credentials`, {
      ...{ apiVersion: API, kind: "Credential", metadata: { name }, spec },
    }),
    201,
  );
const use = (name: string): CredentialUse => ({
  kind: "Credential",
  name,
  field: "spec.sources[0].credentialRef",
});
/** A fault as a user reads it; the secret is not in it. */
async function sentence(work: Promise<unknown>): Promise<string> {
  const { code, sentence: told, stack } = await faultOf(work);
  expect(`${told} ${stack}`).not.toContain(CANARY);
  return `${code}: ${told}`;
}

describe("a credential for brokers of Kafka", () => {
  const service = { name: "kafka", port: 9092 };
  const asked = (name: string, brokers: readonly Broker[] = [{ service }]) =>
    held.forBrokers(policy({ namespace }), use(name), brokers);

  test("is a user and a password with the mechanism, or a certificate, for the services that it is bound to", async () => {
    const { cert, key } = certificateFor("kafka-client");
    await secret("t", { username: "sluice", password: CANARY, "tls.crt": cert, "tls.key": key });
    const secretRef = { name: "t" };
    const hosts = [{ service }];
    await credential("scram", { hosts, sasl: { mechanism: "SCRAM-SHA-512", secretRef } });
    await credential("certificate", { hosts, mtls: { secretRef } });
    expect(await asked("scram")).toEqual({
      ...{ kind: "sasl", mechanism: "SCRAM-SHA-512" },
      ...{ username: "sluice", password: CANARY, bound: [] },
    });
    expect(await asked("certificate")).toEqual({
      kind: "mtls",
      certificate: cert,
      privateKey: key,
      bound: [],
    });
    const other = asked("scram", [{ service }, { service: { ...service, port: 9093 } }]);
    expect(await sentence(other)).toContain("The Credential scram is not bound to the service kafka:9093");
  });

  test("for brokers outside the cluster is bound to each of them by host and port", async () => {
    const secretRef = { name: "t" };
    const hosts = ["b-1", "b-2"].map((one) => ({ host: `${one}.kafka.example.com`, port: 9094 }));
    await credential("outside", { hosts, sasl: { mechanism: "PLAIN", secretRef } });
    const at = (...addresses: string[]) =>
      asked(
        "outside",
        addresses.map((address) => ({ address })),
      );
    expect(await at("b-1.kafka.example.com:9094", "B-2.kafka.example.com:9094")).toMatchObject({
      bound: hosts,
    });
    for (const one of ["b-3.kafka.example.com:9094", "b-1.kafka.example.com:9092"])
      expect(await sentence(at("b-1.kafka.example.com:9094", one))).toContain(
        `The Credential outside is not bound to ${one}`,
      );
    expect(await sentence(asked("outside"))).toContain("is not bound to the service kafka:9092");
  });

  test("is neither a header nor another one's", async () => {
    await credential("header", { hosts: [{ service }], bearer: { secretRef: { name: "t" } } });
    expect(await sentence(asked("header"))).toContain(
      "The Credential header is of the kind bearer, which Kafka does not have. Name a credential of the kind sasl or mtls.",
    );
    const shared = held.forBrokers(policy({ namespace }), { ...use("x"), kind: "ClusterCredential" }, [
      { service },
    ]);
    expect(await sentence(shared)).toContain("Name a Credential: a ClusterCredential is bound to hosts");
  });

  test("that is a certificate is not shown to a service over http", async () => {
    const shown = held.forService(policy({ namespace }), use("certificate"), service);
    expect(await sentence(shown)).toContain(
      "The Credential certificate is a certificate, and a service is asked over http.",
    );
  });
});
