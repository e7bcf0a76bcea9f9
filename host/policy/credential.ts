import type { Parsed } from "./parse.ts";
import type { ServicePort } from "./target.ts";
import { specReader } from "./resource.ts";
import {
  clusterCredentialSpec,
  credentialSpec,
  type ClusterCredentialSpec,
  type CredentialSpec,
} from "./schema/credential.ts";

/** What a credential is bound to: a host that is asked over TLS, or a service of the namespace. */
export type BoundTo = { readonly host: string; readonly port: number } | { readonly service: ServicePort };

type Shown<Kind extends string> = Readonly<
  { kind: Kind; secret: string } & Required<
    Omit<NonNullable<CredentialSpec[Kind & keyof CredentialSpec]>, "secretRef">
  >
>;

/** How somebody is authenticated, and where the secret is. */
export type Proof =
  | Shown<"basic">
  | Shown<"bearer">
  | Shown<"mtls">
  | Shown<"sasl">
  | { readonly kind: "serviceAccountToken"; readonly audience: string; readonly expirationSeconds: number };

/** A `Credential` with every default filled in. There is no secret in it. */
export interface Credential {
  readonly name: string;
  readonly hosts: readonly BoundTo[];
  readonly proof: Proof;
}

/** A `ClusterCredential` with every default filled in. */
export interface ClusterCredential extends Credential {
  /** The namespaces that it names itself; a Tenant may grant it to more. */
  readonly namespaces: readonly string[];
}

const readCredential = specReader<CredentialSpec>(credentialSpec);
const readClusterCredential = specReader<ClusterCredentialSpec>(clusterCredentialSpec);

/** A `Credential` as an API server has it. The fault is `PolicyInvalid`, with all that is wrong. */
export function parseCredential(object: unknown): Parsed<Credential> {
  const parsed = readCredential(object);
  if (!parsed.ok) return parsed;
  const { name, spec } = parsed.value;
  return { ok: true, value: { name, hosts: spec.hosts.flatMap(boundTo), proof: proofOf(spec) } };
}

/** A `ClusterCredential` as an API server has it. The fault is `PolicyInvalid`, with all that is wrong. */
export function parseClusterCredential(object: unknown): Parsed<ClusterCredential> {
  const parsed = readClusterCredential(object);
  if (!parsed.ok) return parsed;
  const { name, spec } = parsed.value;
  const { namespaces = [] } = spec;
  return { ok: true, value: { name, hosts: spec.hosts.flatMap(boundTo), proof: proofOf(spec), namespaces } };
}

const HTTPS_PORT = 443;

function boundTo({ host, port = HTTPS_PORT, service }: CredentialSpec["hosts"][number]): BoundTo[] {
  if (service !== undefined) return [{ service }];
  return host === undefined ? [] : [{ host, port }];
}

/** The rules of the schema have seen to it that there is exactly one. */
function proofOf({ basic, bearer, mtls, sasl, ...rest }: CredentialSpec | ClusterCredentialSpec): Proof {
  if (basic !== undefined) return { kind: "basic", ...withSecret(basic) };
  if (bearer !== undefined) return { kind: "bearer", ...withSecret(bearer) };
  if (mtls !== undefined) return { kind: "mtls", ...withSecret(mtls) };
  if (sasl !== undefined) return { kind: "sasl", ...withSecret(sasl) };
  const { serviceAccountToken } = rest as CredentialSpec;
  if (serviceAccountToken === undefined) throw new TypeError("a credential without a kind passed its schema");
  return { kind: "serviceAccountToken", ...serviceAccountToken };
}

const withSecret = <Fields extends { secretRef: { name: string } }>({ secretRef, ...rest }: Fields) => ({
  ...rest,
  secret: secretRef.name,
});
