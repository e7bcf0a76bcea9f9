import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kafkaAt } from "./kafka/bed.ts";
import { passesOf, wanting } from "./kafka/passes.ts";
import { brokerOrNone } from "./kafka/server.ts";
import { eventually, streamsApp } from "./kafka/streams.ts";
import { bed, faultOf, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";
import type { KafkaBroker } from "./world/kafka.ts";

const there = await brokerOrNone();

describe.skipIf(there === undefined)("what goes wrong with an application of Kafka Streams", () => {
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

  test("a pass says that a number between two instances was rounded, and the next one leaves it as it is", async () => {
    await using app = await streamsApp(ground, broker, kafka);
    await app.settled(2);
    const { pass, writes } = passesOf(app.driver);
    const first = await pass(app.policy, wanting(3));
    expect(first.decision?.verdicts).toMatchObject([{ wanted: 3, granted: 4, reasons: ["WholeInstances"] }]);
    expect(first).toMatchObject({ outcome: "Scaled", changes: [{ node: "count", outcome: "Scaled" }] });
    expect((await pass(app.policy, wanting(3))).outcome).toBe("Unchanged");
    expect((await pass(app.policy, wanting(40))).decision?.verdicts).toMatchObject([
      // Eight tasks: a ninth thread would have nothing to do.
      { wanted: 40, granted: 8, reasons: ["OutOfBounds", "AboveCeiling"] },
    ]);
    expect(writes).toEqual([4, 8]);
  }, 120_000);

  test("while threads lose their group again and again a change is not settled, and no other is made until it is", async () => {
    // A record takes longer than a thread may be away: the group throws out every thread that works.
    const settings = ["max.poll.interval.ms=700", "max.poll.records=1"];
    await using app = await streamsApp(ground, broker, kafka, { threads: 1, sleepMs: 2_000, settings });
    await app.settled(1);
    await broker.produce(app.input, [40, 40, 40, 40]);
    const settle = { timeoutSeconds: 120, onFailure: "Hold" } as const;
    const policy = { ...app.policy, settle };
    const { pass, writes } = passesOf(app.driver);
    expect((await pass(policy, wanting(2))).outcome).toBe("Scaled");
    const states = new Set<string>();
    const held: unknown[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { followed, decision } = await pass(policy, wanting(1));
      for (const one of followed ?? []) states.add(one.state);
      const [verdict] = decision?.verdicts ?? [];
      if (followed?.[0]?.state === "Settling") held.push([verdict?.granted, verdict?.reasons]);
      if (followed?.[0]?.state === "Settled") break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(states).toContain("Settling");
    expect(new Set(held.map((one) => JSON.stringify(one)))).toEqual(new Set(['[2,["Settling"]]']));
    expect(writes.filter((to) => to === 2)).toHaveLength(1);
    expect(writes.length).toBeLessThanOrEqual(2);
  }, 180_000);

  test("brokers that stand still end the pass in time: nothing is written, and it goes on when they do", async () => {
    await using app = await streamsApp(ground, broker, kafka, { threads: 1 });
    await app.settled(1);
    const { pass, writes } = passesOf(app.driver);
    broker.signal("SIGSTOP");
    try {
      const fault = await faultOf(app.driver.discover(app.policy));
      expect(fault).toMatchObject({
        code: "SourceUnavailable",
        field: "spec.target.kafkaStreams.applications[0].bootstrap",
        retry: true,
      });
      expect(await pass(app.policy, wanting(3))).toMatchObject({
        outcome: "Failed",
        fault: { code: "SourceUnavailable" },
      });
    } finally {
      broker.signal("SIGCONT");
    }
    expect(writes).toEqual([]);
    await eventually(async () => (await pass(app.policy, wanting(3))).outcome === "Scaled", "it goes on");
    expect(writes).toEqual([3]);
  }, 120_000);

  test("an instance that is killed while others come is started again: one write, and all tasks have a thread", async () => {
    await using app = await streamsApp(ground, broker, kafka, { threads: 1 });
    await app.settled(1);
    const settle = { timeoutSeconds: 600, onFailure: "Hold" } as const;
    const policy = { ...app.policy, settle };
    const { pass, writes } = passesOf(app.driver);
    expect((await pass(policy, wanting(3))).outcome).toBe("Scaled");
    await eventually(() => app.node.processes().length > 1, "another instance has begun");
    const [first] = app.node.processes();
    if (first !== undefined) process.kill(first.pid, "SIGKILL");
    await eventually(async () => {
      const { followed } = await pass(policy, wanting(3));
      return followed?.[0]?.state === "Settled";
    }, "all three serve");
    await app.settled(3);
    expect(writes).toEqual([3]);
  }, 120_000);

  test("instances that cannot be placed are a change that does not settle; the broker says how many are there", async () => {
    await using app = await streamsApp(ground, broker, kafka, { threads: 1 });
    await app.settled(1);
    app.node.hold(true);
    const { pass } = passesOf(app.driver);
    const policy = { ...app.policy, settle: { timeoutSeconds: 20, onFailure: "Rollback" } as const };
    expect((await pass(policy, wanting(3))).outcome).toBe("Scaled");
    expect((await pass(policy, wanting(3))).followed).toMatchObject([{ from: 1, to: 3, state: "Settling" }]);
    const back = await pass(policy, wanting(3));
    expect(back.followed).toMatchObject([{ state: "RolledBack" }]);
    expect(await app.replicas()).toBe(1);
    app.node.hold(false);
    await app.settled(1);
  }, 120_000);
});
