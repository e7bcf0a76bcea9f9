import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkaAt } from "./kafka/bed.ts";
import { brokerOrNone } from "./kafka/server.ts";
import { eventually, streamsApp } from "./kafka/streams.ts";
import { bed, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";
import type { KafkaBroker } from "./world/kafka.ts";

const there = await brokerOrNone();

describe.skipIf(there === undefined)("a real application of Kafka Streams", () => {
  const broker = there as KafkaBroker;
  const kafka = kafkaAt(broker?.ports.plain ?? 0);
  let ground: Bed;
  beforeAll(async () => {
    ground = await bed((await sharedCluster()).kubeconfig);
  });
  afterAll(async () => {
    kafka.close();
    await ground[Symbol.asyncDispose]();
    await broker.stop();
  });

  test("is one node of so many threads, with the tasks, sub-topologies and lag that Kafka knows of it", async () => {
    await using app = await streamsApp(ground, broker, kafka);
    await app.settled(2);
    await broker.produce(app.input, [300, 300, 300, 300]);
    const node = await app.found();
    expect(node).toMatchObject({
      ...{ name: "count", kind: "Deployment", parallelism: 2, ready: 2, min: 1, max: 16, unit: 2 },
      // Four partitions of the input, and four of what the application makes for itself.
      ceiling: 8,
      attributes: {
        ...{ applicationId: app.application.applicationId, state: "Stable", threadsPerInstance: "2" },
        ...{ members: "2", tasks: "8", assignedTasks: "8", subtopologies: "0,words" },
        ...{ "subtopology.0.tasks": "4", "subtopology.0.topics": app.input, "subtopology.words.tasks": "4" },
        "subtopology.words.topics": `${app.application.applicationId}-by-word-repartition`,
      },
    });
    expect(Number(node.attributes["subtopology.0.lag"])).toBeGreaterThan(0);
    // 1,200 records of 5 ms on two threads take three seconds.
    await eventually(async () => {
      const { attributes } = await app.found();
      return attributes["subtopology.0.lag"] === "0" && attributes["subtopology.words.lag"] === "0";
    }, "all was counted");
  }, 120_000);

  test("is scaled by whole instances: three threads of two an instance are four, and it has settled when all tasks are at four", async () => {
    await using app = await streamsApp(ground, broker, kafka);
    await app.settled(2);
    app.node.hold(true);
    expect(await app.scale(2, 3)).toEqual([{ node: "count", outcome: "Scaled", granted: 4 }]);
    expect(await app.replicas()).toBe(2);
    expect(await app.found()).toMatchObject({ parallelism: 4, ready: 2, settled: false });
    app.node.hold(false);
    await app.settled(4);
    expect((await app.found()).attributes).toMatchObject({ members: "4", tasks: "8", assignedTasks: "8" });
    expect(await app.scale(4, 2)).toEqual([{ node: "count", outcome: "Scaled" }]);
    await app.settled(2);
    expect((await app.found()).attributes).toMatchObject({ members: "2", tasks: "8", assignedTasks: "8" });
  }, 240_000);

  test("an instance that dies is missed as long as the group waits for its threads, and settled again after it", async () => {
    await using app = await streamsApp(ground, broker, kafka, { graceMs: 0, threads: 1, replicas: 2 });
    await app.settled(2);
    expect(await app.scale(2, 1)).toEqual([{ node: "count", outcome: "Scaled" }]);
    // Killed: it could not leave its group, which waits six seconds for it.
    await eventually(() => app.node.processes().length === 1, "one instance is gone");
    expect(await app.found()).toMatchObject({ parallelism: 1, settled: false, attributes: { members: "2" } });
    await app.settled(1);
  }, 240_000);

  test("instances of a StatefulSet keep their membership: a restart is no rebalance, and what was scaled away leaves", async () => {
    const settings = ["group.instance.id={pod}", "session.timeout.ms=6000"];
    const wishes = { kind: "StatefulSet", threads: 1, replicas: 2, settings, graceMs: 0 } as const;
    await using app = await streamsApp(ground, broker, kafka, wishes);
    await app.settled(2);
    expect(await app.found()).toMatchObject({ kind: "StatefulSet", attributes: { members: "2" } });
    const [first] = app.node.processes();
    process.kill(first?.pid ?? 0, "SIGKILL");
    await app.settled(2);
    await app.scale(2, 1);
    await app.settled(1);
    expect((await app.found()).attributes).toMatchObject({ members: "1", assignedTasks: "8" });
  }, 240_000);

  test("an application at zero keeps its ceiling and says what waits for it", async () => {
    await using app = await streamsApp(ground, broker, kafka, { threads: 2 });
    await app.settled(2);
    await broker.produce(app.input, [5, 5, 5, 5]);
    await eventually(async () => {
      const { attributes } = await app.found();
      return attributes["subtopology.0.lag"] === "0" && attributes["subtopology.words.lag"] === "0";
    }, "all counted");
    expect(await app.scale(2, 0)).toEqual([{ node: "count", outcome: "Scaled" }]);
    await app.settled(0);
    await broker.produce(app.input, [30, 0, 0, 0]);
    expect(await app.found()).toMatchObject({
      ...{ parallelism: 0, ready: 0, ceiling: 8 },
      attributes: { state: "Empty", members: "0", tasks: "8", "subtopology.0.lag": "30" },
    });
  }, 240_000);

  test("a change that somebody else made in between is a conflict, told of the application's own field", async () => {
    await using app = await streamsApp(ground, broker, kafka, { threads: 1 });
    await app.settled(1);
    const [outcome] = await app.scale(4, 5);
    expect(outcome).toMatchObject({ node: "count", outcome: "Failed", code: "Conflict" });
    expect(JSON.stringify(outcome)).toContain("spec.target.kafkaStreams.applications[0].ref");
    expect(await app.driver.writer?.(app.policy, "count")).toMatchObject({ parallelism: 1, isOwn: false });
  }, 120_000);
});
