import type { EgressCredential, Revealed } from "../egress/index.ts";
import { asFault, Fault } from "../fault/index.ts";
import { accountOf, fieldsOf, type Cluster, type KubeObject, type Time } from "../kube/index.ts";
import {
  parseClusterCredential,
  parseCredential,
  type BoundTo,
  type Broker,
  type ClusterCredential,
  type Credential,
  type CredentialUse,
  type Parsed,
  type Policy,
  type Proof,
  type ServicePort,
} from "../policy/index.ts";
import { Kept } from "./kept.ts";
import {
  bearer,
  brokerProof,
  noHttp,
  noKafka,
  revealed,
  unavailable,
  type BrokerProof,
  type KeptProof,
} from "./secret.ts";
import type { Tenants } from "./tenants.ts";

/** The credentials of a cluster, as policies may use them. */
export interface Credentials {
  /** The credential that a policy names. Throws a fault that names the field and what is missing. */
  of(policy: Policy, use: CredentialUse): Promise<EgressCredential>;
  /** What a request to a service shows. Throws `EffectDenied` if the credential is not bound to the service. */
  forService(policy: Policy, use: CredentialUse, service: ServicePort): Promise<Shown>;
  /** What brokers of Kafka are shown. Throws `EffectDenied` if the credential is not bound to every one of them. */
  forBrokers(policy: Policy, use: CredentialUse, brokers: readonly Broker[]): Promise<BrokerProof>;
  /** Forgets every secret. */
  close(): void;
}

/** What is added to a request, and what must not come back. */
export interface Shown {
  readonly headers: Readonly<Record<string, string>>;
  readonly texts: readonly string[];
}

interface Options {
  readonly cluster: Cluster;
  readonly tenants: Tenants;
  /** Where the Secrets of ClusterCredentials are. */
  readonly namespace: string;
  readonly time: Time;
}

/**
 * Reads credentials when a request needs them: a Credential and its Secret as the policy's own account, a ClusterCredential as
 * the operator, for a namespace that it or a Tenant names. A secret is held for seconds, for that one account.
 */
export function credentials({ cluster, tenants, namespace, time }: Options): Credentials {
  const kept = new Kept<Revealed>(time);
  const shown = new Kept<BrokerProof>(time);
  const source: Source = { cluster, tenants, namespace, kept };
  const of = (policy: Policy, use: CredentialUse) =>
    use.kind === "Credential" ? ownCredential(source, policy, use) : sharedCredential(source, policy, use);
  return {
    of,
    async forService(policy, use, service) {
      const { hosts, reveal } = await of(policy, use);
      checkBound(hosts, { service }, use);
      const secret = await reveal();
      if ("certificate" in secret)
        throw unavailable(`The ${quoted(use)} is a certificate, and a service is asked over http`, use, {
          remedy: "Name a credential of the kind basic, bearer or serviceAccountToken.",
        });
      return { headers: { [secret.header]: secret.value }, texts: secret.texts };
    },
    async forBrokers(policy, use, brokers) {
      const isOwn = use.kind === "Credential";
      // It is bound to hosts alone, and a service is none.
      if (!isOwn && brokers.some((one) => "service" in one)) throw unbound(use, "a service");
      const read = isOwn ? readOwn(source, policy, use) : readShared(source, policy, use);
      const { hosts, proof, secret, key } = await read;
      for (const one of brokers) checkBound(hosts, one, use);
      if (proof.kind !== "sasl" && proof.kind !== "mtls") throw noKafka(use, proof.kind);
      const held = await shown.get(key, async () => brokerProof(proof, await secret(proof.secret), use));
      return { ...held, bound: hosts.flatMap((one) => ("host" in one ? [one] : [])) };
    },
    close() {
      kept.clear();
      shown.clear();
    },
  };
}

function checkBound(hosts: readonly BoundTo[], place: Broker, use: CredentialUse): void {
  const isBound = hosts.some((one) =>
    "service" in place
      ? "service" in one && one.service.name === place.service.name && one.service.port === place.service.port
      : "host" in one && `${one.host}:${one.port}` === place.address.toLowerCase(),
  );
  if (isBound) return;
  throw unbound(
    use,
    "service" in place ? `the service ${place.service.name}:${place.service.port}` : place.address,
  );
}

