import { createAPI, ResponseError, Writer, type Reader } from "@platformatic/kafka";
import type { Group, Member } from "./group.ts";

/** The number by which the request is known, and the only version there is. */
export const STREAMS_GROUP_DESCRIBE = 89;
const VERSION = 0;
const GROUP_ID_NOT_FOUND = 69;

interface Subtopology {
  readonly id: string;
  readonly topics: readonly string[];
}

interface StreamsGroup {
  readonly groupId: string;
  readonly errorCode: number;
  readonly described: Group;
}

/**
 * Describes groups of the protocol that Kafka Streams has for itself (`group.protocol=streams`), which the client's codec does
 * not have: brokers tell its sub-topologies and the tasks of every member.
 */
export const describeStreamsGroups = createAPI<
  [groups: string[]],
  { readonly groups: readonly StreamsGroup[] }
>(
  STREAMS_GROUP_DESCRIBE,
  VERSION,
  (groups: string[]) =>
    Writer.create()
      .appendArray(groups, (writer, group) => void writer.appendString(group), true, false)
      .appendBoolean(false)
      .appendTaggedFields(),
  (_correlation, apiKey, version, reader) => {
    reader.readInt32();
    const groups = reader.readArray(readGroup);
    reader.readTaggedFields();
    const failed = groups.findIndex(({ errorCode }) => errorCode !== 0 && errorCode !== GROUP_ID_NOT_FOUND);
    if (failed >= 0)
      throw new ResponseError(
        apiKey,
        version,
        { [`/groups/${failed}`]: [groups[failed]?.errorCode ?? 0, null] },
        {},
      );
    return { groups };
  },
);

function readGroup(reader: Reader): StreamsGroup {
  const errorCode = reader.readInt16();
  reader.readNullableString();
  const groupId = reader.readString();
  const state = reader.readString();
  skip(reader, EPOCHS);
  const topology: readonly Subtopology[] = reader.readNullableStruct(() => readTopology(reader)) ?? [];
  const members = reader.readArray((one) => readMember(one, topology));
  reader.readInt32();
  return { groupId, errorCode, described: { state, members } };
}

function readTopology(reader: Reader): Subtopology[] {
  reader.readInt32();
  const found = reader.readArray((one): Subtopology => {
    const id = one.readString();
    const sources = strings(one);
    strings(one);
    topicInfos(one);
    return { id, topics: [...sources, ...topicInfos(one)] };
  });
  reader.readTaggedFields();
  return found;
}

function readMember(reader: Reader, topology: readonly Subtopology[]): Member {
  const id = reader.readString();
  reader.readInt32();
  const instanceId = reader.readNullableString() ?? undefined;
  reader.readNullableString();
  for (let names = 0; names < CLIENT_NAMES; names += 1) reader.readString();
  reader.readInt32();
  reader.readString();
  reader.readNullableStruct(() => {
    reader.readString();
    skip(reader, PORT);
    reader.readTaggedFields();
  });
  pairs(reader);
  taskOffsets(reader);
  taskOffsets(reader);
  const active = assignment(reader);
  assignment(reader);
  reader.readBoolean();
  return {
    ...{ id, instanceId, subscribed: topology.flatMap(({ topics }) => topics) },
    assigned: active.flatMap(({ subtopology, partitions }) =>
      partitions.flatMap((partition) =>
        (topology.find((one) => one.id === subtopology)?.topics ?? []).map((topic) => ({
          ...{ topic, partition },
          subtopology: numberOf(subtopology),
        })),
      ),
    ),
  };
}

/** Epochs of the group and of its assignment. */
const EPOCHS = 8;
const PORT = 2;
/** The client's id and its host. */
const CLIENT_NAMES = 2;

const skip = (reader: Reader, bytes: number) => void reader.skip(bytes);
const strings = (reader: Reader) => reader.readArray((one) => one.readString(), true, false);
const pairs = (reader: Reader) => reader.readArray((one) => [one.readString(), one.readString()]);
const taskOffsets = (reader: Reader) =>
  reader.readArray((one) => [one.readString(), one.readInt32(), one.readInt64()]);

function topicInfos(reader: Reader): string[] {
  return reader.readArray((one) => {
    const name = one.readString();
    one.readInt32();
    one.readInt16();
    pairs(one);
    return name;
  });
}

/** The active tasks; those that stand by or warm up do no work. */
function assignment(reader: Reader) {
  const [active = []] = ["active", "standby", "warmup"].map(() =>
    reader.readArray((one) => ({
      subtopology: one.readString(),
      partitions: one.readArray((number) => number.readInt32(), true, false),
    })),
  );
  reader.readTaggedFields();
  return active;
}

const numberOf = (subtopology: string) => (/^\d{1,9}$/.test(subtopology) ? Number(subtopology) : undefined);
