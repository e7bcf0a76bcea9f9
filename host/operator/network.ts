import { brokerPlaces, egress } from "../egress/index.ts";
import type { Fault } from "../fault/index.ts";
import type { Cluster, Time } from "../kube/index.ts";
import { followControlPlane } from "./control-plane.ts";
import { credentials, type Credentials } from "./credential.ts";
import { serviceEndpoint, type ServiceAddresses } from "./endpoint.ts";
import { effectsOf, egressEndpoint } from "./grant.ts";
import { followTenants, type Tenants } from "./tenants.ts";

/** What policies reach over the network, and what they are authenticated by. */
export interface Network {
  readonly endpoint: ReturnType<typeof serviceEndpoint>;
  readonly brokers: ReturnType<typeof brokerPlaces>;
  readonly effects: ReturnType<typeof effectsOf>;
  readonly credentials: Credentials;
  readonly tenants: Tenants;
  /** Whether it is known what is granted and what is denied: before that, no host is granted. */
  hasSynced(): boolean;
  /** Ends after the signal was given, with every secret forgotten; never rejects. */
  readonly ended: Promise<void>;
}

interface Options {
  readonly cluster: Cluster;
  /** Where services are, for an operator outside the cluster. */
  readonly addresses: ServiceAddresses;
  /** What an administrator denied: addresses and networks. */
  readonly denied: readonly string[];
  /** The addresses at which the operator reaches the API server. */
  readonly reached: readonly string[];
  /** Where the Secrets of ClusterCredentials are. */
  readonly namespace: string;
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly onFault: (fault: Fault) => void;
}

/** Follows what decides over the network, the Tenants and the API servers' addresses, until the signal is given. */
export async function openNetwork(options: Options): Promise<Network> {
  const { cluster, namespace, time } = options;
  const tenants = await followTenants(options);
  const plane = await followControlPlane(options);
  const endpoint = serviceEndpoint(cluster, options.addresses);
  const known = credentials({ cluster, tenants, namespace, time });
  const out = egress({ endpoint: egressEndpoint(endpoint), denied: plane.denied });
  return {
    endpoint,
    brokers: brokerPlaces({
      ...{ endpoint, denied: plane.denied },
      ceiling: ({ namespace: of }) => tenants.ceilingOf(of),
    }),
    effects: effectsOf(out, tenants, known),
    credentials: known,
    tenants,
    hasSynced: () => tenants.hasSynced() && plane.hasSynced(),
    ended: Promise.all([tenants.ended, plane.ended]).then(() => known.close()),
  };
}
