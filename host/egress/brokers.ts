import { Fault } from "../fault/index.ts";
import type { Broker, BrokerRule, Policy, ServicePort } from "../policy/index.ts";
import { deniedNow, inPrivate, refusedInside, refusedOutside, type AddressCheck } from "./address.ts";
import { before } from "./before.ts";
import { denied, quoted, Undone } from "./denial.ts";
import { DEFAULT_PORT, literalOf, readHost } from "./destination.ts";
import { isLocalName, matchesHost } from "./grant.ts";
import { clusterNames, publicNames, resolved, type Resolve } from "./resolve.ts";
import { checked, type Endpoint } from "./route.ts";

/** A broker of Kafka: the name it is asked by, and the addresses that were checked. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Where it is, unless it is a service of the cluster. */
  readonly outside?: "Public" | "Private";
}

/** Brokers outside the cluster that a policy may ask, and, if that is less than somebody may think, why. */
interface BrokerCeiling {
  readonly brokers: readonly BrokerRule[];
  readonly because?: string;
}

interface Options {
  readonly endpoint: Endpoint;
  /** Asked anew for each broker, so that what is taken away is gone at once. Default: no broker. */
  readonly ceiling?: (policy: Policy) => BrokerCeiling;
  readonly resolveOutside?: Resolve;
  /** Addresses that are not on the public Internet. Default: as the networks of the world are assigned. */
  readonly notPublic?: AddressCheck;
  /** Addresses and networks that nobody reaches: the API server's own, the nodes'. */
  readonly denied?: () => readonly string[];
  readonly resolveService?: Resolve;
}

/** Which brokers policies may connect to, under the same rules for names and addresses as requests over HTTP. */
export function brokerPlaces(options: Options) {
  const { endpoint, resolveService = clusterNames } = options;
  const never = deniedNow(options.denied ?? (() => []));
  const outside = outsidePlaces(options, never);
  const at = async (host: string, port: number, given: boolean, signal: AbortSignal): Promise<Place> => {
    const literal = literalOf(host);
    const addresses = literal === undefined ? await found(resolveService, host, signal) : [literal];
    return { host: literal ?? host, port, addresses: checked(host, addresses, refusedInside(never, given)) };
  };
  const atUrl = ({ hostname, port }: URL, signal: AbortSignal) =>
    // An address there can only be an administrator's: services have names.
    at(hostname, portOf(port), literalOf(hostname) !== undefined || hostname === "localhost", signal);
  const serviceAt = async (policy: Policy, service: ServicePort, signal: AbortSignal) =>
    before(signal, endpoint(policy, service));

  return {
    /**
     * A broker that the policy names. Throws what the endpoint throws, and `EffectDenied` for a forbidden address and for one
     * outside the cluster that no Tenant grants.
     */
    async named(policy: Policy, broker: Broker, signal: AbortSignal): Promise<Place> {
      if ("address" in broker) return outside.named(policy, broker.address, signal);
      return atUrl(await serviceAt(policy, broker.service, signal), signal);
    },

    /**
     * A broker that another one advertised, which is a stranger's word: one of those that the policy names, a name below a
     * service of the policy's namespace that has that port, or, where the policy names one outside the cluster, another one
     * that the Tenant grants. Throws `EffectDenied` for every other.
     */
    async advertised(
      policy: Policy,
      told: Pick<Place, "host" | "port">,
      named: readonly Place[],
      signal: AbortSignal,
    ): Promise<Place> {
      const refused = denied(`A broker says that it is at ${quoted(told.host)}, port ${told.port}`, {
        remedy: `Have brokers advertise names of services of the namespace, such as kafka-0.kafka.${policy.namespace}.svc; those outside the cluster have to be named under spec.brokers of the Tenant.`,
      });
      const { port } = told;
      const host = readHost(told.host);
      if (host === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) throw refused;
      const known = knownAs(host, port, named);
      if (known !== undefined) return known;
      const granted = named.some((one) => one.outside !== undefined) && outside.rulesOf(policy, host, port);
      if (granted && granted.length > 0) return outside.at(host, port, granted, signal);
      const name = serviceOf(host, policy.namespace);
      if (name === undefined) throw refused;
      const url = await serviceAt(policy, { name, port }, signal);
      const own = url.hostname === `${name}.${policy.namespace}.svc`;
      return own ? at(inFull(host, policy.namespace), port, false, signal) : atUrl(url, signal);
    },
  };
}