const unbound = (use: CredentialUse, where: string) =>
  new Fault("EffectDenied", `The ${use.kind} ${use.name} is not bound to ${where}`, {
    field: use.field,
    remedy:
      use.kind === "Credential"
        ? "Bind it to that place under its spec.hosts, or remove it from the source."
        : "Name a Credential: a ClusterCredential is bound to hosts, and never to a service.",
  });

interface Source {
  readonly cluster: Cluster;
  readonly tenants: Tenants;
  readonly namespace: string;
  readonly kept: Kept<Revealed>;
}
type ReadSecret = (name: string) => Promise<KubeObject>;

const API_VERSION = "sluice.dev/v1alpha1";

/** A Credential of the policy's namespace, and how its Secret is read; both as the policy's account. */
async function readOwn({ cluster }: Source, policy: Policy, use: CredentialUse) {
  const identity = accountOf(policy);
  const api = cluster.as(identity);
  const resource = await cluster.resource(API_VERSION, use.kind);
  const object = await api
    .get(resource, use.name)
    .catch((thrown: unknown) => refuse(thrown, use, missing(`There is no ${quoted(use)}`, use)));
  const { hosts, proof } = usable(parseCredential(object), use);
  const where = `the namespace ${policy.namespace}`;
  const secret: ReadSecret = async (name) =>
    api
      .get(await cluster.resource("v1", "Secret"), name)
      .catch((thrown: unknown) => refuse(thrown, use, noSecret(name, where, use)));
  return { hosts, proof, secret, key: keyOf(identity.user, object, use) };
}

async function ownCredential(source: Source, policy: Policy, use: CredentialUse): Promise<EgressCredential> {
  const { hosts, proof, secret, key } = await readOwn(source, policy, use);
  const reveal = () =>
    proof.kind === "serviceAccountToken"
      ? tokenFor(source, policy, use, proof)
      : fromSecret(proof, secret, use);
  // A token is asked for only as long as the Tenant approves of whom it is for, whatever is kept.
  const check = proof.kind === "serviceAccountToken" ? () => approve(source, policy, use, proof) : undefined;
  return {
    hosts,
    async reveal() {
      check?.();
      return source.kept.get(key, reveal);
    },
  };
}

/** A ClusterCredential that the policy's namespace may use, and how its Secret is read; both as the operator. */
async function readShared(source: Source, policy: Policy, use: CredentialUse) {
  const { cluster, namespace } = source;
  const { user } = accountOf(policy);
  const resource = await cluster.resource(API_VERSION, use.kind);
  // Whether there is one that it may not use is nothing that a tenant is told.
  const object = await cluster.operator
    .get(resource, { name: use.name })
    .catch((thrown: unknown) => refuse(thrown, use, notGranted(policy, use)));
  const parsed = parseClusterCredential(object);
  if (!isGranted(source, policy, use, parsed)) throw notGranted(policy, use);
  const { hosts, proof } = usable(parsed, use);
  if (proof.kind === "serviceAccountToken") throw new Fault("Internal", "A ClusterCredential has no token");
  const secret: ReadSecret = async (name) =>
    cluster.operator
      .get(await cluster.resource("v1", "Secret"), { namespace, name })
      .catch((thrown: unknown) =>
        refuse(unlisted(thrown, name), use, noSecret(name, "the operator's namespace", use)),
      );
  return { hosts, proof, secret, key: keyOf(user, object, use) };
}

async function sharedCredential(
  source: Source,
  policy: Policy,
  use: CredentialUse,
): Promise<EgressCredential> {
  const { hosts, proof, secret, key } = await readShared(source, policy, use);
  return { hosts, reveal: () => source.kept.get(key, () => fromSecret(proof, secret, use)) };
}

/**
 * An object that was changed, or made anew, has none of what was kept; nor has another account of the same namespace. A failure
 * that several wait for names the field of each.
 */
