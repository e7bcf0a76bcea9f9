import { createSecureContext } from "node:tls";
import type { Revealed } from "../egress/index.ts";
import { Fault } from "../fault/index.ts";
import { fieldsOf, type KubeObject } from "../kube/index.ts";
import type { CredentialUse, Proof } from "../policy/index.ts";

/** A proof whose secret is in a Secret. */
export type KeptProof = Exclude<Proof, { kind: "serviceAccountToken" }>;

// A header's value has to fit into the 16 KiB that most servers take for all headers; a chain of certificates fits as well.
const SECRET_BYTES = 8 * 1_024;
const PEM_BYTES = 64 * 1_024;
/** A shorter text would be found in answers that say nothing of the secret. */
const TELLING_CHARACTERS = 8;

/** What a request shows, made of what a Secret holds. Throws `CredentialUnavailable`, which says nothing of the contents. */
export function revealed(proof: KeptProof, secret: KubeObject, use: CredentialUse): Revealed {
  if (proof.kind === "bearer") return bearer(lineOf(secret, proof.key, use));
  if (proof.kind === "basic") {
    const [name, password] = [proof.usernameKey, proof.passwordKey].map((key) => lineOf(secret, key, use));
    return basic(name ?? "", password ?? "", secret, use);
  }
  if (proof.kind === "mtls") return identityIn(secret, proof, use);
  throw noHttp(use);
}

/** What brokers of Kafka are shown. */
export type BrokerProof =
  | {
      readonly kind: "sasl";
      readonly mechanism: Extract<Proof, { kind: "sasl" }>["mechanism"];
      readonly username: string;
      readonly password: string;
    }
  | ({ readonly kind: "mtls" } & Identity);

/** What brokers of Kafka are shown, made of what a Secret holds. Throws `CredentialUnavailable`, which says nothing of the contents. */
export function brokerProof(
  proof: Extract<KeptProof, { kind: BrokerProof["kind"] }>,
  secret: KubeObject,
  use: CredentialUse,
): BrokerProof {
  if (proof.kind === "mtls") return { kind: "mtls", ...identityIn(secret, proof, use) };
  const { kind, mechanism, usernameKey, passwordKey } = proof;
  return {
    ...{ kind, mechanism },
    username: lineOf(secret, usernameKey, use),
    password: lineOf(secret, passwordKey, use),
  };
}

/** What a request with a token shows. */
export const bearer = (token: string): Revealed => ({
  header: "authorization",
  value: `Bearer ${token}`,
  texts: telling(token),
});

/** Headers are HTTP's. */
export const noKafka = (use: CredentialUse, kind: Proof["kind"]): Fault =>
  unavailable(`The ${use.kind} ${use.name} is of the kind ${kind}, which Kafka does not have`, use, {
    remedy: "Name a credential of the kind sasl or mtls.",
  });

/** SASL is Kafka's. */
export const noHttp = (use: CredentialUse): Fault =>
  unavailable(`The ${use.kind} ${use.name} is of the kind sasl, which HTTP does not have`, use, {
    remedy: "Name a credential of the kind basic, bearer, mtls or serviceAccountToken.",
  });

/** A credential that cannot be used as it is. */
export const unavailable = (
  message: string,
  { field }: CredentialUse,
  detail: { readonly remedy: string },
): Fault => new Fault("CredentialUnavailable", message, { field, ...detail });

function basic(name: string, password: string, secret: KubeObject, use: CredentialUse): Revealed {
  if (name.includes(":"))
    throw unavailable(`The user name in the Secret ${secret.metadata.name} has a colon in it`, use, {
      remedy: "Basic ends the user name at the first colon: use another user, or another kind of credential.",
    });
  const encoded = Buffer.from(`${name}:${password}`, "utf8").toString("base64");
  return { header: "authorization", value: `Basic ${encoded}`, texts: telling(encoded, password) };
}

type Identity = Extract<Revealed, { certificate: string }>;

function identityIn(
  secret: KubeObject,
  { certificateKey, privateKeyKey }: Extract<KeptProof, { kind: "mtls" }>,
  use: CredentialUse,
): Identity {
  const certificate = valueOf(secret, certificateKey, use, PEM_BYTES);
  const privateKey = valueOf(secret, privateKeyKey, use, PEM_BYTES);
  try {
    createSecureContext({ cert: certificate, key: privateKey });
  } catch {
    // Why is the library's own business: its words may hold what it read.
    throw unavailable(
      `The Secret ${secret.metadata.name} has no certificate in PEM with the private key that belongs to it`,
      use,
      { remedy: "Make it with `kubectl create secret tls`." },
    );
  }
  return { certificate, privateKey };
}

const telling = (...texts: readonly string[]) => texts.filter((text) => text.length >= TELLING_CHARACTERS);

/** One line of visible characters: what an editor left at its end would be sent as a part of it. */
function lineOf(secret: KubeObject, key: string, use: CredentialUse): string {
  const text = valueOf(secret, key, use, SECRET_BYTES);
  if (!/\p{Cc}/u.test(text) && text.trim() === text) return text;
  throw unavailable(
    `The key ${key} of the Secret ${secret.metadata.name} has a line break, or white space at an end`,
    use,
    { remedy: "Write it without: `printf` adds none, `echo` does." },
  );
}

function valueOf(secret: KubeObject, key: string, use: CredentialUse, mostBytes: number): string {
  const { name } = secret.metadata;
  const encoded = fieldsOf(secret["data"])[key];
  const found = typeof encoded === "string" ? Buffer.from(encoded, "base64") : Buffer.alloc(0);
  if (found.length === 0)
    throw unavailable(`The Secret ${name} has no key ${key}, or nothing under it`, use, {
      remedy: "Add the key to the Secret, or name another in the credential.",
    });
  if (found.length > mostBytes)
    throw unavailable(`The key ${key} of the Secret ${name} has more than ${mostBytes} bytes`, use, {
      remedy: "Store the secret alone under the key.",
    });
  return found.toString("utf8");
}
