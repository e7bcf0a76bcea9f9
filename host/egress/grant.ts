import type { HostRule, Policy, ServicePort, ServiceRule } from "../policy/index.ts";
import { DEFAULT_PORT, literalOf, readHost, type Destination } from "./destination.ts";

/** A secret header. The host adds it, to requests to one origin and over TLS, or to one service; a guest only names it. */
export type EgressCredential = {
  readonly name: string;
  readonly header: string;
  readonly value: string;
} & ({ readonly origin: string } | { readonly service: ServicePort });

/** All that a policy may do on the network: what it asks for, inside what the administrator lets its tenant have. */
export interface Grant {
  readonly policy: Policy;
  readonly hosts: readonly HostRule[];
  readonly services: readonly ServiceRule[];
  readonly ceiling: {
    readonly hosts: readonly HostRule[];
    readonly services: boolean;
    /** Why it is no higher, for whoever is denied something by it. */
    readonly because?: string;
  };
  readonly credentials: readonly EgressCredential[];
  readonly requestsPerMinute: number;
  readonly bytesPerMinute: number;
  /** How many redirects are followed, at most 3. Default 0: the redirect is the answer. */
  readonly redirects?: number;
}

/** Why a request to a host outside the cluster is not allowed; undefined if the policy's rules and the ceiling both allow it. */
export function deniedHost(
  { hosts, ceiling }: Grant,
  method: string,
  destination: Destination,
): string | undefined {
  const allowedBy = (rules: readonly HostRule[]) => rules.some((rule) => matches(rule, method, destination));
  if (!allowedBy(hosts)) return "no rule of spec.algorithm.egress allows it";
  return allowedBy(ceiling.hosts) ? undefined : (ceiling.because ?? "the Tenant does not grant it");
}

/** Whether the policy's rules and the ceiling both allow a request to a service. */
export const allowsService = (
  { services, ceiling }: Grant,
  method: string,
  { name, port }: ServicePort,
  path: string,
): boolean =>
  ceiling.services &&
  services.some(
    ({ service, ...allowance }) =>
      service.name === name && service.port === port && allows(allowance, method, path),
  );

/**
 * The service of the policy's namespace that a host is the name of: `name`, as a pod of the namespace would write it, or
 * `name.namespace.svc`, with or without `.cluster.local`.
 */
export function serviceName(host: string, namespace: string): string | undefined {
  const [name, ...rest] = host.split(".");
  const suffixes = ["", `${namespace}.svc`, `${namespace}.svc.cluster.local`];
  return literalOf(host) === undefined && suffixes.includes(rest.join(".")) ? name : undefined;
}

/** Names that mean something else inside the cluster or on this machine than outside; no rule opens them. */
export function isLocalName(host: string): boolean {
  const labels = host.split(".");
  return literalOf(host) === undefined && (labels.length === 1 || LOCAL.has(labels.at(-1) ?? ""));
}
const LOCAL: ReadonlySet<string> = new Set(["local", "localhost", "localdomain", "svc", "internal"]);

function matches(rule: HostRule, method: string, { scheme, host, port, path }: Destination): boolean {
  const { scheme: ruled = "https" } = rule;
  return (
    ruled === scheme &&
    (rule.port ?? DEFAULT_PORT[ruled]) === port &&
    matchesHost(rule, host) &&
    allows(rule, method, path)
  );
}

function matchesHost(rule: HostRule, host: string): boolean {
  const { name, star } = readRule(rule);
  if (!star) return name === host;
  const [first, ...rest] = host.split(".");
  return first !== "" && literalOf(host) === undefined && rest.join(".") === name;
}

interface RuledHost {
  /** What is compared; undefined if the rule can match nothing. */
  readonly name: string | undefined;
  readonly star: boolean;
}
const read = new WeakMap<HostRule, RuledHost>();

/** A rule is read once: it lives as long as its policy. */
function readRule(rule: HostRule): RuledHost {
  const known = read.get(rule);
  if (known !== undefined) return known;
  const star = rule.host.startsWith("*.");
  const name = readHost(star ? rule.host.slice("*.".length) : rule.host);
  // A star under a top-level domain would be everybody's.
  const tooWide = star && name !== undefined && (literalOf(name) !== undefined || !name.includes("."));
  const ruled = { name: tooWide ? undefined : name, star };
  read.set(rule, ruled);
  return ruled;
}

const SAFE: readonly string[] = ["GET", "HEAD"];

function allows(
  { methods = SAFE, repeatable = false, pathPrefix = "/" }: Omit<HostRule, "host">,
  method: string,
  path: string,
) {
  return methods.includes(method) && (repeatable || SAFE.includes(method)) && isBelow(pathPrefix, path);
}

function isBelow(prefix: string, path: string): boolean {
  if (prefix === "/") return true;
  if (path.split("/").some(isDoubtful)) return false;
  return prefix.endsWith("/") ? path.startsWith(prefix) : path === prefix || path.startsWith(`${prefix}/`);
}

/** A segment that a server could take for more than one, or for a step up: it decodes more than once, or drops `;…`. */
function isDoubtful(segment: string): boolean {
  let text = segment;
  for (let times = 0; times < 3; times++) {
    const [name = ""] = text.split(";");
    if (name === "." || name === ".." || [..."/\\\0"].some((one) => text.includes(one))) return true;
    try {
      text = decodeURIComponent(text);
    } catch {
      return true;
    }
  }
  return false;
}
