import { Fault } from "../fault/index.ts";
import type { Broker, Policy, ServicePort } from "../policy/index.ts";
import { deniedNow, refusedInside } from "./address.ts";
import { before } from "./before.ts";
import { denied, quoted, Undone } from "./denial.ts";
import { DEFAULT_PORT, literalOf, readHost } from "./destination.ts";
import { clusterNames, resolved, type Resolve } from "./resolve.ts";
import { checked, type Endpoint } from "./route.ts";

/** A broker of Kafka: the name it is asked by, and the addresses that were checked. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

interface Options {
  readonly endpoint: Endpoint;
  /** Addresses and networks that nobody reaches: the API server's own, the nodes'. */
  readonly denied?: () => readonly string[];
  readonly resolveService?: Resolve;
}

/** Which brokers policies may connect to, under the same rules for names and addresses as requests to services. */
export function brokerPlaces(options: Options) {
  const { endpoint, resolveService = clusterNames } = options;
  const never = deniedNow(options.denied ?? (() => []));
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
    /** A broker that the policy names. Throws what the endpoint throws, and `EffectDenied` for a forbidden address. */
    async named(policy: Policy, broker: Broker, signal: AbortSignal): Promise<Place> {
      if (!("service" in broker))
        throw new Fault("NotSupported", `The broker ${broker.address} is no service`);
      return atUrl(await serviceAt(policy, broker.service, signal), signal);
    },

    /**
     * A broker that another one advertised, which is a stranger's word: one of those that the policy names, or a name below
     * a service of the policy's namespace that has that port. Throws `EffectDenied` for every other.
     */
    async advertised(
      policy: Policy,
      told: Pick<Place, "host" | "port">,
      named: readonly Place[],
      signal: AbortSignal,
    ): Promise<Place> {
      const refused = denied(`A broker says that it is at ${quoted(told.host)}, port ${told.port}`, {
        remedy: `Have brokers advertise names of services of the namespace, such as kafka-0.kafka.${policy.namespace}.svc.`,
      });
      const { port } = told;
      const host = readHost(told.host);
      if (host === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) throw refused;
      const known = knownAs(host, port, named);
      if (known !== undefined) return known;
      const name = serviceOf(host, policy.namespace);
      if (name === undefined) throw refused;
      const url = await serviceAt(policy, { name, port }, signal);
      const own = url.hostname === `${name}.${policy.namespace}.svc`;
      return own ? at(inFull(host, policy.namespace), port, false, signal) : atUrl(url, signal);
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
    if (literal !== undefined && place.addresses.includes(literal))
      return { host: literal, port, addresses: [literal] };
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
