import type {
  BoundTo,
  CeilingRule,
  CredentialUse,
  HostRule,
  Policy,
  ServicePort,
  ServiceRule,
} from "../policy/index.ts";
import { denied, quoted } from "./denial.ts";
import { DEFAULT_PORT, literalOf, readHost, type Destination } from "./destination.ts";

/** A credential: what it is bound to, and how its secret is come by. */
export interface EgressCredential {
  readonly hosts: readonly BoundTo[];
  /** Reads the secret. It is asked only for a request to one of the places. */
  reveal(): Promise<Revealed>;
}

/** A secret as a request shows it: a header's value, and the texts in it that must not come back, or a certificate. */
export type Revealed =
  { readonly header: string; readonly value: string; readonly texts: readonly string[] } | Identity;

/** A certificate and its private key, in PEM, that a connection is made with. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** All that a policy may do on the network: what it asks for, inside what the administrator lets its tenant have. */
export interface Grant {
  readonly policy: Policy;
  readonly hosts: readonly HostRule[];
  readonly services: readonly ServiceRule[];
  readonly ceiling: {
    readonly hosts: readonly CeilingRule[];
    readonly services: boolean;
    /** Why it is no higher, for whoever is denied something by it. */
    readonly because?: string;
  };
  /** The credential that a rule names. It throws a fault if the policy may not use it. */
  readonly credential: (use: CredentialUse) => Promise<EgressCredential>;
  readonly requestsPerMinute: number;
  readonly bytesPerMinute: number;
  /** How many redirects are followed, at most 3. Default 0: the redirect is the answer. */
  readonly redirects?: number;
}

/** What allows a request: how it is authenticated, and where besides the public Internet its host may be. */
export interface Allowed {
  readonly credential: CredentialUse | undefined;
  readonly networks: readonly string[];
}

/**
 * What allows a request to a host outside the cluster, or why nothing does: the policy's rules and the ceiling both have to.
 * Throws `EffectDenied` if no rule that allows it has the credential that the algorithm named.
 */
export function allowedHost(
  { hosts, ceiling }: Grant,
  method: string,
  destination: Destination,
  named: string | undefined,
): Allowed | string {
  const allowedBy = <Rule extends HostRule>(rules: readonly Rule[]) =>
    rules.filter((rule) => matches(rule, method, destination));
  const own = allowedBy(hosts);
  if (own.length === 0) return "no rule of spec.algorithm.egress allows it";
  const granted = allowedBy(ceiling.hosts);
  if (granted.length === 0) return ceiling.because ?? "the Tenant does not grant it";
  const networks = granted.flatMap((rule) => rule.networks ?? []);
  return { credential: credentialAmong(own, named), networks };
}

/** What allows a request to a service; undefined unless the policy's rules and the ceiling both do. */
export function allowedService(
  { services, ceiling }: Grant,
  method: string,
  { name, port }: ServicePort,
  path: string,
  named: string | undefined,
): Allowed | undefined {
  const own = services.filter(
    ({ service, ...allowance }) =>
      service.name === name && service.port === port && allows(allowance, method, path),
  );
  if (!ceiling.services || own.length === 0) return undefined;
  return { credential: credentialAmong(own, named), networks: [] };
}

/** The first rule that allows a request says how it is authenticated; an algorithm that names a credential picks among them. */
function credentialAmong(
  rules: readonly Pick<HostRule, "credential">[],
  named: string | undefined,
): CredentialUse | undefined {
  if (named === undefined) return rules[0]?.credential;
  const picked = rules.find(({ credential }) => credential?.name === named);
  if (picked === undefined)
    throw denied(`The credential ${quoted(named)} is not granted`, {
      field: "spec.algorithm.egress",
      remedy: "Name it as the credentialRef of the rule that allows the request.",
    });
  return picked.credential;
}

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

/** Whether a rule names a host, which is in the spelling that is compared. */
export function matchesHost(rule: Pick<HostRule, "host">, host: string): boolean {
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
const read = new WeakMap<Pick<HostRule, "host">, RuledHost>();

/** A rule is read once: it lives as long as its policy. */
function readRule(rule: Pick<HostRule, "host">): RuledHost {
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
  { methods = SAFE, repeatable = false, pathPrefix = "/" }: Omit<HostRule, "host" | "credential">,
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
