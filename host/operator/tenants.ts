import { Fault } from "../fault/index.ts";
import { reflect, type Cluster, type KubeObject, type Time } from "../kube/index.ts";
import { NO_TENANT, parseTenant, type Ceiling, type Tenant } from "../policy/index.ts";

/** What a namespace may have, and, if that is less than somebody may think, why. */
export interface Granted extends Ceiling {
  readonly because?: string;
}

/** The tenants of a cluster. */
export interface Tenants {
  /** What the policies of a namespace may have at the most. */
  ceilingOf(namespace: string): Granted;
  /** Whether all Tenants have been read: before that no host is granted. */
  hasSynced(): boolean;
  /** Ends after the signal was given; never rejects. */
  readonly ended: Promise<void>;
}

interface Options {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly signal: AbortSignal;
  /** Told of what is wrong with a Tenant, and of every failure that was survived. */
  readonly onFault: (fault: Fault) => void;
}

/** Follows the Tenants of a cluster until the signal is given. */
export async function followTenants({ cluster, time, signal, onFault }: Options): Promise<Tenants> {
  const resource = await cluster.resource("sluice.dev/v1alpha1", "Tenant");
  let byNamespace: ReadonlyMap<string, readonly Tenant[]> | undefined;
  const tenants = reflect({
    api: cluster.operator,
    resource,
    trim: (object) => readTenant(object, onFault),
    onEvent: () => (byNamespace = undefined),
    onFault,
    time,
    signal,
  });
  return {
    ceilingOf(namespace) {
      if (!tenants.hasSynced())
        return { ...NO_TENANT, because: "the Tenants of the cluster have not been read yet" };
      byNamespace ??= indexed(tenants.entries().flatMap(([, one]) => one ?? []));
      return ceilingFrom(namespace, byNamespace.get(namespace) ?? []);
    },
    hasSynced: () => tenants.hasSynced(),
    ended: tenants.ended,
  };
}

/** What one namespace may have by these tenants that name it. */
function ceilingFrom(namespace: string, [first, second]: readonly Tenant[]): Granted {
  if (first === undefined) return { ...NO_TENANT, because: `no Tenant has the namespace ${namespace}` };
  if (second === undefined)
    return { ...first.ceiling, because: `the Tenant ${first.name} has no rule under spec.egress for it` };
  // Which of the two was meant cannot be known: neither grants.
  const both = `${first.name} and ${second.name}`;
  return {
    ...NO_TENANT,
    because: `the namespace ${namespace} is in two Tenants, ${both}, and neither counts`,
  };
}

/** A Tenant that cannot be read grants nothing. */
function readTenant(object: KubeObject, onFault: (fault: Fault) => void): Tenant | undefined {
  const parsed = parseTenant(object);
  if (parsed.ok) return parsed.value;
  const { code, message, field } = parsed.fault;
  onFault(new Fault(code, `Tenant ${object.metadata.name}: ${field}: ${message}`));
  return undefined;
}

function indexed(tenants: readonly Tenant[]): Map<string, Tenant[]> {
  const found = new Map<string, Tenant[]>();
  for (const tenant of tenants)
    for (const namespace of tenant.namespaces)
      found.set(namespace, [...(found.get(namespace) ?? []), tenant]);
  return found;
}