const keyOf = (
  user: string,
  { metadata: { uid, resourceVersion } }: KubeObject,
  { kind, field }: CredentialUse,
) => [user, kind, uid, resourceVersion, field].join(" ");

async function fromSecret(proof: KeptProof, read: ReadSecret, use: CredentialUse): Promise<Revealed> {
  // HTTP has no use for it: its Secret is not even read.
  if (proof.kind === "sasl") throw noHttp(use);
  return revealed(proof, await read(proof.secret), use);
}

const noSecret = (name: string, where: string, use: CredentialUse) =>
  missing(`There is no Secret ${name} in ${where}, which the ${quoted(use)} names`, use);

type TokenProof = Extract<Proof, { kind: "serviceAccountToken" }>;

function approve(
  { tenants }: Source,
  { namespace }: Policy,
  use: CredentialUse,
  { audience }: TokenProof,
): void {
  const { audiences, because } = tenants.ceilingOf(namespace);
  if (audiences.includes(audience)) return;
  const why = audiences.length === 0 && because !== undefined ? `: ${because}` : "";
  throw new Fault(
    "EffectDenied",
    `Tokens for the audience ${JSON.stringify(audience)} are not approved${why}`,
    {
      field: use.field,
      remedy: "Have the audience added to spec.audiences of the Tenant.",
    },
  );
}

/** A token of the policy's account, asked for as that account. */
async function tokenFor(
  { cluster }: Source,
  policy: Policy,
  use: CredentialUse,
  { audience, expirationSeconds }: TokenProof,
): Promise<Revealed> {
  const { serviceAccountName: name } = policy;
  const resource = await cluster.resource("v1", "ServiceAccount");
  const spec = { audiences: [audience], expirationSeconds };
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
  const answer = await cluster
    .as(accountOf(policy))
    .request(resource, name, "token", body)
    .catch((thrown: unknown) => refuse(thrown, use, missing(`There is no service account ${name}`, use)));
  const { token } = fieldsOf(fieldsOf(answer)["status"]);
  if (typeof token === "string" && token !== "") return bearer(token);
  throw new Fault("ClusterUnavailable", "The API server sent no token", { field: use.field, retry: true });
}

function isGranted(
  { tenants }: Source,
  { namespace }: Policy,
  { name }: CredentialUse,
  parsed: Parsed<ClusterCredential>,
): boolean {
  const named = parsed.ok && parsed.value.namespaces.includes(namespace);
  return named || tenants.ceilingOf(namespace).clusterCredentials.includes(name);
}

const notGranted = ({ namespace }: Policy, use: CredentialUse) =>
  new Fault("EffectDenied", `There is no ${quoted(use)} that the namespace ${namespace} may use`, {
    field: use.field,
    remedy:
      "Have the namespace added to its spec.namespaces, or its name to spec.clusterCredentials of the Tenant.",
  });

const missing = (message: string, use: CredentialUse) =>
  unavailable(message, use, { remedy: "Create it, or correct the name." });

const quoted = ({ kind, name }: CredentialUse) => `${kind} ${name}`;

/** The operator reads the Secrets that a Role lists, and no others. */
function unlisted(thrown: unknown, name: string): Fault {
  const fault = asFault(thrown);
  if (fault.code !== "Forbidden") return fault;
  return new Fault("Forbidden", `The operator may not read the Secret ${name} in its namespace`, {
    remedy: "Have its name added to the Role sluice-credentials there.",
  });
}

/** An object of a version of the resource that this one does not read, or that was stored before its rules were. */
function usable<Kind extends Credential>(parsed: Parsed<Kind>, use: CredentialUse): Kind {
  if (parsed.ok) return parsed.value;
  const { field, message } = parsed.fault;
  throw unavailable(`The ${quoted(use)} cannot be read: ${field}: ${message}`, use, {
    remedy: "Correct the field.",
  });
}

/** What the API server said, told of the field that named the credential; what is not there has a fault of its own. */
function refuse(thrown: unknown, { field }: CredentialUse, absent: Fault): never {
  const { code, message, remedy, retry } = asFault(thrown);
  throw code === "TargetNotFound" ? absent : new Fault(code, message, { field, remedy, retry });
}
