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
