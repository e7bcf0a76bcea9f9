import type { Changes } from "./manifest.ts";

/** A resource that is refused: what is wrong in a sentence, what makes it wrong, and what both checks say of which field. */
type Wrong = readonly [sentence: string, changes: Changes, field: string, says: string];

const SECRET = { secretRef: { name: "s" } };
const TWO = "name exactly one of basic, bearer, mtls, sasl, serviceAccountToken";
const NETWORK =
  "must be a network inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7 with its bits, such as 10.20.0.0/16";
const APIS = "is the API server's own: name the audience that the host checks";
const token = (audience: string): Changes => ({
  "spec.bearer": undefined,
  "spec.serviceAccountToken": { audience },
});

/** A Credential for one host, changed at the paths given. */
export const WRONG_CREDENTIALS: readonly Wrong[] = [
  ["no kind", { "spec.bearer": undefined }, "spec", TWO],
  ["two kinds", { "spec.basic": SECRET }, "spec", TWO],
  ["a place that is a host and a service", { "spec.hosts.0.service": { name: "a", port: 80 } }, "spec.hosts[0]", "name exactly one of host and service"],
  ["a place that is neither", { "spec.hosts": [{ port: 80 }] }, "spec.hosts[0]", "name exactly one of host and service"],
  ["two ports of a service", { "spec.hosts": [{ service: { name: "a", port: 80 }, port: 81 }] }, "spec.hosts[0]", "a service has its port under service: remove port"],
  ["a token for the API server", token("https://kubernetes.default.svc.cluster.local"), "spec.serviceAccountToken.audience", APIS],
]; // prettier-ignore

/** A ClusterCredential for one host. */
export const WRONG_CLUSTER_CREDENTIALS: readonly Wrong[] = [
  ["no kind", { "spec.bearer": undefined }, "spec", "name exactly one of basic, bearer, mtls, sasl"],
  ["two kinds", { "spec.mtls": SECRET }, "spec", "name exactly one of basic, bearer, mtls, sasl"],
]; // prettier-ignore

const networks = (...list: string[]): Changes => ({ "spec.egress.0.networks": list });
const wide = (network: string): Wrong => [
  `the network ${network}`,
  networks(network),
  "spec.egress[0].networks[0]",
  NETWORK,
];

/** A Tenant that grants one host in one private network. */
export const WRONG_TENANTS: readonly Wrong[] = [
  ["private networks for any broker below a name", { "spec.brokers": [{ host: "*.example.com", networks: ["10.0.0.0/8"] }] }, "spec.brokers[0]", "private networks are granted to one host: name it without a star"],
  ["a broker with its port behind it", { "spec.brokers": [{ host: "b.example.com:9092" }] }, "spec.brokers[0].host", "must be the name of a host in small letters, or *. and a name of at least two labels, such as *.example.com"],
  ["private networks for any host below a name", { "spec.egress.0.host": "*.example.com" }, "spec.egress[0]", "private networks are granted to one host: name it without a star"],
  ["a token for the API server", { "spec.audiences": ["kubernetes.default.svc"] }, "spec.audiences[0]", APIS],
  ...["0.0.0.0/0", "10.0.0.0/7", "10.0.0.0", "10.0.0.256/32", "172.15.0.0/16", "172.16.0.0/11", "192.168.0.0/15", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "8.8.8.0/24", "fe80::/10", "fc00::/6", "::/0", "::ffff:10.0.0.0/104", "fd00::/129", "10.0.0.0/08"].map(wide),
]; // prettier-ignore

/** Networks that a Tenant may grant. */
export const NETWORKS = [
  ...["10.0.0.0/8", "10.20.30.40/32", "172.16.0.0/12", "172.31.255.0/24", "192.168.0.0/16", "192.168.1.7/32"],
  ...["fc00::/7", "fd12:3456::/32", "fd12:3456:789a:1:2:3:4:5/128", "fd00:1:2:3:4:5:6::/112"],
];
