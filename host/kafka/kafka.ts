import type { KafkaCluster } from "./cluster.ts";
import type { Asked, KafkaOptions } from "./place.ts";

/** Clusters of Kafka, as policies may ask them; Kafka 3.0 and later. */
export interface Kafka {
  /** Finds the brokers of a cluster. Throws `SourceUnavailable` where none answers, and what keeps the policy from asking. */
  cluster(asked: Asked): Promise<KafkaCluster>;
  /** How many connections there are. */
  readonly connections: number;
  close(): void;
}

/**
 * Clusters of Kafka, asked at places that `brokers` allows and with what `proof` reveals. The client is loaded when the first
 * policy asks: it takes 60 MB, which an operator without Kafka keeps.
 */
export function kafka(options: KafkaOptions): Kafka {
  let loading: Promise<Kafka> | undefined;
  let loaded: Kafka | undefined;
  const load = async () => {
    const { clusters } = await import("./cluster.ts");
    return (loaded = clusters(options));
  };
  return {
    cluster: async (asked) => (await (loading ??= load())).cluster(asked),
    get connections() {
      return loaded?.connections ?? 0;
    },
    close: () => loaded?.close(),
  };
}
