import { describe, expect, test } from "vitest";
import { planned, query, told, wanted } from "./keda-bed.ts";
import {
  executorSetting,
  failed,
  jobSetting,
  kafka,
  kafkaSetting,
  lagging,
  noData,
  numbers,
  others,
  type Setting,
} from "./keda-vectors.ts";

const kinds = (kind: string) => kafka.filter((one) => one.kind === kind).map((one) => [one.id, one] as const);
const ids = <One extends { readonly id: string }>(all: readonly One[]) =>
  all.map((one) => [one.id, one] as const);

describe("keda, told to be compatible, on Kafka", () => {
  test("runs every case that is a computation; names and parameters of triggers are not: there is no metrics server, and sources have parameters of their own", () => {
    const counted = Object.groupBy(kafka, ({ kind }) => kind);
    expect(Object.fromEntries(Object.entries(counted).map(([kind, all]) => [kind, all?.length]))).toEqual({
      ...{
        partitionLag: 6,
        nextFactor: 6,
        factors: 5,
        partitionLimitation: 6,
        activePartitions: 2,
        totalLag: 22,
      },
      ...{ metricName: 3, metadata: 16, auth: 14 },
    });
  });

  test.each(kinds("partitionLag"))("lag of a partition: %s", async (_id, given) => {
    const { consumerOffset = -1, latestOffset = null } = given;
    const setting = kafkaSetting(given.config ?? {}, [{ topic: "t", id: 0, consumerOffset, latestOffset }]);
    const [seen] = (await told(setting)).partitions ?? [];
    expect({ lag: seen?.lag, lagWithPersistent: seen?.lagWithPersistent }).toEqual(given.expect);
  });

  test.each(kinds("totalLag"))("lag of a group: %s", async (_id, given) => {
    const seen = await told(
      kafkaSetting(given.config ?? {}, given.partitions as never, given.previousOffsets),
    );
    const expected = given.expect as Record<string, unknown> & { perPartition: { id: number }[] };
    expect(
      seen.partitions?.map(({ partition: id, lag, lagWithPersistent }) => ({ id, lag, lagWithPersistent })),
    ).toEqual(expected.perPartition.map((one) => ({ ...one, topic: undefined })));
    expect([seen.totalLag, seen.value, seen.totalLagWithPersistent, seen.active, seen.replicas]).toEqual(
      [
        "totalLag",
        "metricExported",
        "totalLagWithPersistent",
        "active",
        "hpaReplicasAverageValueUnclamped",
      ].map((name) => expected[name]),
    );
  });

  const evenly = (partitions: number, totalLag: number, lagThreshold: number) => {
    const lags = Object.fromEntries(
      Array.from({ length: partitions }, (_, at) => [at, at === 0 ? totalLag : 0]),
    );
    return told(kafkaSetting({ lagThreshold, ensureEvenDistributionOfPartitions: true }, lagging(lags)));
  };
  test.each(kinds("nextFactor"))("the next divisor: %s", async (_id, given) => {
    const { partitions, totalLag = 0, lagThreshold = 10 } = given;
    expect((await evenly(partitions as number, totalLag, lagThreshold)).replicas).toBe(given.expect);
  });
  test.each(kinds("factors"))("all divisors: %s", async (_id, { n = 0, expect: expected }) => {
    const found = new Set<number | undefined>();
    for (let lag = 1; lag <= n; lag += 1) found.add((await evenly(n, lag, 1)).replicas);
    expect([...found]).toEqual(expected);
  });

  test.each(kinds("partitionLimitation"))(
    "partitions by name: %s",
    async (_id, { input = "", expect: expected }) => {
      const lags = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [at, 1]));
      const seen = await told(kafkaSetting({ partitionLimitation: input }, lagging(lags)));
      const failure = seen.error?.includes("is no list such as 1-4,8") === true ? "error" : seen.error;
      expect(failure ?? seen.partitions?.map(({ partition }) => partition)).toEqual(expected);
    },
  );
  test.each(kinds("activePartitions"))("partitions that count: %s", async (_id, given) => {
    const lags = Object.fromEntries((given.topicPartitions ?? []).map((id) => [id, 1]));
    const seen = await told(
      kafkaSetting({ partitionLimitation: given.partitionLimitation ?? "" }, lagging(lags)),
    );
    expect(seen.partitions?.map(({ partition }) => partition)).toEqual(given.expect);
  });
});

/** What the host makes of an answer before an algorithm sees it. */
function observed({ httpStatus, body }: { httpStatus: number; body: string }): object {
  if (httpStatus !== 200) return failed;
  const { data } = JSON.parse(body) as { data: { result: { value?: unknown[] }[] } };
  const results = data.result.filter(({ value }) => value === undefined || value.length > 0);
  return results.length === 0 ? noData : numbers(...results.map(({ value }) => Number(value?.[1] ?? 0)));
}
/** NaN, infinity and null: the host makes an error of them for every source, so that no fault becomes a number. */
const isNoNumber = ({ body }: { body: string }) => /"[+-]?(Inf|NaN)"|null/.test(body);

