import { isIP } from "node:net";
import { parseArgs } from "node:util";

import type { Isolation } from "./engine/index.ts";
import type { TargetKind } from "./driver/index.ts";
import { Fault } from "./fault/index.ts";
import type { LogLevel } from "./telemetry/index.ts";

/** What the host was told on its command line, every default filled in. */
export interface Flags {
  readonly command: "operator" | "standalone" | "help";
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Where knowledge and modules are kept. */
  readonly state: string;
  /** A file with the URL of the PostgreSQL database that knowledge is kept in, instead. */
  readonly knowledgeUrlFile: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly concurrency: number;
  readonly sandboxes: number;
  readonly blanks: number;
  readonly isolation: Isolation;
  /** Where the supervisor of the sandboxes listens that runs already, such as in another container. */
  readonly supervisorSocket: string | undefined;
  /** Registries that may be spoken to without TLS. */
  readonly insecureRegistries: readonly string[];
  /** A file of certificates that registries are trusted by, besides the usual ones. */
  readonly registryCa: string | undefined;
  readonly serviceAddresses: ReadonlyMap<string, URL>;
  /** Addresses and networks that no algorithm's request reaches. */
  readonly denyAddresses: readonly string[];
  /** Where the Secrets of ClusterCredentials are. */
  readonly namespace: string;
  /** Kinds of targets that the operator keeps copies of. */
  readonly informers: readonly TargetKind[];
  /** Where traces are sent by OTLP over HTTP. */
  readonly traces: string | undefined;
  /** Whether several replicas share the policies, and how; undefined where this one has them all. */
  readonly sharing: Sharing | undefined;
  readonly policy: string | undefined;
  /** Ends by itself after this time; undefined runs until it is told to end. */
  readonly forSeconds: number | undefined;
}

/** How replicas share the policies of a cluster. */
export interface Sharing {
  /** Where the cluster has no number yet. */
  readonly shards: number;
  /** Where the Leases are. */
  readonly namespace: string;
  /** How long a Lease holds. */
  readonly leaseSeconds: number;
}

export const HELP = `usage: node host/main.ts operator [options]     scale the policies of a cluster
       node host/main.ts standalone [options]   scale a simulated application, without a cluster

  --state DIR                  where knowledge and modules are kept (default .sluice)
  --knowledge-url-file FILE    keep knowledge in PostgreSQL instead: a file with a postgres:// URL
  --host ADDRESS, --port N     the console's (default 127.0.0.1, 8080; port 0 takes a free one)
  --log-level LEVEL            trace, debug, info, warn, error or silent (default info; standalone: warn)
  --sandboxes N                sandbox processes at the same time (default 8)
  --blanks N                   sandbox processes that are kept started besides (default 1)
  --isolation tenant|shared    whether a sandbox process serves one tenant while it lives, or all (default tenant)
  --supervisor-socket PATH     use the sandboxes of a supervisor that listens there; it was told the three above itself
operator:
  --kubeconfig FILE, --context NAME   default: the account that is mounted into the pod
  --concurrency N              passes at the same time, of one namespace half of them at most (default 16)
  --insecure-registry HOST     may be pulled from without TLS (repeatable)
  --registry-ca FILE           certificates that registries are trusted by besides the usual ones
  --service-address NAMESPACE/NAME:PORT=URL
                               where a service is, for an operator that runs outside the cluster (repeatable)
  --deny-address ADDRESS|NETWORK
                               is never reached by what an algorithm asks, besides the API server (repeatable)
  --namespace NAME             where the Secrets of ClusterCredentials are (default sluice-system)
  --replicas N                 more than 1: share the policies with others of their kind by Leases (default 1)
  --shards N                   parts that the policies are shared in, for the first replica of all (default 8)
  --lease-namespace NAME       where the Leases are; given, policies are shared (default --namespace's)
  --lease-seconds N            another replica takes over after so long without a word (default 15)
  --informer APIVERSION/KIND   keep copies of targets of this kind, whose scale is spec.replicas and status.replicas
                               (repeatable; default apps/v1/Deployment and apps/v1/StatefulSet; none keeps none)
  --traces URL                 where a span for every pass is sent, such as http://collector:4318/v1/traces
standalone:
  --policy FILE                a ScalingPolicy of your own over the simulated application
  --for SECONDS                end after that many seconds (30 or 30s)
`;

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  kubeconfig: { type: "string" },
  context: { type: "string" },
  state: { type: "string" },
  "knowledge-url-file": { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "log-level": { type: "string" },
  concurrency: { type: "string" },
  sandboxes: { type: "string" },
  blanks: { type: "string" },
  isolation: { type: "string" },
  "supervisor-socket": { type: "string" },
  "insecure-registry": { type: "string", multiple: true },
  "registry-ca": { type: "string" },
  "deny-address": { type: "string", multiple: true },
  "service-address": { type: "string", multiple: true },
  namespace: { type: "string" },
  informer: { type: "string", multiple: true },
  traces: { type: "string" },
  replicas: { type: "string" },
  shards: { type: "string" },
  "lease-namespace": { type: "string" },
  "lease-seconds": { type: "string" },
  policy: { type: "string" },
  for: { type: "string" },
} as const;

