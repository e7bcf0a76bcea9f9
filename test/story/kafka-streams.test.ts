import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Iteration } from "../../host/knowledge/index.ts";
import { brokerOrNone } from "../kafka/server.ts";
import type { KafkaBroker } from "../world/kafka.ts";
import { conditions, ROOT } from "./bed.ts";
import { told } from "./known.ts";
import { offer, type Offer } from "./offer.ts";
import { eventually } from "./operator.ts";
import { isUnassigned, type LoadStep } from "./report.ts";
import { streamsStage, waitingIn, type StreamsStage } from "./streams.ts";

const page = await readFile(join(ROOT, "docs/how-to/scale-kafka-streams.md"), "utf8");
const [, policy = ""] = /```yaml\n(.*?)```/s.exec(page) ?? [];
const broker = await brokerOrNone();

/** Four partitions of `clicks`, and a record of each costs 5 ms: a thread does 200 a second. */
const [PARTITIONS, SLEEP_MS] = [4, 5];
/** Half a second between two commits, and as much again for what is under way. */
const caughtUp = (perSecond: number) => perSecond;

describe.skipIf(broker === undefined)("Kafka Streams, by the policy of the manual", () => {
  let at: StreamsStage;
  let clicks: Offer;
  const steps: LoadStep[] = [];
  beforeAll(async () => {
    const there = broker as KafkaBroker;
    at = await streamsStage(there);
    await there.createTopic("clicks", PARTITIONS);
    await there.createTopic("counts", 1);
    clicks = offer(there.ports.plain, "clicks", PARTITIONS, at.set.load);
    await at.start({
      ...{ name: "word-counter", kind: "StatefulSet" },
      words: (pod) => [
        ...["SlowStreams", `127.0.0.1:${there.ports.plain}`, "word-counter", "clicks", "counts"],
        ...["2", String(SLEEP_MS), `${there.directory}/state/${pod}`],
        // As the manual says: else what goes is missed when its session ends.
        "main.consumer.internal.leave.group.on.close=true",
        // A thread comes to a rebalance when it has worked on all that it fetched: a thousand records take five seconds.
        "max.poll.records=100",
      ],
    });
    clicks.turn(100);
    await at.apply(
      policy.replace(/oci:\S+/, await at.push("keda")).replace(/namespace: \S+ /, `namespace: ${at.team} `),
    );
  }, 300_000);
  afterAll(async () => {
    await clicks?.[Symbol.asyncDispose]();
    await at?.[Symbol.asyncDispose]();
    await broker?.stop();
  }, 60_000);

  /** What the last pass that found the application found. */
  const found = async () => {
    const passes = await at.passes("counts", 5);
    return {
      node: passes.findLast(({ topology }) => topology !== undefined)?.topology?.nodes[0],
      waits: waitingIn(passes).at(-1)?.records ?? Number.NaN,
    };
  };
  const reach = (threads: number, waits: number) =>
    eventually(
      found,
      ({ node, waits: behind }) =>
        node?.parallelism === threads && node.ready === threads && node.settled === true && behind <= waits,
      240_000,
    );
  const turn = async (name: string, perSecond: number, threads: number) => {
    const fromMs = clicks.turn(perSecond);
    await reach(threads, caughtUp(perSecond));
    // What would swing swings within the window of the way down.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await reach(threads, caughtUp(perSecond));
    steps.push({
      name,
      fromMs,
      untilMs: Date.now(),
      needed: { count: threads },
      caughtUpAt: caughtUp(perSecond),
    });
  };
  const changesOf = (passes: readonly Iteration[]) =>
    passes.flatMap(({ decision, changes }) =>
      changes.some(({ outcome }) => outcome === "Scaled")
        ? (decision?.changes ?? []).map(({ from, to }) => `${from} → ${to}`)
        : [],
    );

  test("100 records a second are one thread, and an instance has two", async () => {
    await reach(2, caughtUp(100));
    expect((await conditions(at.set, at.team, "counts"))["Ready"]).toMatchObject({ status: "True" });
  }, 240_000);

  test("480 a second at 150 a thread are 3.2, so 4: two instances, and what waited is worked off", async () => {
    await turn("100 → 480 records/s", 480, 4);
  }, 600_000);

  test("100 a second are an instance again", async () => {
    await turn("480 → 100 records/s", 100, 2);
  }, 600_000);

  test("when nothing comes any more nothing waits, in any partition", async () => {
    clicks.turn(0);
    await reach(2, 0);
  }, 240_000);

  test("each step took one decision, and none led astray", async () => {
    const passes = await at.passes("counts");
    const [up, down] = await told("Kafka Streams", {
      ...{ passes, steps, waiting: waitingIn(passes), isDown: isUnassigned },
    });
    // Between two threads and four there is nothing: instances have two each.
    expect(changesOf(passes)).toEqual(["2 → 4", "4 → 2"]);
    expect(up).toMatchObject({ decisions: 1, astray: [] });
    expect(down).toMatchObject({ decisions: 1, astray: [] });
    for (const one of [up, down]) {
      expect(one?.settledSeconds).toBeDefined();
      expect(one?.caughtUpSeconds).toBeDefined();
    }
  });
});
