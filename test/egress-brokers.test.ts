import { describe, expect, test } from "vitest";
import { brokerPlaces } from "../host/egress/index.ts";
import { Fault } from "../host/fault/index.ts";
import { policy } from "./builders.ts";

const NEVER = new AbortController().signal;
/** The names of a cluster, as its operator looks them up. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "kafka.team-a.svc": ["10.1.0.1", "10.1.0.2"],
  "kafka-0.kafka.team-a.svc": ["10.1.0.1"],
  "kafka-1.kafka.team-a.svc.cluster.local": ["10.1.0.2"],
  "metadata.team-a.svc": ["169.254.169.254"],
  "api.team-a.svc": ["10.96.0.1"],
  "mixed.team-a.svc": ["10.1.0.1", "127.0.0.1"],
};
const SERVICES = new Set(["kafka", "metadata", "api", "mixed", "gone"]);
const places = (given?: URL) =>
  brokerPlaces({
    endpoint: async (_policy, { name, port }) => {
      if (!SERVICES.has(name) || port !== 9092) throw new Fault("SourceUnavailable", `no ${name}:${port}`);
      return Promise.resolve(given ?? new URL(`http://${name}.team-a.svc:${port}`));
    },
    resolveService: (host) => Promise.resolve(NAMES[host] ?? []),
    denied: () => ["10.96.0.1"],
  });
const named = (name: string) => places().named(policy(), { service: { name, port: 9092 } }, NEVER);
async function advertised(host: string, port = 9092) {
  const known = [await named("kafka")];
  return places().advertised(policy(), { host, port }, known, NEVER);
}
const codeOf = (act: Promise<unknown>) =>
  act.then(
    () => "none",
    (thrown: unknown) => (thrown as Fault).code,
  );

describe("a broker that a policy names", () => {
  test("is where the service's name leads to", async () => {
    expect(await named("kafka")).toEqual({
      host: "kafka.team-a.svc",
      port: 9092,
      addresses: ["10.1.0.1", "10.1.0.2"],
    });
  });

  test.each(["metadata", "api", "mixed"])(
    "is not asked where %s leads to an address that is denied",
    async (name) => {
      expect(await codeOf(named(name))).toBe("EffectDenied");
    },
  );

  test("is unavailable where its name leads nowhere", async () => {
    expect(await codeOf(named("gone"))).toBe("SourceUnavailable");
  });

  test("is at the address that an administrator gave, loopback as well", async () => {
    const given = places(new URL("http://127.0.0.1:29092"));
    const place = { host: "127.0.0.1", port: 29092, addresses: ["127.0.0.1"] };
    expect(await given.named(policy(), { service: { name: "kafka", port: 9092 } }, NEVER)).toEqual(place);
  });
});

describe("a broker that another one advertises", () => {
  test("is followed to a pod of a service of the namespace, looked up in full", async () => {
    expect(await advertised("kafka-0.kafka.team-a.svc")).toMatchObject({ addresses: ["10.1.0.1"] });
    expect(await advertised("Kafka-1.Kafka.team-a.svc.cluster.local.")).toMatchObject({
      host: "kafka-1.kafka.team-a.svc.cluster.local",
      addresses: ["10.1.0.2"],
    });
    expect(await advertised("kafka")).toMatchObject({ host: "kafka.team-a.svc" });
  });

  test("is followed to an address only if the name that the policy gave leads there too", async () => {
    expect(await advertised("10.1.0.2")).toEqual({ host: "10.1.0.2", port: 9092, addresses: ["10.1.0.2"] });
    expect(await codeOf(advertised("10.1.0.3"))).toBe("EffectDenied");
    expect(await codeOf(advertised("10.1.0.2", 9093))).toBe("EffectDenied");
  });

  test.each([
    "kafka.team-b.svc",
    "kafka-0.kafka.team-b.svc.cluster.local",
    "kafka.team-a.svc.evil.example.com",
    "x.kafka-0.kafka.team-a.svc",
    "broker.example.com",
    "metadata.google.internal",
    "[::1]",
    "2130706433",
    "kafka.team-a.svc/..",
    "metadata.team-a.svc",
    "api.team-a.svc",
    "mixed.team-a.svc",
  ])("is not followed to %s", async (host) => {
    expect(await codeOf(advertised(host))).toBe("EffectDenied");
  });

  test("is not followed to a port that the service does not have, nor to what is no port", async () => {
    expect(await codeOf(advertised("kafka-0.kafka.team-a.svc", 6443))).toBe("SourceUnavailable");
    expect(await codeOf(advertised("kafka-0.kafka.team-a.svc", 0))).toBe("EffectDenied");
    expect(await codeOf(advertised("kafka-0.kafka.team-a.svc", 70_000))).toBe("EffectDenied");
  });
});

describe("a broker outside the cluster", () => {
  const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
    "b-1.kafka.example.com": ["93.184.216.34"],
    "b-2.kafka.example.com": ["93.184.216.35"],
    "inner.corp.example.com": ["10.20.0.7"],
    "meta.kafka.example.com": ["169.254.169.254"],
    "both.kafka.example.com": ["93.184.216.34", "10.20.0.7"],
    "api.kafka.example.com": ["203.0.113.1"],
  };
  let because: string | undefined;
  const rules = [
    { host: "*.kafka.example.com", port: 9094 },
    { host: "inner.corp.example.com", port: 9092, networks: ["10.20.0.0/16"] },
    { host: "10.20.0.9", port: 9092, networks: ["10.20.0.0/16"] },
    { host: "93.184.216.40", port: 9094 },
  ];
  const far = (brokers: readonly (typeof rules)[number][] = rules) =>
    brokerPlaces({
      endpoint: async (_policy, { name, port }) =>
        Promise.resolve(new URL(`http://${name}.team-a.svc:${port}`)),
      resolveService: (host) => Promise.resolve(NAMES[host] ?? []),
      resolveOutside: (host) => Promise.resolve(OUTSIDE[host] ?? []),
      ceiling: () => ({ brokers, ...(because === undefined ? {} : { because }) }),
      denied: () => ["93.184.216.35"],
    });
  const at = (address: string, places = far()) => places.named(policy(), { address }, NEVER);

  test("is asked where the Tenant names it, at a public address or in the network that is named", async () => {
    const b1 = { host: "b-1.kafka.example.com", port: 9094, addresses: ["93.184.216.34"], outside: "Public" };
    expect(await at("b-1.kafka.example.com:9094")).toEqual(b1);
    expect(await at("B-1.Kafka.example.com.:9094")).toEqual(b1);
    expect(await at("inner.corp.example.com:9092")).toEqual({
      ...{ host: "inner.corp.example.com", port: 9092, addresses: ["10.20.0.7"], outside: "Private" },
    });
    expect(await at("10.20.0.9:9092")).toMatchObject({ host: "10.20.0.9", outside: "Private" });
  });

  test.each([
    ["another port", "b-1.kafka.example.com:9092"],
    ["another host", "b-1.example.com:9094"],
    ["two labels for a star", "x.b-1.kafka.example.com:9094"],
    ["an address that no rule names", "93.184.216.34:9094"],
    ["a name that leads to the metadata service", "meta.kafka.example.com:9094"],
    ["a name that leads outside and inside", "both.kafka.example.com:9094"],
    ["an address that an administrator denied", "b-2.kafka.example.com:9094"],
    ["a name of the cluster", "kafka.team-b.svc:9094"],
    ["a name of the cluster in full", "kafka.team-b.svc.cluster.local:9094"],
    ["this machine", "localhost:9094"],
    ["port 0", "b-1.kafka.example.com:0"],
    ["a port that is none", "b-1.kafka.example.com:99999"],
  ])("is not asked at %s", async (_what, address) => {
    expect(await codeOf(at(address))).toBe("EffectDenied");
  });

  test("is not asked without a grant, and it is said why", async () => {
    await expect(at("b-1.kafka.example.com:9094", far([]))).rejects.toThrow(
      'The broker "b-1.kafka.example.com:9094" is not granted: the Tenant does not name it',
    );
    because = "no Tenant has the namespace team-a";
    await expect(at("b-1.kafka.example.com:9094", far([]))).rejects.toThrow(because);
    because = undefined;
    const unasked = brokerPlaces({ endpoint: () => Promise.reject(new Error("nobody's")) });
    expect(await codeOf(at("b-1.kafka.example.com:9094", unasked))).toBe("EffectDenied");
  });

  test("leads to others that the Tenant grants, and to no others; to its own addresses under its name", async () => {
    const known = [await at("b-1.kafka.example.com:9094")];
    const told = (host: string, port = 9094, named = known) =>
      far().advertised(policy(), { host, port }, named, NEVER);
    expect(await told("b-1.kafka.example.com")).toEqual(known[0]);
    expect(await told("93.184.216.34")).toEqual(known[0]);
    expect(await told("inner.corp.example.com", 9092)).toMatchObject({ outside: "Private" });
    for (const host of ["b-2.kafka.example.com", "meta.kafka.example.com", "evil.example.com", "10.20.0.7"])
      expect(await codeOf(told(host)), host).toBe("EffectDenied");
    // A broker in the cluster does not lead out of it.
    const inside = [await far().named(policy(), { service: { name: "kafka", port: 9092 } }, NEVER)];
    expect(await codeOf(told("b-1.kafka.example.com", 9094, inside))).toBe("EffectDenied");
  });
});
