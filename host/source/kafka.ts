import { asFault } from "../fault/index.ts";
import { keyOf, type Kafka, type KafkaCluster } from "../kafka/index.ts";
import type { Observation, Partition, Sample } from "../knowledge/index.ts";
import type { KafkaSource, Policy } from "../policy/index.ts";

/** Where and for whom a cluster is asked. */
export interface KafkaAsked {
  readonly kafka: Kafka;
  readonly policy: Policy;
  /** Ends the requests; it has the source's time-out already. */
  readonly signal: AbortSignal;
  /** The instant of the pass, which the observation carries. */
  readonly at: Date;
}

/**
 * Reads the lag of a consumer group in every partition of a topic: the offset after the last record less what the group has
 * committed, never below 0, and all records that are there before its first commit. Never throws: where one partition is
 * not known for certain, the observation is an error.
 */
export async function kafkaSource(source: KafkaSource, asked: KafkaAsked): Promise<Observation> {
  const at = asked.at.toISOString();
  try {
    const { kafka, policy, signal } = asked;
    const { bootstrap, credential, tls } = source;
    const partitions = await readLag(
      await kafka.cluster({ policy, bootstrap, credential, tls, signal }),
      source,
    );
    return { series: partitions.map((one) => sampleOf(one, source, at)), partitions, at };
  } catch (thrown) {
    const { code, message } = asFault(thrown);
    return { error: { code, message: `${source.name}: ${message}` }, at };
  }
}

async function readLag(cluster: KafkaCluster, { group, topic }: KafkaSource): Promise<Partition[]> {
  const partitions = await cluster.partitions([topic]);
  const numbers = partitions.map(({ partition }) => partition);
  const [committed, ends] = await Promise.all([
    cluster.committed(group, topic, numbers),
    cluster.offsets(partitions, "end"),
  ]);
  const without = partitions.filter((one) => !committed.has(keyOf(topic, one.partition)));
  const starts = await cluster.offsets(without, "start");
  return numbers
    .toSorted((one, other) => one - other)
    .map((partition) => {
      const key = keyOf(topic, partition);
      const own = committed.get(key);
      // The cluster has said the offset of each, or thrown.
      const end = ends.get(key) ?? 0;
      // A topic that was made again ends before what was committed: that takes nothing from other partitions.
      const lag = Math.max(0, end - (own ?? starts.get(key) ?? 0));
      return { topic, partition, ...(own === undefined ? {} : { committed: own }), end, lag };
    });
}

function sampleOf({ topic, partition, lag }: Partition, source: KafkaSource, at: string): Sample {
  const labels = { topic, partition: String(partition) };
  const node = nodeOf(labels, source);
  return { labels, ...(node === undefined ? {} : { node }), value: lag, at };
}

function nodeOf(labels: Sample["labels"], { byLabel, node }: KafkaSource): string | undefined {
  if (byLabel === undefined) return node;
  return Object.hasOwn(labels, byLabel) ? labels[byLabel] : undefined;
}
