import { asFault, Fault } from "../fault/index.ts";
import { fieldsOf, reflect, type Cluster, type KubeObject, type Time } from "../kube/index.ts";

/** Where the API server is. */
export interface ControlPlane {
  /** What nobody may ask: the API servers' addresses, and what an administrator denied. A new list whenever it changes. */
  denied(): readonly string[];
  /** Whether the addresses have been read. */
  hasSynced(): boolean;
  /** Ends after the signal was given; never rejects. */
  readonly ended: Promise<void>;
}

interface Options {
  readonly cluster: Cluster;
  /** What an administrator denied: addresses and networks. */
  readonly denied: readonly string[];
  /** The addresses at which the operator reaches the API server. */
  readonly reached: readonly string[];
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
}

// Every cluster has this one Service and the endpoints behind it, one for each API server.
const SELF = { namespace: "default", name: "kubernetes" };

/** Follows the addresses of the API servers, so that one that joins is out of reach too. */
export async function followControlPlane(options: Options): Promise<ControlPlane> {
  const { cluster, time, signal, onFault } = options;
  const service = await serviceAddresses(cluster).catch((thrown: unknown) => {
    onFault(unknown(thrown));
    return [];
  });
  const fixed = [...options.denied, ...[...options.reached, ...service].filter(isElsewhere)];
  let denied: readonly string[] | undefined;
  const slices = reflect({
    api: cluster.operator,
    resource: await cluster.resource("discovery.k8s.io/v1", "EndpointSlice"),
    namespace: SELF.namespace,
    fieldSelector: `metadata.name=${SELF.name}`,
    trim: endpointAddresses,
    onEvent: () => (denied = undefined),
    onFault: (fault) => onFault(unknown(fault)),
    time,
    signal,
  });
  return {
    denied: () =>
      (denied ??= [
        ...fixed,
        ...slices
          .entries()
          .flatMap(([, found]) => found)
          .filter(isElsewhere),
      ]),
    hasSynced: () => slices.hasSynced(),
    ended: slices.ended,
  };
}

async function serviceAddresses(cluster: Cluster): Promise<string[]> {
  const service = await cluster.operator.get(await cluster.resource("v1", "Service"), SELF);
  const { clusterIP, clusterIPs } = fieldsOf(service["spec"]);
  const all: unknown[] = [clusterIP, ...(Array.isArray(clusterIPs) ? (clusterIPs as unknown[]) : [])];
  return [...new Set(all)].filter(
    (one): one is string => typeof one === "string" && one !== "None" && one !== "",
  );
}

function endpointAddresses(slice: KubeObject): readonly string[] {
  const endpoints = Array.isArray(slice["endpoints"]) ? (slice["endpoints"] as unknown[]) : [];
  return endpoints.flatMap((one) => {
    const { addresses } = fieldsOf(one);
    return Array.isArray(addresses) ? addresses.filter((address) => typeof address === "string") : [];
  });
}

/**
 * On this machine itself an API server is reached by nobody anyway: requests to the loopback are made only where an
 * administrator gave the address of a service.
 */
const isElsewhere = (address: string): boolean => !address.startsWith("127.") && address !== "::1";

function unknown(thrown: unknown): Fault {
  const { code, message, remedy, retry } = asFault(thrown);
  return new Fault(code, `Some addresses of the API server are not known: ${message}`, { remedy, retry });
}
