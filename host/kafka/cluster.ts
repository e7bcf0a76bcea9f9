import {
  apiVersionsV3,
  describeGroupsV5,
  findCoordinatorV4,
  listOffsetsV7,
  metadataV12,
  offsetFetchV8,
  type API,
} from "@platformatic/kafka";
import { Fault } from "../fault/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Ask } from "./connection.ts";
import { Connections } from "./connections.ts";
import { groupOf, type Group } from "./group.ts";
import { LIMITS } from "./limits.ts";
import type { Asked, Brokers, KafkaOptions, Manner, Place } from "./place.ts";
import { invalid, refusal, unavailable } from "./refusal.ts";
import { describeStreamsGroups, STREAMS_GROUP_DESCRIBE } from "./streams-group.ts";
import { keyOf, type TopicPartition } from "./topic.ts";

/** Clusters of Kafka, with connections of their own. */
export function clusters({ brokers, proof }: KafkaOptions) {
  const connections = new Connections();
  return {
    async cluster(asked: Asked): Promise<KafkaCluster> {
      const { policy, bootstrap, credential, tls, signal } = asked;
      const shown = credential && (await within(proof(policy, credential, bootstrap), signal));
      if (shown?.kind === "mtls" && tls === undefined)
        throw new Fault("CredentialUnavailable", "A certificate is shown over TLS alone", {
          remedy: "Set tls beside bootstrap, or name a credential of the kind sasl.",
          ...(credential && { field: credential.field }),
        });
      const found = await Promise.allSettled(
        bootstrap.map((one) => within(brokers.named(policy, one, signal), signal)),
      );
      const named = found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const [refused] = found.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
      if (named.length === 0) throw refused;
      return new KafkaCluster({ policy, signal, brokers, connections, named, manner: { tls, proof: shown } });
    },
    get connections() {
      return connections.size;
    },
    close: () => connections.close(),
  };
}

interface Setting {
  readonly policy: Policy;
  readonly signal: AbortSignal;
  readonly brokers: Brokers;
  readonly connections: Connections;
  /** The brokers that the policy names. */
  readonly named: readonly Place[];
  readonly manner: Manner;
}

/** What brokers are told of who asks which requests they take. */
const SOFTWARE = "sluice";
const SOFTWARE_VERSION = "1";
/** What a broker says of a group that is not there, or of another protocol. */
const DEAD = "Dead";
const CONSUMER_GROUP = 0;
const ANY_REPLICA = -1;
const UNCOMMITTED = 0;
/** What is asked for in place of a time. */
const AT = { end: -1n, start: -2n } as const;
/** A number that is larger is no longer itself in JSON. */
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** Outside the cluster a secret is shown over TLS alone, and where its credential says so; on the Internet all is TLS. */
function expectGuarded({ host, port, outside }: Place, { tls, proof }: Manner): void {
  if (outside === undefined) return;
  const where = `${host}:${port}`;
  if (tls === undefined && (outside === "Public" || proof !== undefined))
    throw new Fault(
      "EffectDenied",
      `The broker ${where} is outside the cluster, and is asked over TLS alone`,
      {
        remedy: "Set tls beside bootstrap.",
      },
    );
  if (proof !== undefined && !proof.bound?.some((one) => one.host === host && one.port === port))
    throw new Fault("EffectDenied", `The credential is not bound to the broker ${where}`, {
      remedy: "Name the host and the port under spec.hosts of the credential.",
    });
}

/** One cluster, during one pass of one policy. Everything throws a fault where it cannot be known for certain. */
export class KafkaCluster {
  readonly #setting: Setting;
  readonly #brokers = new Map<number, Pick<Place, "host" | "port">>();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** The partitions of topics and their leaders. Throws `SourceInvalid` for a topic that does not exist. */
  async partitions(topics: readonly string[]): Promise<(TopicPartition & { readonly leader: number })[]> {
    const answer = await this.#askNamed(request(metadataV12.api, [...topics], false, false));
    this.#brokers.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port });
    const wanted = new Set(topics);
    const found: (TopicPartition & { readonly leader: number })[] = [];
    for (const { name, partitions } of answer.topics) {
      if (name === null || name === undefined || !wanted.has(name)) continue;
      for (const { partitionIndex, leaderId } of partitions)
        found.push({ topic: name, partition: partitionIndex, leader: leaderId });
    }
    const missing = topics.find((topic) => !found.some((one) => one.topic === topic));
    if (missing !== undefined) throw invalid(`the broker says nothing of the topic ${missing}`);
    return checked(found);
  }

  /** The offset after the last record of each partition, or that of the first that is still there. */
  async offsets(
    partitions: readonly (TopicPartition & { readonly leader: number })[],
    at: keyof typeof AT,
  ): Promise<Map<string, number>> {
    const leaders = Map.groupBy(partitions, ({ leader }) => leader);
    const answers = await Promise.all(
      [...leaders].map(([leader, own]) => {
        const topics = [...Map.groupBy(own, ({ topic }) => topic)].map(([name, all]) => ({
          name,
          partitions: all.map(({ partition }) => ({
            partitionIndex: partition,
            currentLeaderEpoch: -1,
            timestamp: AT[at],
          })),
        }));
        return this.#askNode(leader, request(listOffsetsV7.api, ANY_REPLICA, UNCOMMITTED, topics));
      }),
    );
    const said = answers.flatMap(({ topics }) =>
      topics.flatMap(({ name, partitions: all }) =>
        all.map(({ partitionIndex, offset }) => [keyOf(name, partitionIndex), offsetOf(offset)] as const),
      ),
    );
    const offsets = new Map(said);
    const missing = partitions.find((one) => !offsets.has(keyOf(one.topic, one.partition)));
    if (missing !== undefined)
      throw invalid(`the broker says no offset of the partition ${missing.partition} of ${missing.topic}`);
    return offsets;
  }

