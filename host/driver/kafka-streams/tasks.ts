import { keyOf, type Group, type TopicPartition } from "../../kafka/index.ts";

/** Topics that are read together: each of the tasks reads one partition of every one of them. */
export interface Subtopology {
  readonly id: number;
  readonly topics: readonly string[];
  /** As many as the largest of its topics has partitions. */
  readonly tasks: number;
}

/**
 * The sub-topologies of an application, by what its assignor says of the partitions that are assigned now. Topics of which it
 * says nothing are told apart by their names: every topic that the application made for itself is read by a sub-topology of
 * its own, all others together by another one. Pure.
 */
export function subtopologies(
  applicationId: string,
  partitions: readonly TopicPartition[],
  { members }: Group,
): Subtopology[] {
  const said = new Map<string, number>();
  for (const { assigned } of members)
    for (const { topic, subtopology } of assigned)
      if (subtopology !== undefined) said.set(topic, subtopology);
  const sizes = new Map<string, number>();
  for (const { topic } of partitions) sizes.set(topic, (sizes.get(topic) ?? 0) + 1);
  let next = Math.max(-1, ...said.values()) + 1;
  const others = [...sizes.keys()].filter((topic) => !said.has(topic)).sort();
  const sources = others.filter((topic) => !isRepartition(topic, applicationId));
  if (sources.length > 0) {
    for (const topic of sources) said.set(topic, next);
    next += 1;
  }
  for (const topic of others) if (!said.has(topic)) said.set(topic, next++);
  const byId = Map.groupBy([...sizes.keys()], (topic) => said.get(topic) ?? 0);
  return [...byId]
    .map(([id, topics]) => ({
      id,
      topics: topics.toSorted(),
      tasks: Math.max(...topics.map((topic) => sizes.get(topic) ?? 0)),
    }))
    .toSorted((one, other) => one.id - other.id);
}

/** A topic through which an application hands records to itself, under another key. */
const isRepartition = (topic: string, applicationId: string): boolean =>
  topic.startsWith(`${applicationId}-`) && topic.endsWith("-repartition");

/** A topic with which an application restores its state: it is not read for work. */
export const isChangelog = (topic: string, applicationId: string): boolean =>
  topic.startsWith(`${applicationId}-`) && topic.endsWith("-changelog");

/** How many tasks are assigned to a member now: one partition of each of its topics makes a task. Pure. */
export function assignedTasks(subtopologies: readonly Subtopology[], { members }: Group): number {
  const idOf = new Map(
    subtopologies.flatMap(({ id, topics }) => topics.map((topic) => [topic, id] as const)),
  );
  const tasks = new Set<string>();
  for (const { assigned } of members)
    for (const { topic, partition } of assigned) tasks.add(keyOf(String(idOf.get(topic)), partition));
  return tasks.size;
}