describe("keda, told to be compatible,", () => {
  test.each(ids(others.prometheus.filter((one) => !isNoNumber(one))))(
    "on a query: %s",
    async (_id, given) => {
      const seen = await told(query(observed(given), { ignoreNullValues: given.ignoreNullValues }));
      expect(seen.error === undefined ? seen.value : "error").toBe(given.expect);
    },
  );
  test("leaves six cases of queries to the host, which has no number that is none", () => {
    expect(others.prometheus.filter(isNoNumber)).toHaveLength(6);
  });
  test.each(ids(others.prometheusActivation))("wakes by a query: %s", async (_id, given) => {
    const { value, activationThreshold } = given;
    const rest = activationThreshold === null ? {} : { activationThreshold };
    expect((await told(query(numbers(value), rest))).active).toBe(given.expect.active);
  });
  test.each(ids(others.quantity))("hands a number on: %s", async (_id, { value, expectQuantity }) => {
    const seen = await told(query(numbers(value)));
    expect(expectQuantity.split(" ")).toContain(String(seen.value));
  });

  test.each(ids(others.cron))(
    "by the hour: %s",
    async (_id, { desiredReplicas, nextStart, nextEnd, expect: expected }) => {
      const edge = (name: string, at: string) => ({
        labels: { edge: name },
        value: Date.parse(at) / 1_000,
        at,
      });
      const series = [edge("nextStart", nextStart), edge("nextEnd", nextEnd)];
      const seen = await told({
        config: { triggers: [{ type: "cron", desiredReplicas }] },
        sources: { cron: { series, at: nextStart } },
      });
      expect({ active: seen.active, metric: seen.value, target: seen.target }).toEqual(expected);
    },
  );

  // The expression is the host's; what becomes of its value is not.
  const valued = others.modifiers.filter(({ expect: { valueMilli } }) => valueMilli !== undefined);
  test.each(ids(valued))("on a value that the host made of several: %s", async (_id, given) => {
    const { target, activationTarget, fallbackReplicas, triggers, expect: expected } = given;
    const isBlind = Object.values(triggers).every((one) => one === null) && expected.active === undefined;
    const setting: Setting = {
      config: {
        triggers: [
          {
            ...{ type: "composite", source: "composite", threshold: Number(target), ignoreNullValues: false },
            ...(activationTarget === undefined ? {} : { activationThreshold: Number(activationTarget) }),
          },
        ],
        fallback: { replicas: fallbackReplicas ?? 1, failureThreshold: 0 },
        minReplicaCount: 1,
      },
      sources: { composite: isBlind ? noData : numbers((expected.valueMilli ?? 0) / 1_000) },
    };
    const { plan } = await planned(
      isBlind ? { ...setting, carry: { failed: { "app/composite-0": 9 } } } : setting,
    );
    const seen = isBlind ? {} : await told(setting);
    expect(isBlind ? undefined : seen.active).toBe(expected.active);
    expect(isBlind ? plan.nodes.app?.parallelism : seen.replicas).toBe(expected.hpaAverageValueUnclamped);
  });

  const averages = others.fallback.filter(({ metricType }) => metricType === "AverageValue");
  test.each(ids(averages))("falls back: %s", async (_id, given) => {
    const { behavior, target, fallbackReplicas: replicas, currentReplicas: current, expectMetric } = given;
    const setting: Setting = {
      ...query(failed, { threshold: target }),
      current,
    };
    const fallback = { replicas, behavior, failureThreshold: 3 };
    const config = { ...setting.config, fallback, minReplicaCount: 1, idleReplicaCount: 0 };
    const carry = { failed: { "app/prometheus-0": 9 } };
    // The metric that the original makes up is a target for every instance.
    const both = [
      { type: "prometheus", source: "query", threshold: target },
      { type: "prometheus", source: "work", threshold: 1_000_000 },
    ];
    const sources = { ...setting.sources, work: numbers(1) };
    expect((await wanted({ config: { ...config, triggers: both }, sources, current, carry })) * target).toBe(
      expectMetric,
    );
  });
  test.each(ids(others.fallbackThreshold))("falls back after so many failures: %s", async (_id, given) => {
    const { consecutiveFailures, failureThreshold, expectFallbackActive } = given;
    const triggers = [
      { type: "prometheus", source: "query", threshold: 10 },
      { type: "prometheus", source: "work", threshold: 1_000_000 },
    ];
    const seen = await wanted({
      config: { triggers, fallback: { replicas: 7, failureThreshold }, minReplicaCount: 1 },
      sources: { query: failed, work: numbers(1) },
      current: 3,
      // This pass is one more.
      carry: { failed: { "app/prometheus-0": consecutiveFailures - 1 } },
    });
    expect(seen).toBe(expectFallbackActive ? 7 : 3);
  });

  test.each(ids(others.scaledObjectExecutor))("sleeps and wakes: %s", async (_id, given) => {
    const { expect: expected, currentReplicas } = given;
    expect(await wanted(executorSetting(given))).toBe(
      expected.action === "scale" ? expected.to : currentReplicas,
    );
  });

  test.each(ids(others.scaledJobStrategies))("creates jobs: %s", async (_id, given) => {
    const { running, expectEffectiveMaxScale } = given;
    expect((await wanted(jobSetting(given))) - running).toBe(Math.max(0, expectEffectiveMaxScale));
  });
  test.each(ids(others.scaledJobMultiScaler))("joins triggers for jobs: %s", async (_id, given) => {
    const triggers = given.scalers.map(({ queueLength, maxValue, active }, at) => ({
      ...{
        type: "prometheus",
        source: `queue-${at}`,
        threshold: maxValue === 0 ? 1 : queueLength / maxValue,
      },
      activationThreshold: active ? 0 : 1_000_000,
    }));
    const sources = Object.fromEntries(
      given.scalers.map(({ queueLength }, at) => [`queue-${at}`, numbers(queueLength)]),
    );
    const jobs = { strategy: "default", multipleScalersCalculation: given.multipleScalersCalculation };
    const seen = await wanted({
      config: { triggers, jobs },
      sources,
      current: 0,
      attributes: { running: "0" },
    });
    expect(seen).toBe(given.expect.maxValue);
  });
});
