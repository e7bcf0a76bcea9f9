import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  Reader,
  type describeGroupsV5,
} from "@platformatic/kafka";
import { invalid } from "./refusal.ts";
import type { TopicPartition } from "./topic.ts";

/** A partition that a member reads, and the sub-topology it reads it for, where Kafka Streams says so. */
export interface Assigned extends TopicPartition {
  readonly subtopology: number | undefined;
}

/** One consumer of a group: a stream thread. */
export interface Member {
  readonly id: string;
  /** Of a static member. */
  readonly instanceId: string | undefined;
  readonly subscribed: readonly string[];
  readonly assigned: readonly Assigned[];
}

/** A consumer group as its coordinator describes it. */
export interface Group {
  /** As Kafka says it, such as `Stable`, `PreparingRebalance`, `Empty`, or `Dead` for a group that is not there. */
  readonly state: string;
  readonly members: readonly Member[];
}

/** Reads what a group of the classic protocol is described by. Throws `SourceInvalid` for members that cannot be read. */
export function groupOf({ groupState, members }: describeGroupsV5.DescribeGroupsResponseGroup): Group {
  return { state: groupState, members: members.map(memberOf) };
}

function memberOf(member: describeGroupsV5.DescribeGroupsResponseMember): Member {
  const { memberId: id, groupInstanceId, memberMetadata, memberAssignment } = member;
  try {
    // A member that joins just now has neither.
    const subscribed =
      memberMetadata.length === 0 ? [] : decodeConsumerProtocolSubscription(memberMetadata).topics;
    const { assignedPartitions, userData } = decodeConsumerProtocolAssignment(memberAssignment);
    const read = assignedPartitions
      .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
      .toSorted(byTopicAndPartition);
    const tasks = activeTasks(userData);
    return {
      id,
      instanceId: groupInstanceId ?? undefined,
      subscribed,
      assigned: read.map((one, at) => ({
        ...one,
        // There is one entry for each partition, in this order.
        subtopology:
          tasks?.length === read.length && tasks[at]?.partition === one.partition
            ? tasks[at].subtopology
            : undefined,
      })),
    };
  } catch {
    throw invalid("a member of the group is none of the consumer's protocol");
  }
}

const byTopicAndPartition = (one: TopicPartition, other: TopicPartition) =>
  one.topic < other.topic ? -1 : one.topic > other.topic ? 1 : one.partition - other.partition;

/** From this version on a task has the name of its topology as well, empty mostly. */
const NAMED_TOPOLOGY_VERSION = 10;
const NEWEST_VERSION = 11;
/** Before it, the assignor did not say the newest version it knows. */
const SAYS_NEWEST_VERSION = 3;

/**
 * The active tasks in what the assignor of Kafka Streams adds to an assignment, one for each partition; undefined where it
 * is not there, or of a version that is not known.
 */
function activeTasks(userData: Buffer): { subtopology: number; partition: number }[] | undefined {
  try {
    const reader = Reader.from(userData);
    const version = reader.readInt32();
    if (version < 1 || version > NEWEST_VERSION) return undefined;
    if (version >= SAYS_NEWEST_VERSION) reader.readInt32();
    const count = reader.readInt32();
    if (count < 0 || count > userData.length) return undefined;
    return Array.from({ length: count }, () => {
      const task = { subtopology: reader.readInt32(), partition: reader.readInt32() };
      if (version >= NAMED_TOPOLOGY_VERSION) reader.skip(CHARACTER_BYTES * reader.readInt32());
      return task;
    });
  } catch {
    return undefined;
  }
}
const CHARACTER_BYTES = 2;
