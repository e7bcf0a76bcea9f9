import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkaAt } from "./kafka/bed.ts";
import { brokerOrNone } from "./kafka/server.ts";
import { streamsApp } from "./kafka/streams.ts";
import { bed, until, type Bed } from "./kube/bed.ts";
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
    await until(async () => {
      const { attributes } = await app.found();
      return attributes["subtopology.0.lag"] === "0" && attributes["subtopology.words.lag"] === "0";
    }, "all was counted");
  }, 120_000);
});
