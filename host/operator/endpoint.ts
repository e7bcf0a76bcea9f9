import { Fault } from "../fault/index.ts";
import { accountOf, type Cluster, type KubeObject } from "../kube/index.ts";
import type { Policy, ServicePort } from "../policy/index.ts";

/** Addresses that the administrator gives for services, by `namespace/name:port`: for an operator outside the cluster. */
export type ServiceAddresses = ReadonlyMap<string, URL>;

/**
 * Finds the address of a service in the policy's namespace, reading the service as the policy's account: what the account
 * may not see, the policy may not ask. A service that only stands for another name, or whose endpoints somebody wrote by
 * hand, is refused: it could be anything.
 */
export function serviceEndpoint(cluster: Cluster, addresses: ServiceAddresses) {
  return async (policy: Policy, { name, port }: ServicePort): Promise<URL> => {
    const resource = await cluster.resource("v1", "Service");
    const service = await cluster.as(accountOf(policy)).get(resource, name);
    if (!servesPort(service, port)) {
      throw new Fault("SourceUnavailable", `The service ${name} has no port ${port}`, {
        field: "spec.sources",
      });
    }
    const given = addresses.get(`${policy.namespace}/${name}:${port}`);
    return given ?? new URL(`http://${name}.${policy.namespace}.svc:${port}`);
  };
}

interface ServiceSpec {
  readonly type?: string;
  readonly ports?: readonly { readonly port?: number }[];
  readonly selector?: Readonly<Record<string, string>>;
}

function servesPort(service: KubeObject, port: number): boolean {
  const { type, ports, selector } = (service["spec"] ?? {}) as ServiceSpec;
  if (type === "ExternalName") {
    throw new Fault("SourceUnavailable", `The service ${service.metadata.name} is an ExternalName`, {
      field: "spec.sources",
      remedy: "Name a service with endpoints in the policy's namespace.",
    });
  }
  // Its endpoints were written by hand: they could be any address that the operator reaches, and its tenant does not.
  if (Object.keys(selector ?? {}).length === 0) {
    throw new Fault("SourceUnavailable", `The service ${service.metadata.name} has no selector`, {
      field: "spec.sources",
      remedy: "Name a service that selects pods of the policy's namespace.",
    });
  }
  return (ports ?? []).some((one) => one.port === port);
}
