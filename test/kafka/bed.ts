import { Fault } from "../../host/fault/index.ts";
import { brokerPlaces } from "../../host/egress/index.ts";
import { kafka, type Kafka, type Proof } from "../../host/kafka/index.ts";
import type { KafkaSource, Policy } from "../../host/policy/index.ts";
import { sources } from "../../host/source/index.ts";
import { policy } from "../builders.ts";

/** The service by which policies of these tests name a broker on loopback. */
export const SERVICE = { name: "kafka", port: 9092 } as const;

/** A source of the group `counters` on the topic `clicks`. */
export const source = (rest: Partial<KafkaSource> = {}): KafkaSource => ({
  ...{ name: "lag", kind: "kafka", bootstrap: [{ service: SERVICE }], group: "counters", topic: "clicks" },
  ...{ tls: undefined, byLabel: undefined, node: undefined, timeoutMs: 5_000 },
  ...rest,
});

export const CREDENTIAL = {
  kind: "Credential",
  name: "kafka",
  field: "spec.sources[0].credentialRef",
} as const;

/** Kafka as the operator asks it, where the administrator gave this loopback port for the service. */
export const kafkaAt = (
  port: number,
  proof: () => Proof | undefined = () => undefined,
  others: Readonly<Record<string, number>> = {},
): Kafka =>
  kafka({
    brokers: brokerPlaces({
      endpoint: async (_policy, { name }) => {
        if (Object.hasOwn(others, name)) return new URL(`http://127.0.0.1:${others[name]}`);
        if (name === SERVICE.name) return new URL(`http://127.0.0.1:${port}`);
        return Promise.reject(new Fault("TargetNotFound", `There is no Service ${name}`));
      },
    }),
    async proof() {
      const shown = await Promise.resolve(proof());
      if (shown === undefined) throw new Error("no credential");
      return shown;
    },
  });

/** What one source says, asked by a policy. */
export async function observed(asked: Kafka, one: KafkaSource, by: Policy = policy()) {
  const endpoint = () => Promise.reject(new Error("nobody's"));
  const port = sources({ endpoint, kafka: asked });
  return (await port.observe({ ...by, sources: [one] }, new Date("2026-11-23T10:00:00Z")))[one.name];
}

/** The same, with connections of its own that are closed at the end. */
export async function observedOnce(port: number, one: KafkaSource, proof?: Proof) {
  const asked = kafkaAt(port, () => proof);
  try {
    return await observed(asked, one);
  } finally {
    asked.close();
  }
}
