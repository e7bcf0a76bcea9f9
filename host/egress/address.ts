import { BlockList, isIP } from "node:net";

/** Why an address may not be connected to; undefined if it may. */
export type AddressCheck = (address: string) => string | undefined;

type Block = readonly [network: string, bits: number];

// Every range of IPv4 that is not the public Internet's.
const IPV4: Readonly<Record<string, readonly Block[]>> = {
  // Clouds answer their machines' questions about themselves at a public address, or at one that carriers share.
  "a metadata service": [
    ["168.63.129.16", 32],
    ["100.100.100.200", 32],
  ],
  "this network": [["0.0.0.0", 8]],
  private: [
    ["10.0.0.0", 8],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
  ],
  "shared by carriers": [["100.64.0.0", 10]],
  loopback: [["127.0.0.0", 8]],
  "link-local": [["169.254.0.0", 16]],
  "for protocols": [["192.0.0.0", 24]],
  documentation: [
    ["192.0.2.0", 24],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
  ],
  "a 6to4 relay": [["192.88.99.0", 24]],
  benchmarks: [["198.18.0.0", 15]],
  multicast: [["224.0.0.0", 4]],
  broadcast: [["255.255.255.255", 32]],
  reserved: [["240.0.0.0", 4]],
};

// Of IPv6 only 2000::/3 is public, but for these: some stand for IPv4 addresses, which would escape the list above.
const IPV6: Readonly<Record<string, readonly Block[]>> = {
  "for protocols, Teredo, benchmarks or overlays": [["2001::", 23]],
  documentation: [
    ["2001:db8::", 32],
    ["3fff::", 20],
  ],
  "6to4": [["2002::", 16]],
  "a test network": [["3ffe::", 16]],
  loopback: [["::1", 128]],
  "a metadata service": [["fd00:ec2::254", 128]],
  private: [["fc00::", 7]],
};

/** Whether an address is on the public Internet and not denied: where a request outside the cluster may go. */
export const refusedOutside =
  (denied: AddressCheck): AddressCheck =>
  (address) =>
    notPublic(address) ?? denied(address);

/** Outside as ever, and private addresses besides, as far as they are in the networks that an administrator granted. */
export function inPrivate(
  networks: readonly string[],
  {
    denied,
    refusedOutside: outside,
  }: { readonly denied: AddressCheck; readonly refusedOutside: AddressCheck },
): AddressCheck {
  if (networks.length === 0) return outside;
  const granted = listing(networks);
  return (address) => {
    const why = outside(address);
    return why === PRIVATE && granted(address) ? denied(address) : why;
  };
}
const PRIVATE = "private";

/** Whether a service of the cluster may be at an address; on loopback only if an administrator gave the address. */
export const refusedInside =
  (denied: AddressCheck, given: boolean): AddressCheck =>
  (address) => {
    const kind = notPublic(address);
    if (kind === undefined || IN_CLUSTERS.has(kind) || (given && kind === "loopback")) return denied(address);
    return kind;
  };

// Clusters number their pods and services from these, and from public ranges.
const IN_CLUSTERS: ReadonlySet<string> = new Set(["private", "shared by carriers", "benchmarks", "reserved"]);

/** The addresses and networks, such as `10.0.0.1` and `10.96.0.0/12`, that nothing may connect to: the API server's. */
export function deniedBy(networks: readonly string[]): AddressCheck {
  const listed = listing(networks);
  return (address) => (listed(address) ? "denied by the administrator" : undefined);
}

/** The same for addresses that change while the host runs; the list is a new one whenever it does. */
export function deniedNow(networks: () => readonly string[]): AddressCheck {
  let known: readonly string[] = [];
  let check = deniedBy(known);
  return (address) => {
    const now = networks();
    if (now !== known) [known, check] = [now, deniedBy(now)];
    return check(address);
  };
}

/** Whether an address is one of these, or in one of these networks. */
function listing(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address);
    if (family === 0) throw new TypeError(`${network} is not an address or a network`);
    const type = family === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return (address) => list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

const ipv4 = Object.entries(IPV4).map(([kind, blocks]) => [kind, listOf(blocks, "ipv4")] as const);
const ipv6 = Object.entries(IPV6).map(([kind, blocks]) => [kind, listOf(blocks, "ipv6")] as const);
const publicIpv6 = listOf([["2000::", 3]], "ipv6");

/** What an address is, if it is not on the public Internet. */
function notPublic(address: string): string | undefined {
  const family = isIP(address);
  // A zone names an interface of this machine.
  if (family === 0 || address.includes("%")) return "not an address";
  if (family === 4) return ipv4.find(([, list]) => list.check(address, "ipv4"))?.[0];
  const kind = ipv6.find(([, list]) => list.check(address, "ipv6"))?.[0];
  return kind ?? (publicIpv6.check(address, "ipv6") ? undefined : "not public");
}

function listOf(blocks: readonly Block[], type: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [network, bits] of blocks) list.addSubnet(network, bits, type);
  return list;
}
