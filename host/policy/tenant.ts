import { limitsOf } from "./limits.ts";
import type { Parsed } from "./parse.ts";
import type { BrokerRule, CeilingRule, StepLimits } from "./policy.ts";
import { specReader } from "./resource.ts";
import { BUDGET, MOST, tenantSpec, type TenantSpec } from "./schema/tenant.ts";

/** What the policies of a namespace may have on the network, at the most. */
export interface Ceiling {
  readonly hosts: readonly CeilingRule[];
  /** Brokers of Kafka outside the cluster. */
  readonly brokers: readonly BrokerRule[];
  /** Whom a token of an account of the namespace may be for. */
  readonly audiences: readonly string[];
  /** The ClusterCredentials that policies may use, besides those that name the namespace themselves. */
  readonly clusterCredentials: readonly string[];
  readonly requestsPerMinute: number;
  readonly bytesPerMinute: number;
  readonly limits: StepLimits;
}

/** A `Tenant` with every default filled in. */
export interface Tenant {
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly ceiling: Ceiling;
}

/** What a namespace has that belongs to no tenant: its own services, and no host elsewhere. */
export const NO_TENANT: Ceiling = {
  ...{ hosts: [], brokers: [], audiences: [], clusterCredentials: [], ...BUDGET },
  limits: limitsOf(MOST),
};

const read = specReader<TenantSpec>(tenantSpec);

/** A `Tenant` as an API server has it. The fault is `PolicyInvalid`, with all that is wrong. */
export function parseTenant(object: unknown): Parsed<Tenant> {
  const parsed = read(object);
  if (!parsed.ok) return parsed;
  const { name, spec } = parsed.value;
  const {
    namespaces,
    egress = [],
    brokers = [],
    audiences = [],
    clusterCredentials = [],
    budget,
    limits,
  } = spec;
  const ceiling = {
    hosts: egress,
    brokers,
    audiences,
    clusterCredentials,
    ...budget,
    limits: limitsOf(limits),
  };
  return { ok: true, value: { name, namespaces, ceiling } };
}
