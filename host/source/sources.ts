import { Agent } from "undici";
import { asFault, Fault } from "../fault/index.ts";
import type { Observation } from "../knowledge/index.ts";
import type { Sources } from "../loop/index.ts";
import type { Kafka } from "../kafka/index.ts";
import type {
  CredentialUse,
  FlinkSource,
  Policy,
  PrometheusSource,
  ServicePort,
  Source,
  TenantKey,
} from "../policy/index.ts";
import { kafkaSource } from "./kafka.ts";
import { LIMITS } from "./limits.ts";
import { prometheusSource } from "./prometheus.ts";
import type { Shown } from "./shown.ts";

/**
 * The address of a service in the policy's namespace. It decides whether the policy may use the service, and throws a
 * fault if not; only the scheme, host and port of what it returns are used.
 */
export type Endpoint = (policy: Policy, service: ServicePort) => Promise<URL>;

/** The credential of a source, for its service. It throws a fault if the policy may not use it there. */
export type CredentialOf = (policy: Policy, use: CredentialUse, service: ServicePort) => Promise<Shown>;

/** The metrics of the policy's own Flink job. */
export type FlinkMetrics = (
  policy: Policy,
  source: FlinkSource,
  at: Date,
  signal: AbortSignal,
) => Promise<Observation>;

interface SourceOptions {
  /** Without it a source of the kind flink cannot be read. */
  readonly flink?: FlinkMetrics;
  readonly endpoint: Endpoint;
  /** Without it a source that names a credential cannot be read. */
  readonly credential?: CredentialOf;
  /** Without it a source that reads Kafka cannot be read. Its connections are closed with the others. */
  readonly kafka?: Kafka;
}

/** The sources of the loop, and the end of their connections. */
export type TenantSources = Sources & { close(): Promise<void> };

/**
 * Reads all sources of a policy at the same time, each within its own time-out, in the policy's order. Connections are
 * a tenant's own: nothing that one tenant does to its connections can be felt by another.
 */
export function sources({
  endpoint,
  credential = nobodys,
  flink = noFlink,
  kafka,
}: SourceOptions): TenantSources {
  const agents = new Map<TenantKey, Agent>();

  const observePrometheus = async (
    policy: Policy,
    source: PrometheusSource,
    at: Date,
    signal: AbortSignal,
  ) => {
    const dispatcher = agentOf(agents, policy.tenant);
    const found = await within(endpoint(policy, source.service), signal, source, "found");
    const shown =
      source.credential === undefined
        ? NOTHING
        : await within(
            credential(policy, source.credential, source.service),
            signal,
            source,
            "authenticated",
          );
    return prometheusSource(source, { endpoint: found, dispatcher, signal, at, shown });
  };

  const observeOne = async (policy: Policy, source: Source, at: Date): Promise<Observation> => {
    const signal = AbortSignal.timeout(source.timeoutMs);
    try {
      if (source.kind === "flink") return await flink(policy, source, at, signal);
      if (source.kind === "prometheus") return await observePrometheus(policy, source, at, signal);
      if (kafka !== undefined) return await kafkaSource(source, { kafka, policy, signal, at });
      throw new Fault("NotSupported", "There is nobody to ask Kafka");
    } catch (thrown) {
      const { code, message } = asFault(thrown);
      return { error: { code, message: `${source.name}: ${message}` }, at: at.toISOString() };
    }
  };

  return {
    async observe(policy, at) {
      const seen = policy.sources.map(
        async (source) => [source.name, await observeOne(policy, source, at)] as const,
      );
      return Object.fromEntries(await Promise.all(seen));
    },
    async close() {
      kafka?.close();
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      agents.clear();
    },
  };
}

/** The tenant's connections; the map's order is who was idle longest. */
function agentOf(agents: Map<TenantKey, Agent>, tenant: TenantKey): Agent {
  const known = agents.get(tenant);
  const agent =
    known ??
    new Agent({
      connections: LIMITS.connections,
      keepAliveTimeout: LIMITS.idleMs,
      connect: { timeout: LIMITS.connectMs },
    });
  agents.delete(tenant);
  agents.set(tenant, agent);
  const [idlest] = agents.keys();
  if (agents.size > LIMITS.tenants && idlest !== undefined) {
    // Closing waits for what is under way, so that nobody's request is cut off.
    void agents.get(idlest)?.close();
    agents.delete(idlest);
  }
  return agent;
}

const NOTHING: Shown = { headers: {}, texts: [] };
const nobodys: CredentialOf = (_policy, { kind, name, field }) =>
  Promise.reject(new Fault("NotSupported", `There is nobody to read the ${kind} ${name} from`, { field }));

const noFlink: FlinkMetrics = () =>
  Promise.reject(new Fault("NotSupported", "There is nobody to read the metrics of a Flink job"));

/** Finding the address and reading the credential count towards the source's time-out. */
function within<T>(
  work: Promise<T>,
  signal: AbortSignal,
  { service, timeoutMs }: PrometheusSource,
  done: "found" | "authenticated",
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () =>
      reject(
        new Fault("SourceUnavailable", `${service.name} was not ${done} within ${timeoutMs} ms`, {
          retry: true,
        }),
      );
    signal.addEventListener("abort", late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", late));
  });
}
