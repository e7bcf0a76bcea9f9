import type { Api, TenantApi } from "./api.ts";
import { Calls } from "./calls.ts";
import type { CredentialSource } from "./credentials.ts";
import { Discovery } from "./discovery.ts";
import { OPERATOR, tenantOnly, type TenantIdentity } from "./identity.ts";
import { readObject, type Resource } from "./resource.ts";
import { machineTime, type Time } from "./time.ts";
import { Transport } from "./transport.ts";

/** One cluster, reached over one bounded set of connections. Every method throws a `Fault`. */
export interface Cluster {
  /** Calls with the rights of a policy's service account. */
  as(identity: TenantIdentity): TenantApi;
  readonly operator: Api;
  /** The same rights over connections of its own, with 3 s for a call: for renewals of leases, which must not wait. */
  readonly leases: Api;
  /** How the cluster serves a kind. Throws `TargetNotFound` if it does not. */
  resource(apiVersion: string, kind: string): Promise<Resource>;
  /** The host that the API server is reached at: a name or an address. */
  host(): Promise<string>;
  close(): Promise<void>;
}

export interface ConnectOptions extends CredentialSource {
  readonly time?: Time;
}

/** Reads the credentials and returns the cluster; nothing is sent before the first call. */
export function connect({ time = machineTime, ...source }: ConnectOptions): Cluster {
  const transport = new Transport(source, time);
  const doubt = (apiVersion: string) => discovery.doubt(apiVersion);
  const operator = new Calls(transport, OPERATOR, doubt);
  const discovery = new Discovery((path) => operator.read(path), time);
  return {
    as: (identity) => tenantApi(new Calls(transport, tenantOnly(identity), doubt), identity),
    operator,
    leases: new Calls(transport, OPERATOR, doubt, true),
    resource: (apiVersion, kind) => discovery.resource(apiVersion, kind),
    host: () => transport.host(),
    close: () => transport.close(),
  };
}

function tenantApi(calls: Calls, identity: TenantIdentity): TenantApi {
  const { namespace } = identity;
  return {
    identity,
    get: (resource, name, subresource) => calls.get(resource, { namespace, name }, subresource),
    list: (resource, query) => calls.list(resource, { ...query, namespace }),
    create: async (resource, object) => readObject(await calls.create(resource, namespace, object), resource),
    request: (resource, name, subresource, body) =>
      calls.request(resource, { namespace, name }, subresource, body),
    replace: (resource, name, object, sub) => calls.replace(resource, { namespace, name }, object, sub),
    patch: (resource, name, type, body) => calls.patch(resource, { namespace, name }, type, body),
    apply: (resource, name, object, how) => calls.apply(resource, { namespace, name }, object, how),
    delete: (resource, name, uid) => calls.delete(resource, { namespace, name }, uid),
  };
}
