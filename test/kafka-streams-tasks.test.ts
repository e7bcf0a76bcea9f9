import { describe, expect, test } from "vitest";
import { assignedTasks, subtopologies } from "../host/driver/kafka-streams/tasks.ts";
import type { Group } from "../host/kafka/index.ts";

const of = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));
const member = (...assigned: [topic: string, partition: number, subtopology?: number][]) => ({
  ...{ id: "m", instanceId: undefined, subscribed: [] },
  assigned: assigned.map(([topic, partition, subtopology]) => ({ topic, partition, subtopology })),
});
const group = (...members: Group["members"]): Group => ({ state: "Stable", members });
const TOPICS = [...of("clicks", 6), ...of("users", 4), ...of("app-by-word-repartition", 3)];

describe("sub-topologies of an application", () => {
  test("are those that its assignor names; the tasks of one are the partitions of its largest topic", () => {
    const found = subtopologies(
      "app",
      TOPICS,
      group(member(["clicks", 0, 1], ["users", 0, 1], ["app-by-word-repartition", 0, 0])),
    );
    expect(found).toEqual([
      { id: 0, topics: ["app-by-word-repartition"], tasks: 3 },
      { id: 1, topics: ["clicks", "users"], tasks: 6 },
    ]);
  });

  test("are told apart by the names of topics where nobody says more: what the application made is read on its own", () => {
    expect(subtopologies("app", TOPICS, group())).toEqual([
      { id: 0, topics: ["clicks", "users"], tasks: 6 },
      { id: 1, topics: ["app-by-word-repartition"], tasks: 3 },
    ]);
  });

  test("another application's topic is a source like any other", () => {
    expect(subtopologies("other", TOPICS, group())).toEqual([
      { id: 0, topics: ["app-by-word-repartition", "clicks", "users"], tasks: 6 },
    ]);
  });

  test("are none where nothing is read yet", () => {
    expect(subtopologies("app", [], group())).toEqual([]);
  });
});

test("a task is one, however many topics it reads, and whoever has it", () => {
  const assigned = group(
    member(["clicks", 0], ["users", 0]),
    member(["clicks", 1], ["app-by-word-repartition", 1]),
  );
  expect(assignedTasks(subtopologies("app", TOPICS, assigned), assigned)).toBe(3);
});