  /** What a group has committed, of one topic or of all: a partition without a commit is not there. */
  async committed(
    group: string,
    topic?: string,
    partitions: readonly number[] = [],
  ): Promise<Map<string, number>> {
    const asked = {
      groupId: group,
      memberEpoch: -1,
      topics: topic === undefined ? null : [{ name: topic, partitionIndexes: [...partitions] }],
    };
    const answer = await this.#askCoordinator(group, request(offsetFetchV8.api, [asked], false));
    const own = answer.groups.find(({ groupId }) => groupId === group);
    if (own === undefined) throw invalid(`the broker says nothing of the group ${group}`);
    const said = checked(
      own.topics.flatMap(({ name, partitions: all }) =>
        all.map(({ partitionIndex, committedOffset }) => ({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
        })),
      ),
    );
    return new Map(
      // Kafka's word for none.
      said.flatMap((one) =>
        one.offset === -1n ? [] : [[keyOf(one.topic, one.partition), offsetOf(one.offset)] as const],
      ),
    );
  }

  /** A group with its members and what each is assigned; `Dead` if there is none of the name. */
  async group(group: string): Promise<Group> {
    const answer = await this.#askCoordinator(group, request(describeGroupsV5.api, [group], false));
    const own = answer.groups.find(({ groupId }) => groupId === group);
    if (own === undefined) throw invalid(`the broker says nothing of the group ${group}`);
    if (own.groupState !== DEAD) return groupOf(own);
    return (await this.#streamsGroup(group)) ?? groupOf(own);
  }

  /** A group of the protocol that Kafka Streams has for itself; undefined where brokers know none, or not the protocol. */
  async #streamsGroup(group: string): Promise<Group | undefined> {
    const { apiKeys } = await this.#askNamed(request(apiVersionsV3.api, SOFTWARE, SOFTWARE_VERSION));
    if (!apiKeys.some(({ apiKey }) => apiKey === STREAMS_GROUP_DESCRIBE)) return undefined;
    const { groups } = await this.#askCoordinator(group, request(describeStreamsGroups, [group]));
    return groups.find(({ groupId, errorCode }) => groupId === group && errorCode === 0)?.described;
  }

  /** Asks the broker that has a group. */
  async #askCoordinator<Answer>(group: string, ask: Ask<Answer>): Promise<Answer> {
    const { coordinators } = await this.#askNamed(request(findCoordinatorV4.api, CONSUMER_GROUP, [group]));
    const coordinator = coordinators.find(({ key }) => key === group);
    if (coordinator === undefined) throw invalid(`the broker knows no coordinator of the group ${group}`);
    return this.#askAdvertised(coordinator, ask);
  }

  async #askNode<Answer>(node: number, ask: Ask<Answer>): Promise<Answer> {
    const broker = this.#brokers.get(node);
    if (broker === undefined) throw unavailable("a partition has no leader now");
    return this.#askAdvertised(broker, ask);
  }

  async #askAdvertised<Answer>(told: Pick<Place, "host" | "port">, ask: Ask<Answer>): Promise<Answer> {
    const { policy, named, brokers, signal } = this.#setting;
    const place = await within(brokers.advertised(policy, told, named, signal), signal);
    return this.#askAt(place, ask);
  }

  /** Asks the brokers that the policy names, one after the other until one answers. */
  async #askNamed<Answer>(ask: Ask<Answer>): Promise<Answer> {
    let why: unknown = unavailable("there is no broker");
    const { named, signal } = this.#setting;
    for (const [at, place] of named.entries()) {
      const isLast = at === named.length - 1;
      const own = isLast ? signal : AbortSignal.any([signal, AbortSignal.timeout(LIMITS.connectMs)]);
      try {
        return await this.#askAt(place, ask, own);
      } catch (thrown) {
        why = thrown;
        if (!(thrown instanceof Fault) || !thrown.retry) throw thrown;
      }
    }
    throw why;
  }

  async #askAt<Answer>(place: Place, ask: Ask<Answer>, signal = this.#setting.signal): Promise<Answer> {
    const { policy, manner, connections } = this.#setting;
    expectGuarded(place, manner);
    try {
      return await connections.use(
        policy.tenant,
        place,
        manner,
        (connection) => connection.ask(ask, signal),
        signal,
      );
    } catch (thrown) {
      throw refusal(thrown);
    }
  }
}

const request =
  <Args extends unknown[], Answer>(api: API<Args, Answer>, ...args: Args): Ask<Answer> =>
  (wire, done) =>
    api(wire, ...args, done);

function checked<One extends TopicPartition>(found: One[]): One[] {
  if (found.length > LIMITS.partitions)
    throw invalid(`there are ${found.length} partitions; at most ${LIMITS.partitions} are read`, {
      remedy: "Read the lag from an exporter, with a prometheus source that adds it up.",
    });
  const keys = new Set(found.map(({ topic, partition }) => keyOf(topic, partition)));
  if (keys.size < found.length || found.some(({ partition }) => partition < 0))
    throw invalid("the broker says one partition twice, or one below 0");
  return found;
}

function offsetOf(offset: bigint): number {
  if (offset < 0n || offset > LARGEST) throw invalid(`the broker says the offset ${offset}`);
  return Number(offset);
}

/** What others do on the way counts towards the time. */
function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const late = () => reject(unavailable("the brokers were not found in time"));
  if (signal.aborted) late();
  signal.addEventListener("abort", late, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener("abort", late));
}
