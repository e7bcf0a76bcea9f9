import { Fault } from "../fault/index.ts";
import type { Policy } from "../policy/index.ts";

declare const made: unique symbol;

/**
 * Whose rights a call for a policy uses: a service account of the policy's namespace. Only `serviceAccount` makes one, so
 * there is none without a name: the API server takes an empty impersonation header for no impersonation at all and would
 * run the call with the operator's rights.
 */
export interface TenantIdentity {
  readonly namespace: string;
  readonly name: string;
  /** The user name by which the API server knows the account. */
  readonly user: string;
  readonly [made]: true;
}

/** The operator's own rights: they are for its own objects, never for what a policy names. */
export const OPERATOR: unique symbol = Symbol("operator");
export type Identity = TenantIdentity | typeof OPERATOR;

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Whether the text is a DNS label: 1 to 63 small letters, digits and inner dashes. */
export const isDnsLabel = (text: unknown): text is string => typeof text === "string" && DNS_LABEL.test(text);

/** Every identity that was really made: a look-alike is not one. */
const MADE = new WeakSet<object>();

/** The identity of a service account. Throws `IdentityInvalid` unless both names are DNS labels. */
export function serviceAccount(namespace: string, name: string): TenantIdentity {
  if (!isDnsLabel(namespace)) throw invalid(`${JSON.stringify(namespace)} is not a namespace`);
  if (!isDnsLabel(name)) throw invalid(`${JSON.stringify(name)} is not the name of a service account`);
  const identity = Object.freeze({ namespace, name, user: userOf(namespace, name) }) as TenantIdentity;
  MADE.add(identity);
  return identity;
}

/** The account whose rights a policy has. */
export const accountOf = ({ namespace, serviceAccountName }: Account): TenantIdentity =>
  serviceAccount(namespace, serviceAccountName);
type Account = Pick<Policy, "namespace" | "serviceAccountName">;

/** The identity itself, if it is a whole service account. Throws `IdentityInvalid` for everything else. */
export function tenantOnly(identity: TenantIdentity): TenantIdentity {
  const { namespace, name, user } = Object(identity) as Partial<TenantIdentity>;
  const whole = isDnsLabel(namespace) && isDnsLabel(name) && user === userOf(namespace, name);
  if (!whole || !MADE.has(identity)) throw invalid("A call for a tenant has no whole service account");
  return identity;
}

/** The headers that make a call run as the identity: none only for the operator. Throws `IdentityInvalid`. */
export const impersonation = (identity: Identity): Readonly<Record<string, string>> =>
  identity === OPERATOR ? {} : { "impersonate-user": tenantOnly(identity).user };

const userOf = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`;

const invalid = (message: string) =>
  new Fault("IdentityInvalid", message, { field: "spec.serviceAccountName" });
