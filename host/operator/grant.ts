import type { Egress, Endpoint, Grant } from "../egress/index.ts";
import { asFault, Fault } from "../fault/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Credentials } from "./credential.ts";
import type { Tenants } from "./tenants.ts";

type Perform = (
  request: Parameters<Egress["perform"]>[0],
  signal: AbortSignal,
) => ReturnType<Egress["perform"]>;

/**
 * Who has effects for a policy: the egress, under what the policy asks for inside what its tenant may have. Undefined for a
 * policy that asks for nothing. The ceiling is looked up for each request, so that what is taken away is gone at once.
 */
export function effectsOf(
  egress: Egress,
  tenants: Tenants,
  credentials: Credentials,
): (policy: Policy) => Perform | undefined {
  return (policy) => {
    const { hosts, services } = policy.algorithm.egress;
    if (hosts.length + services.length === 0) return undefined;
    return (request, signal) => egress.perform(request, grantOf(policy, tenants, credentials), signal);
  };
}

/** Where a service is, for an algorithm that asks it: what keeps it from being asked is a rule of the policy's egress. */
export const egressEndpoint =
  (endpoint: Endpoint): Endpoint =>
  async (policy, service) => {
    try {
      return await endpoint(policy, service);
    } catch (thrown) {
      const { code, message, retry } = asFault(thrown);
      if (code === "ClusterUnavailable") throw thrown;
      const found = `The service ${service.name} cannot be asked: ${message}`;
      throw new Fault("EffectDenied", found, {
        field: "spec.algorithm.egress",
        remedy: "Name a service with this port in the policy's namespace, which its account may get.",
        retry,
      });
    }
  };

function grantOf(policy: Policy, tenants: Tenants, credentials: Credentials): Grant {
  const { hosts, services } = policy.algorithm.egress;
  const { requestsPerMinute, bytesPerMinute, because, ...ceiling } = tenants.ceilingOf(policy.namespace);
  return {
    policy,
    hosts,
    services,
    ceiling: { hosts: ceiling.hosts, services: true, ...(because === undefined ? {} : { because }) },
    credential: (use) => credentials.of(policy, use),
    requestsPerMinute,
    bytesPerMinute,
  };
}
