import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { brokerPlaces } from "../host/egress/index.ts";
import { kafka, type Proof } from "../host/kafka/index.ts";
import { tenantKey } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { CREDENTIAL, kafkaAt, observed, observedOnce, source } from "./kafka/bed.ts";
import { brokerOrNone } from "./kafka/server.ts";
import type { KafkaBroker } from "./world/kafka.ts";
import { USER } from "./world/kafka-settings.ts";

const there = await brokerOrNone();

describe.skipIf(there === undefined)("a real broker of Kafka", () => {
  const broker = there as KafkaBroker;
  const plain = () => observedOnce(broker.ports.plain, source());
  beforeAll(async () => {
    await broker.createTopic("clicks", 4);
    await broker.produce("clicks", [10, 20, 5, 7]);
    await vi.waitFor(() => broker.commit("counters", "clicks", [4, 20, 50]), {
      timeout: 20_000,
      interval: 500,
    });
  }, 60_000);
  afterAll(() => broker.stop());

  test("says for each partition how many records the group has not committed, and never less than none", async () => {
    const at = "2026-11-23T10:00:00.000Z";
    const sample = (partition: string, value: number) => ({
      labels: { topic: "clicks", partition },
      value,
      at,
    });
    expect(await plain()).toEqual({
      at,
      // Of 10 records 4 are committed; of 20 all; the third topic ends before the commit; the fourth has none.
      series: [sample("0", 6), sample("1", 0), sample("2", 0), sample("3", 7)],
      partitions: [
        { topic: "clicks", partition: 0, committed: 4, end: 10, lag: 6 },
        { topic: "clicks", partition: 1, committed: 20, end: 20, lag: 0 },
        { topic: "clicks", partition: 2, committed: 50, end: 5, lag: 0 },
        { topic: "clicks", partition: 3, end: 7, lag: 7 },
      ],
    });
  });

  test("gives the numbers to a node, or to the node that is named like the topic", async () => {
    const named = await observedOnce(broker.ports.plain, source({ node: "count" }));
    const byTopic = await observedOnce(broker.ports.plain, source({ byLabel: "topic" }));
    expect([named, byTopic]).toMatchObject([
      { series: [{ node: "count" }, { node: "count" }, { node: "count" }, { node: "count" }] },
      { series: [{ node: "clicks" }, { node: "clicks" }, { node: "clicks" }, { node: "clicks" }] },
    ]);
  });

  test("a group that nobody has heard of has committed nothing: all that is there is before it", async () => {
    const seen = await observedOnce(broker.ports.plain, source({ group: "nobody" }));
    expect(seen).toMatchObject({ series: [{ value: 10 }, { value: 20 }, { value: 5 }, { value: 7 }] });
  });

  test("a topic that does not exist is an error, and is not made by asking", async () => {
    const seen = await observedOnce(broker.ports.plain, source({ topic: "cliks" }));
    expect(seen).toMatchObject({
      error: { code: "SourceInvalid", message: "lag: there is no such topic, or it may not be seen" },
    });
    expect(await observedOnce(broker.ports.plain, source({ topic: "cliks" }))).toEqual(seen);
  });

  test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
    "takes the user and the password of a credential by %s, and no other password",
    async (mechanism) => {
      const one = source({ credential: CREDENTIAL });
      const shown = (password: string) =>
        observedOnce(broker.ports.sasl, one, { ...USER, kind: "sasl", mechanism, password });
      expect(await shown(USER.password)).toMatchObject({ series: [{ value: 6 }, {}, {}, { value: 7 }] });
      expect(await shown("wrong")).toMatchObject({ error: { code: "SourceUnavailable" } });
    },
  );

  test("a broker that wants a password says nothing without", async () => {
    const seen = await observedOnce(broker.ports.sasl, source({ timeoutMs: 2_000 }));
    expect(seen).toMatchObject({ error: { code: "SourceUnavailable" } });
  });

  test("is asked over TLS, where both sides have to show a certificate of the authority that the policy names", async () => {
    const { ca, certificate, privateKey } = broker.pki;
    const proof = { kind: "mtls", certificate, privateKey } as const;
    const asked = (tls: { ca: string | undefined } | undefined, shown?: typeof proof) =>
      observedOnce(
        broker.ports.tls,
        source({ tls, ...(shown && { credential: CREDENTIAL }), timeoutMs: 3_000 }),
        shown,
      );
    expect(await asked({ ca }, proof)).toMatchObject({ series: [{ value: 6 }, {}, {}, { value: 7 }] });
    expect(await asked({ ca })).toMatchObject({ error: { code: "SourceUnavailable" } });
    expect(await asked({ ca: undefined }, proof)).toMatchObject({
      error: {
        code: "SourceUnavailable",
        message: expect.stringContaining("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
      },
    });
    expect(await asked(undefined)).toMatchObject({ error: {} });
    expect(await asked(undefined, proof)).toMatchObject({
      error: { code: "CredentialUnavailable", message: "lag: A certificate is shown over TLS alone" },
    });
  });

  test("outside the cluster is asked where the Tenant says so, over TLS as the name it is asked by", async () => {
    const { ca, certificate, privateKey } = broker.pki;
    const place = { host: "kafka.example.com", port: broker.ports.tls };
    const asked = async (tls: boolean, bound: readonly (typeof place)[], granted = [place]) => {
      const client = kafka({
        brokers: brokerPlaces({
          endpoint: () => Promise.reject(new Error("no service was expected")),
          ceiling: () => ({ brokers: granted }),
          resolveOutside: () => Promise.resolve(["127.0.0.1"]),
          // Loopback stands for the public Internet.
          notPublic: () => undefined,
        }),
        proof: () => Promise.resolve({ kind: "mtls", certificate, privateKey, bound }),
      });
      try {
        const bootstrap = [{ address: `kafka.example.com:${place.port}` }];
        const own = { bootstrap, tls: tls ? { ca } : undefined, timeoutMs: 3_000 };
        return await observed(client, source({ ...own, ...(tls && { credential: CREDENTIAL }) }));
      } finally {
        client.close();
      }
    };
    expect(await asked(true, [place])).toMatchObject({ series: [{ value: 6 }, {}, {}, { value: 7 }] });
    const denied = (message: string) => ({
      error: { code: "EffectDenied", message: expect.stringContaining(message) as string },
    });
    expect(await asked(true, [place], [])).toMatchObject(denied("the Tenant does not name it"));
    expect(await asked(true, [])).toMatchObject(
      denied("The credential is not bound to the broker kafka.example.com"),
    );
    expect(await asked(false, [place])).toMatchObject(
      denied("is outside the cluster, and is asked over TLS alone"),
    );
  });

  test("a broker that says it is at a metadata service is not followed there", async () => {
    const seen = await observedOnce(broker.ports.stray, source());
    expect(seen).toEqual({
      at: "2026-11-23T10:00:00.000Z",
      error: {
        code: "EffectDenied",
        message: 'lag: A broker says that it is at "169.254.169.254", port 9092',
      },
    });
  });

  test("a connection is kept for the next pass and shared with policies of the same tenant, and with no other tenant", async () => {
    const asked = kafkaAt(broker.ports.plain);
    const of = (tenant: string, name: string) =>
      policy({ tenant: tenantKey(tenant), namespace: tenant, name });
    await Promise.all([
      observed(asked, source(), of("team-a", "one")),
      observed(asked, source(), of("team-a", "two")),
    ]);
    expect(asked.connections).toBe(1);
    await observed(asked, source(), of("team-a", "one"));
    expect(asked.connections).toBe(1);
    await observed(asked, source(), of("team-b", "one"));
    expect(asked.connections).toBe(2);
    asked.close();
    expect(asked.connections).toBe(0);
  });

  test("connections of two credentials are never the same", async () => {
    const proofs: Proof[] = (["PLAIN", "SCRAM-SHA-256"] as const).map((mechanism) => ({
      ...{ ...USER, kind: "sasl", mechanism },
    }));
    const asked = kafkaAt(broker.ports.sasl, () => proofs.pop());
    await observed(asked, source({ credential: CREDENTIAL }));
    expect(asked.connections).toBe(1);
    await observed(asked, source({ credential: CREDENTIAL }));
    expect(asked.connections).toBe(2);
    asked.close();
  });

  test("a broker that stands still is an error in time, and the answer is right again when it goes on", async () => {
    const asked = kafkaAt(broker.ports.plain);
    expect(await observed(asked, source())).toMatchObject({ series: [{ value: 6 }, {}, {}, {}] });
    broker.signal("SIGSTOP");
    try {
      expect(await observed(asked, source({ timeoutMs: 500 }))).toMatchObject({
        error: { code: "SourceUnavailable", message: "lag: there was no answer in time" },
      });
    } finally {
      broker.signal("SIGCONT");
    }
    expect(await observed(asked, source())).toMatchObject({ series: [{ value: 6 }, {}, {}, {}] });
    asked.close();
  });

  test("a broker that is gone is an error, and asked again when it is back", async () => {
    const asked = kafkaAt(broker.ports.plain);
    expect(await observed(asked, source())).toMatchObject({ series: [{ value: 6 }, {}, {}, {}] });
    await broker.kill();
    expect(await observed(asked, source())).toMatchObject({
      error: {
        code: "SourceUnavailable",
        message: expect.stringMatching(/closed the connection|ECONNREFUSED/),
      },
    });
    await broker.start();
    await vi.waitFor(
      async () =>
        expect(await observed(asked, source())).toMatchObject({ series: [{ value: 6 }, {}, {}, {}] }),
      { timeout: 30_000, interval: 500 },
    );
    asked.close();
  }, 90_000);
});
