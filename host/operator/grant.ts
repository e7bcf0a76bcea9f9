import type { Egress, Grant } from "../egress/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Tenants } from "./tenants.ts";

type Perform = (
  request: Parameters<Egress["perform"]>[0],
  signal: AbortSignal,
) => ReturnType<Egress["perform"]>;

/**
 * Who has effects for a policy: the egress, under what the policy asks for inside what its tenant may have. Undefined for a
 * policy that asks for nothing. The ceiling is looked up for each request, so that what is taken away is gone at once.
 */
export function effectsOf(egress: Egress, tenants: Tenants): (policy: Policy) => Perform | undefined {
  return (policy) => {
    const { hosts, services } = policy.algorithm.egress;
    if (hosts.length + services.length === 0) return undefined;
    return (request, signal) => egress.perform(request, grantOf(policy, tenants), signal);
  };
}

function grantOf(policy: Policy, tenants: Tenants): Grant {
  const { hosts, services } = policy.algorithm.egress;
  const { requestsPerMinute, bytesPerMinute, because, ...ceiling } = tenants.ceilingOf(policy.namespace);
  return {
    policy,
    hosts,
    services,
    ceiling: { hosts: ceiling.hosts, services: true, ...(because === undefined ? {} : { because }) },
    credentials: [],
    requestsPerMinute,
    bytesPerMinute,
  };
}
