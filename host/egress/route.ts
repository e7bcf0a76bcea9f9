import type { Policy, ServicePort } from "../policy/index.ts";
import { inPrivate, refusedInside, type AddressCheck } from "./address.ts";
import { before } from "./before.ts";
import { denied } from "./denial.ts";
import { DEFAULT_PORT, literalOf, originOf, readDestination, type Destination } from "./destination.ts";
import { allowedHost, allowedService, isLocalName, serviceName, type Allowed, type Grant } from "./grant.ts";
import { resolved, type Resolve } from "./resolve.ts";

/** The address of a service in the policy's namespace; it throws a fault if the policy may not use the service. */
export type Endpoint = (policy: Policy, service: ServicePort) => Promise<URL>;

/** What is around: how names become addresses, and which of those are out of reach. */
export interface Network {
  readonly endpoint: Endpoint;
  readonly publicNames: Resolve;
  readonly clusterNames: Resolve;
  /** What must never be connected to. */
  readonly denied: AddressCheck;
  /** Where a request outside the cluster must not go. */
  readonly refusedOutside: AddressCheck;
}

/** A place that a grant allows, before its name is resolved. */
export interface Place extends Allowed {
  readonly destination: Destination;
  /** The service it is, if it is one. */
  readonly service: ServicePort | undefined;
}

/** Reads a URL and finds the rule that allows it. Throws `EffectDenied`; nothing has been asked of any name server by then. */
export function placeOf(grant: Grant, method: string, url: string, named: string | undefined): Place {
  const destination = readDestination(url);
  const { scheme, host, port, path } = destination;
  const where = `${method} ${originOf(destination)}`;
  const name = serviceName(host, grant.policy.namespace);
  if (name !== undefined) {
    const service = { name, port };
    const allowed = scheme === "http" ? allowedService(grant, method, service, path, named) : undefined;
    if (allowed !== undefined) return { destination, service, ...allowed };
    throw denied(`${where} is not granted: no rule of spec.algorithm.egress allows it of that service`);
  }
  if (isLocalName(host)) throw denied(`${where} is not granted: ${host} is a name of the inside`);
  const allowed = allowedHost(grant, method, destination, named);
  if (typeof allowed === "string") throw denied(`${where} is not granted: ${allowed}`);
  return { destination, service: undefined, ...allowed };
}

/** A place with the addresses that it may be reached at. */
export interface Route {
  readonly destination: Destination;
  readonly addresses: readonly string[];
}

/** Resolves a place once, and checks every address it has. Throws `EffectDenied` if any of them is forbidden. */
export async function routeTo(
  place: Place,
  { policy }: Grant,
  network: Network,
  signal: AbortSignal,
): Promise<Route> {
  if (place.service === undefined) return outside(place, network, signal);
  const endpoint = await before(signal, network.endpoint(policy, place.service));
  return inside(place.destination, endpoint, network, signal);
}

async function outside(
  { destination, networks }: Place,
  network: Network,
  signal: AbortSignal,
): Promise<Route> {
  const literal = literalOf(destination.host);
  const addresses =
    literal === undefined ? await resolved(network.publicNames, destination.host, signal) : [literal];
  return { destination, addresses: checked(destination.host, addresses, inPrivate(networks, network)) };
}

/** The request's own path and query, at the endpoint. An address there can only be an administrator's: services have names. */
async function inside(
  asked: Destination,
  endpoint: URL,
  network: Network,
  signal: AbortSignal,
): Promise<Route> {
  const scheme = endpoint.protocol === "https:" ? "https" : "http";
  const host = endpoint.hostname;
  const port = endpoint.port === "" ? DEFAULT_PORT[scheme] : Number(endpoint.port);
  const literal = literalOf(host);
  const given = literal !== undefined || host === "localhost";
  const addresses = literal === undefined ? await resolved(network.clusterNames, host, signal) : [literal];
  return {
    destination: { ...asked, scheme, host, port },
    addresses: checked(host, addresses, refusedInside(network.denied, given)),
  };
}

/** All addresses of a host, if each of them may be connected to. Throws `EffectDenied` if one may not. */
export function checked(
  host: string,
  addresses: readonly string[],
  refused: AddressCheck,
): readonly string[] {
  for (const address of addresses) {
    const why = refused(address);
    // One forbidden address among good ones is how a name is turned against its reader: none of them is used.
    if (why !== undefined) throw denied(`${host} is at an address that may not be connected to: ${why}`);
  }
  return addresses;
}
