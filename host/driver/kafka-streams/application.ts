import { keyOf, type Group, type Kafka, type KafkaCluster, type TopicPartition } from "../../kafka/index.ts";
import type { Policy, StreamsApplication } from "../../policy/index.ts";
import { assignedTasks, isChangelog, subtopologies, type Subtopology } from "./tasks.ts";

/** Four requests to brokers that answer in milliseconds; the driver has no time-out of its own in a policy. */
const ANSWER_MS = 5_000;

/** What Kafka knows of an application of Kafka Streams. */
export interface Running {
  readonly state: string;
  /** Stream threads that are members of the group. */
  readonly members: number;
  /** Of all tasks those that a member has. */
  readonly assigned: number;
  /** Sub-topologies with the records that wait for each; none as long as the application has read nothing yet. */
  readonly subtopologies: readonly (Subtopology & { readonly lag: number })[];
}

/** Asks Kafka for an application: its group, its topics, and what waits in them. Throws a fault where that is not known for certain. */
export async function readRunning(
  kafka: Kafka,
  policy: Policy,
  { applicationId, bootstrap, credential, tls }: StreamsApplication,
): Promise<Running> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const cluster = await kafka.cluster({ policy, bootstrap, credential, tls, signal });
  const [group, committed] = await Promise.all([
    cluster.group(applicationId),
    cluster.committed(applicationId),
  ]);
  const topics = topicsOf(applicationId, group, committed);
  const partitions = topics.length === 0 ? [] : await cluster.partitions(topics);
  const lags = await lagsOf(cluster, partitions, committed);
  const found = subtopologies(applicationId, partitions, group);
  return {
    state: group.state,
    members: group.members.length,
    assigned: assignedTasks(found, group),
    subtopologies: found.map((one) => ({
      ...one,
      lag: one.topics.reduce((sum, topic) => sum + (lags.get(topic) ?? 0), 0),
    })),
  };
}

/** What its threads read, or what they have read when none runs. */
function topicsOf(
  applicationId: string,
  { members }: Group,
  committed: ReadonlyMap<string, number>,
): string[] {
  const subscribed = members.flatMap((one) => one.subscribed);
  const read = [...committed.keys()].map((key) => key.slice(0, key.lastIndexOf("/")));
  const topics = new Set(subscribed.length > 0 ? subscribed : read);
  return [...topics].filter((topic) => !isChangelog(topic, applicationId)).sort();
}

async function lagsOf(
  cluster: KafkaCluster,
  partitions: readonly (TopicPartition & { readonly leader: number })[],
  committed: ReadonlyMap<string, number>,
): Promise<Map<string, number>> {
  const ends = await cluster.offsets(partitions, "end");
  const fresh = partitions.filter(({ topic, partition }) => !committed.has(keyOf(topic, partition)));
  const starts = await cluster.offsets(fresh, "start");
  const lags = new Map<string, number>();
  for (const { topic, partition } of partitions) {
    const key = keyOf(topic, partition);
    // The cluster has said the offset of each, or thrown.
    const lag = (ends.get(key) ?? 0) - (committed.get(key) ?? starts.get(key) ?? 0);
    lags.set(topic, (lags.get(topic) ?? 0) + Math.max(0, lag));
  }
  return lags;
}
