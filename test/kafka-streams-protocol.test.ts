import { Admin } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkaAt } from "./kafka/bed.ts";
import { brokerOrNone } from "./kafka/server.ts";
import { streamsApp } from "./kafka/streams.ts";
import { bed, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";
import type { KafkaBroker } from "./world/kafka.ts";

/** The groups of a protocol, as an administrator sees them. */
async function groupsOf({ ports }: KafkaBroker, protocol: string): Promise<string[]> {
  const admin = new Admin({ clientId: "test", bootstrapBrokers: [`127.0.0.1:${ports.plain}`] });
  try {
    return [...(await admin.listGroups({ types: [protocol] })).keys()];
  } finally {
    await admin.close();
  }
}

const there = await brokerOrNone({
  features: ["streams.version=1"],
  settings: {
    "unstable.api.versions.enable": "true",
    "unstable.feature.versions.enable": "true",
    "group.coordinator.rebalance.protocols": "classic,consumer,streams",
    "group.streams.session.timeout.ms": "6000",
    "group.streams.min.session.timeout.ms": "6000",
    "group.streams.heartbeat.interval.ms": "1000",
    "group.streams.min.heartbeat.interval.ms": "1000",
  },
});

describe.skipIf(there === undefined)(
  "an application of Kafka Streams with the group protocol of its own",
  () => {
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

    test("is described by the brokers: sub-topologies, and the tasks of every thread", async () => {
      await using app = await streamsApp(ground, broker, kafka, { settings: ["group.protocol=streams"] });
      await app.settled(2);
      const { applicationId } = app.application;
      expect(await groupsOf(broker, "streams")).toContain(applicationId);
      expect(await groupsOf(broker, "classic")).not.toContain(applicationId);
      expect(await app.found()).toMatchObject({
        ...{ parallelism: 2, ready: 2, ceiling: 8 },
        attributes: {
          ...{ state: "Stable", members: "2", tasks: "8", assignedTasks: "8", subtopologies: "0,words" },
          ...{ "subtopology.0.topics": app.input, "subtopology.0.tasks": "4" },
          "subtopology.words.topics": `${applicationId}-by-word-repartition`,
        },
      });
      await app.scale(2, 4);
      await app.settled(4);
      expect((await app.found()).attributes).toMatchObject({ members: "4", assignedTasks: "8" });
    }, 180_000);
  },
);
