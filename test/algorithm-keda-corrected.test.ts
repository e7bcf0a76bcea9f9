import { describe, expect, test } from "vitest";
import { planned, query, told, wanted } from "./keda-bed.ts";
import { failed, kafkaSetting, lagging, noData, numbers, type Setting } from "./keda-vectors.ts";

describe("keda, by default, does the right thing where the original does not:", () => {
  const compat = "";
  const lag = (config: object, lags: Record<number, number>) =>
    told({ ...kafkaSetting({ lagThreshold: 10, ...config }, lagging(lags)), compat });

  test("35 behind in three partitions are three consumers' work, since a fourth would have none", async () => {
    expect((await lag({}, { 0: 35, 1: 0, 2: 0 })).replicas).toBe(3);
  });

  test("a partition that was made again hides nothing of the others", async () => {
    const offsets = [
      { topic: "t", id: 0, consumerOffset: 200, latestOffset: 150 },
      { topic: "t", id: 1, consumerOffset: 0, latestOffset: 40 },
    ];
    expect((await told({ ...kafkaSetting({}, offsets), compat })).totalLag).toBe(20);
  });

  test("partitions are shared evenly where that costs no more than twice what is needed, and not for nothing", async () => {
    const ensureEvenDistributionOfPartitions = true;
    const each = (count: number, of: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [at, of])) as Record<number, number>;
    expect((await lag({ ensureEvenDistributionOfPartitions }, each(10, 3))).replicas).toBe(5);
    expect((await lag({ ensureEvenDistributionOfPartitions }, each(10, 0))).replicas).toBe(0);
    expect((await lag({ ensureEvenDistributionOfPartitions }, each(13, 1))).replicas).toBe(2);
  });

  test("no data is no zero, unless that is chosen", async () => {
    expect((await told({ ...query(noData), compat })).error).toBe("there is no data");
    expect((await told({ ...query(noData, { ignoreNullValues: true }), compat })).value).toBe(0);
    const seen = await planned({ ...query(noData), current: 4, compat });
    expect(seen.plan.nodes).toEqual({});
    expect(seen.logs.join()).toContain("app is left as it is: prometheus-0: there is no data");
  });

  test("hours are told by what was last, also where a start is skipped", async () => {
    const hours = (lastStart: number, lastEnd: number) => ({
      config: { triggers: [{ type: "cron", desiredReplicas: 5 }] },
      sources: {
        cron: {
          series: [
            { labels: { edge: "lastStart" }, value: lastStart, at: "2026-03-28T12:00:00Z" },
            { labels: { edge: "lastEnd" }, value: lastEnd, at: "2026-03-28T12:00:00Z" },
          ],
          at: "2026-03-28T12:00:00Z",
        },
      },
      compat,
    });
    expect((await told(hours(100, 200))).active).toBe(false);
    expect((await told(hours(300, 200))).value).toBe(5);
  });

  test("what was never seen at work is put to sleep after a cooldown, and not at once", async () => {
    const setting: Setting = {
      ...query(numbers(0), { activationThreshold: 1 }),
      current: 3,
      compat,
    };
    const first = await planned(setting);
    // Of a cooldown that has begun, the query decides: nothing is wanted, and the guardrails say how low that may go.
    expect(first.plan.carry).toMatchObject({
      worked: { app: Date.parse("2026-11-22T10:00:00.000Z") / 1_000 },
    });
  });
});

describe("keda", () => {
  test("wants the most that one of its triggers asks for, and says which", async () => {
    const triggers = [
      { type: "prometheus", name: "requests", source: "requests", threshold: 100 },
      { type: "prometheus", name: "queue", source: "queue", threshold: 5 },
    ];
    const sources = { requests: numbers(420), queue: numbers(40) };
    const { plan } = await planned({
      config: { triggers, minReplicaCount: 1 },
      sources,
      current: 4,
      compat: "",
    });
    expect(plan.nodes.app).toEqual({ parallelism: 8, reason: "queue: 40 at 5 an instance" });
  });

  test("takes nothing away while one of its triggers cannot be read", async () => {
    const triggers = [
      { type: "prometheus", name: "requests", source: "requests", threshold: 100 },
      { type: "prometheus", name: "queue", source: "queue", threshold: 5 },
    ];
    const setting = { config: { triggers, minReplicaCount: 1 }, current: 8, compat: "" };
    expect(
      (await planned({ ...setting, sources: { requests: numbers(420), queue: failed } })).plan.nodes,
    ).toEqual({});
    expect(await wanted({ ...setting, sources: { requests: numbers(1_000), queue: failed } })).toBe(10);
  });
});
