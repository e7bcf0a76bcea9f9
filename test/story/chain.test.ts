import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Iteration } from "../../host/knowledge/index.ts";
import { brokerOrNone } from "../kafka/server.ts";
import type { KafkaBroker } from "../world/kafka.ts";
import { conditions } from "./bed.ts";
import { told } from "./known.ts";
import { offer, type Offer } from "./offer.ts";
import { eventually } from "./operator.ts";
import { isUnassigned, type LoadStep } from "./report.ts";
import { streamsStage, waitingIn, type StreamsStage } from "./streams.ts";

const broker = await brokerOrNone();

interface Link {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly sleepMs: number;
  /** It passes on one record in so many. */
  readonly everyNth: number;
  readonly to?: readonly string[];
}
/** Topics of six partitions, so that one, two, three and six threads share them evenly. */
const PARTITIONS = 6;
const CHAIN: readonly Link[] = [
  // That `clean` feeds `count` is seen by the name of the topic between them.
  { name: "clean", input: "clicks", output: "clean-words", sleepMs: 4, everyNth: 1 },
  { name: "count", input: "clean-words", output: "counted", sleepMs: 8, everyNth: 2, to: ["store"] },
  { name: "store", input: "counted", output: "stored", sleepMs: 8, everyNth: 1 },
];
const NODES = CHAIN.map(({ name }) => name);

const KAFKA = { service: { name: "kafka", port: 9092 } };
const PROMETHEUS = { service: { name: "prometheus", port: 9090 } };
/** Records in a second of useful time, one sample for each instance: one that is not measured yet is no slow one. */
const perInstance = (name: string, records: string) => ({
  name,
  prometheus: { ...PROMETHEUS, query: `rate(${records}[10s]) / rate(busy_seconds_total[10s])` },
  byLabel: { label: "operator" },
});
const policyOf = (artifact: string) => ({
  apiVersion: "sluice.dev/v1alpha1",
  kind: "ScalingPolicy",
  metadata: { name: "chain" },
  spec: {
    serviceAccountName: "scaler",
    target: {
      kafkaStreams: {
        applications: CHAIN.map(({ name, to }) => ({
          ...{ name, applicationId: name, bootstrap: [KAFKA], threadsPerInstance: 1 },
          ref: { apiVersion: "apps/v1", kind: "Deployment", name },
          ...(to === undefined ? {} : { to }),
        })),
      },
    },
    sources: [
      perInstance("true-processing", "records_in_total"),
      perInstance("true-output", "records_out_total"),
      {
        name: "arrivals",
        prometheus: { ...PROMETHEUS, query: 'sum(rate(records_offered_total{topic="clicks"}[10s]))' },
        for: "clean",
      },
    ],
    algorithm: { artifact, pullSecrets: [{ name: "regcred" }], config: { scalingFactor: 0.5 } },
    schedule: { interval: "2s" },
    guardrails: {
      bounds: { min: 1, max: 6 },
      // A load that could not be written in time comes in one go: that is no rate.
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 6 },
        scaleDown: { stabilizationWindowSeconds: 15 },
      },
      settle: { timeout: "3m", onFailure: "Hold" },
    },
  },
});