const LEVELS: readonly string[] = ["trace", "debug", "info", "warn", "error", "silent"];

/** Reads the command line. Throws `UsageInvalid` with the flag and what it takes. */
export function readFlags(given: readonly string[]): Flags {
  const { values, positionals } = parsed(given);
  const command = values.help === true ? "help" : positionals[0];
  if (command !== "operator" && command !== "standalone" && command !== "help") {
    throw usage(
      command === undefined ? "no command was given" : `there is no command ${command}`,
      "use operator, standalone or --help",
    );
  }
  const logLevel = values["log-level"] ?? (command === "standalone" ? "warn" : "info");
  if (!LEVELS.includes(logLevel)) throw usage(`--log-level ${logLevel}`, `it takes ${LEVELS.join(", ")}`);
  return {
    command,
    kubeconfig: values.kubeconfig,
    context: values.context,
    state: values.state ?? ".sluice",
    knowledgeUrlFile: values["knowledge-url-file"],
    host: values.host ?? "127.0.0.1",
    port: count("port", values.port, 8_080, 0, 65_535),
    logLevel: logLevel as LogLevel,
    concurrency: count("concurrency", values.concurrency, 16, 1, 1_000),
    sandboxes: count("sandboxes", values.sandboxes, 8, 1, 100),
    blanks: count("blanks", values.blanks, 1, 1, 100),
    isolation: isolation(values.isolation ?? "tenant"),
    supervisorSocket: values["supervisor-socket"],
    insecureRegistries: values["insecure-registry"] ?? [],
    registryCa: values["registry-ca"],
    serviceAddresses: new Map((values["service-address"] ?? []).map(serviceAddress)),
    denyAddresses: (values["deny-address"] ?? []).map(network),
    namespace: values.namespace ?? "sluice-system",
    informers: informers(values.informer ?? ["apps/v1/Deployment", "apps/v1/StatefulSet"]),
    traces: tracesUrl(values.traces),
    sharing: sharing(values),
    policy: values.policy,
    forSeconds:
      values.for === undefined ? undefined : count("for", values.for.replace(/s$/, ""), 0, 1, 1_000_000),
  };
}

function parsed(given: readonly string[]) {
  try {
    return parseArgs({ args: [...given], options: OPTIONS, allowPositionals: true });
  } catch (thrown) {
    throw usage(thrown instanceof Error ? thrown.message : String(thrown), "--help lists what there is");
  }
}

function count(
  flag: string,
  text: string | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < least || value > most || text?.trim() === "") {
    throw usage(`--${flag} ${text}`, `it takes a whole number from ${least} to ${most}`);
  }
  return value;
}

function sharing(values: ReturnType<typeof parsed>["values"]): Sharing | undefined {
  const replicas = count("replicas", values.replicas, 1, 1, 100);
  const shards = count("shards", values.shards, 8, 1, 1_024);
  // A call takes its time: below 2 s a lease would be lost to any hiccup.
  const leaseSeconds = count("lease-seconds", values["lease-seconds"], 15, 2, 300);
  if (replicas === 1 && values["lease-namespace"] === undefined) return undefined;
  const namespace = values["lease-namespace"] ?? values.namespace ?? "sluice-system";
  return { shards: Math.max(shards, replicas), namespace, leaseSeconds };
}

function isolation(text: string): Isolation {
  if (text !== "tenant" && text !== "shared") throw usage(`--isolation ${text}`, "it takes tenant or shared");
  return text;
}

function network(text: string): string {
  const [address = "", bits = "0"] = text.split("/");
  const most = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most)
    throw usage(`--deny-address ${text}`, "it takes an address, or a network such as 10.0.0.0/8");
  return text;
}

function informers(given: readonly string[]): TargetKind[] {
  if (given.join() === "none") return [];
  return given.map((text) => {
    const { apiVersion, kind } =
      /^(?<apiVersion>([^/]+\/)?v\d\w*)\/(?<kind>[A-Z]\w*)$/.exec(text)?.groups ?? {};
    if (apiVersion !== undefined && kind !== undefined) return { apiVersion, kind };
    throw usage(`--informer ${text}`, "it takes APIVERSION/KIND, such as apps/v1/Deployment, or none");
  });
}

function tracesUrl(text: string | undefined): string | undefined {
  if (text === undefined || (URL.canParse(text) && /^https?:/.test(text))) return text;
  throw usage(`--traces ${text}`, "it takes the URL of an OTLP endpoint over HTTP");
}

function serviceAddress(text: string): [string, URL] {
  const [, service = "", url = ""] = /^([^=]+\/[^=]+:\d+)=(.+)$/.exec(text) ?? [];
  if (!URL.canParse(url)) throw usage(`--service-address ${text}`, "it takes NAMESPACE/NAME:PORT=URL");
  return [service, new URL(url)];
}

const usage = (message: string, remedy: string) =>
  new Fault("UsageInvalid", message, { remedy: `${remedy}.` });