/** Brokers outside the cluster: none but those that the Tenant of the policy's namespace grants. */
function outsidePlaces(
  { ceiling = () => ({ brokers: [] }), resolveOutside = publicNames, notPublic }: Options,
  never: AddressCheck,
) {
  const refused: AddressCheck =
    notPublic === undefined ? refusedOutside(never) : (address) => notPublic(address) ?? never(address);
  const rulesOf = (policy: Policy, host: string, port: number) =>
    isLocalName(host)
      ? []
      : ceiling(policy).brokers.filter((rule) => rule.port === port && matchesHost(rule, host));
  const at = async (host: string, port: number, rules: readonly BrokerRule[], signal: AbortSignal) => {
    const networks = rules.flatMap((rule) => rule.networks ?? []);
    const literal = literalOf(host);
    const addresses = literal === undefined ? await found(resolveOutside, host, signal) : [literal];
    const may = inPrivate(networks, { denied: never, refusedOutside: refused });
    const isPublic = addresses.some((address) => refused(address) === undefined);
    const place: Place = { host: literal ?? host, port, addresses: checked(host, addresses, may) };
    return { ...place, outside: isPublic ? ("Public" as const) : ("Private" as const) };
  };
  return {
    rulesOf,
    at,
    async named(policy: Policy, address: string, signal: AbortSignal): Promise<Place> {
      const colon = address.lastIndexOf(":");
      const [host, port] = [readHost(address.slice(0, colon)), Number(address.slice(colon + 1))];
      if (host === undefined || port < 1 || port > 65_535)
        throw denied(`The broker ${quoted(address)} is no host and port in their usual spelling`);
      const rules = rulesOf(policy, host, port);
      if (rules.length > 0) return at(host, port, rules, signal);
      const why = ceiling(policy).because ?? "the Tenant does not name it";
      throw denied(`The broker ${quoted(address)} is not granted: ${why}`, {
        remedy: `Have the host and the port named under spec.brokers of the Tenant of ${policy.namespace}.`,
      });
    },
  };
}

const portOf = (port: string) => (port === "" ? DEFAULT_PORT.http : Number(port));

/** The named broker that this is: by its name, or by one of the addresses that its name has. */
function knownAs(host: string, port: number, named: readonly Place[]): Place | undefined {
  const literal = literalOf(host);
  for (const place of named) {
    if (place.port !== port) continue;
    if (place.host === host) return place;
    if (literal === undefined || !place.addresses.includes(literal)) continue;
    // Outside the cluster a certificate and a credential are a name's, whatever a broker calls itself.
    return { ...place, ...(place.outside === undefined ? { host: literal } : {}), addresses: [literal] };
  }
  return undefined;
}

/** The service that a name belongs to: `service`, or `service.namespace.svc` with the name of a pod before it or without. */
function serviceOf(host: string, namespace: string): string | undefined {
  if (literalOf(host) !== undefined) return undefined;
  const suffix = [`.${namespace}.svc`, `.${namespace}.svc.cluster.local`].find((one) => host.endsWith(one));
  if (suffix === undefined) return host.includes(".") ? undefined : host;
  const labels = host.slice(0, -suffix.length).split(".");
  return labels.length <= 2 ? labels.at(-1) : undefined;
}

/** As the operator has to look it up, which is in another namespace. */
const inFull = (host: string, namespace: string) => (host.includes(".") ? host : `${host}.${namespace}.svc`);

async function found(resolve: Resolve, host: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return await resolved(resolve, host, signal);
  } catch (thrown) {
    if (!(thrown instanceof Undone)) throw thrown;
    throw new Fault("SourceUnavailable", thrown.message, { retry: true });
  }
}