describe.skipIf(broker === undefined)("a chain of three applications, scaled together by ds2", () => {
  let at: StreamsStage;
  let clicks: Offer;
  const steps: LoadStep[] = [];
  beforeAll(async () => {
    const there = broker as KafkaBroker;
    at = await streamsStage(there);
    for (const topic of ["clicks", "clean-words", "counted", "stored"])
      await there.createTopic(topic, PARTITIONS);
    clicks = offer(there.ports.plain, "clicks", PARTITIONS, at.set.load);
    for (const { name, input, output, sleepMs, everyNth } of CHAIN)
      await at.start({
        ...{ name, kind: "Deployment" },
        words: (pod, metrics) => [
          ...["RateStreams", `127.0.0.1:${there.ports.plain}`, name, input, output, String(sleepMs)],
          ...[String(everyNth), `${there.directory}/state/${pod}`, metrics, name, pod],
        ],
      });
    clicks.turn(50);
    await at.apply(JSON.stringify(policyOf(await at.push("ds2"))));
  }, 300_000);
  afterAll(async () => {
    await clicks?.[Symbol.asyncDispose]();
    await at?.[Symbol.asyncDispose]();
    await broker?.stop();
  }, 60_000);

  const found = async () => {
    const passes = await at.passes("chain", 5);
    const { nodes = [], edges = [] } =
      passes.findLast(({ topology }) => topology !== undefined)?.topology ?? {};
    return {
      threads: Object.fromEntries(
        nodes.map(({ name, parallelism, ready, settled }) => [
          name,
          ready === parallelism && settled === true ? parallelism : Number.NaN,
        ]),
      ),
      waits: NODES.map((name) => waitingIn(passes, name).at(-1)?.records ?? Number.NaN),
      edges: edges.map(({ from, to }) => `${from} → ${to}`),
    };
  };
  const reach = (needed: Record<string, number>, waits: number) =>
    eventually(
      found,
      (seen) =>
        NODES.every((name) => seen.threads[name] === needed[name]) &&
        seen.waits.every((behind) => behind <= waits),
      240_000,
    );
  const turn = async (name: string, perSecond: number, needed: Record<string, number>) => {
    const fromMs = clicks.turn(perSecond);
    await reach(needed, perSecond);
    // What would swing swings within the window of the way down.
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    await reach(needed, perSecond);
    // Each of the three may have a second's records before it.
    steps.push({ name, fromMs, untilMs: Date.now(), needed, caughtUpAt: 3 * perSecond });
  };
  const changesOf = (passes: readonly Iteration[]) =>
    passes.flatMap(({ decision, changes }) =>
      changes.some(({ outcome }) => outcome === "Scaled")
        ? (decision?.changes ?? []).map(({ node, from, to }) => ({ node, by: to - from }))
        : [],
    );

  test("50 a second at 4, 8 and 8 ms, of which the last gets half, are 0.2, 0.4 and 0.2 threads, and half of it on top: one each", async () => {
    await reach({ clean: 1, count: 1, store: 1 }, 50);
    expect((await conditions(at.set, at.team, "chain"))["Ready"]).toMatchObject({ status: "True" });
    expect((await found()).edges.toSorted()).toEqual(["clean → count", "count → store"]);
  }, 240_000);

  test("210 a second are 0.84, 1.68 and 0.84 threads, with half of it on top 1.26, 2.52 and 1.26: two, three and two; what waited is worked off", async () => {
    await turn("50 → 210 records/s", 210, { clean: 2, count: 3, store: 2 });
  }, 600_000);

  test("50 a second are one thread each again", async () => {
    await turn("210 → 50 records/s", 50, { clean: 1, count: 1, store: 1 });
  }, 600_000);

  test("when nothing comes any more nothing waits before any of them, and what is not known changes nothing", async () => {
    clicks.turn(0);
    await reach({ clean: 1, count: 1, store: 1 }, 0);
  }, 240_000);

  test("no change of any of them led astray, and no more were made than there are threads between", async () => {
    const passes = await at.passes("chain");
    const waiting = waitingIn(passes);
    const [up, down] = await told("Chain of three", { passes, steps, waiting, isDown: isUnassigned });
    const changes = changesOf(passes);
    const sum = (node: string, sign: 1 | -1) =>
      changes.filter((one) => one.node === node && one.by * sign > 0).reduce((all, { by }) => all + by, 0);
    expect(NODES.map((name) => [sum(name, 1), sum(name, -1)])).toEqual([
      [1, -1],
      [2, -2],
      [1, -1],
    ]);
    // Each change brings a node nearer by a thread at least: 1 + 2 + 1.
    for (const one of [up, down]) {
      expect(one?.astray).toEqual([]);
      expect(one?.decisions).toBeGreaterThanOrEqual(1);
      expect(one?.decisions).toBeLessThanOrEqual(4);
      expect(one?.settledSeconds).toBeDefined();
      expect(one?.caughtUpSeconds).toBeDefined();
    }
  });
});
