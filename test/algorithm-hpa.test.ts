import { beforeAll, describe, expect, test } from "vitest";
import { normalize, normalizePlainly } from "../host/loop/guardrails/normalize.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { behavior, moments, NOW, reasonOf, type Rules } from "./hpa-bed.ts";
import { calculation, reconciliation, vectors, type Given, type Vector } from "./hpa-vectors.ts";
import { callStock } from "./stock.ts";

let file = "";
beforeAll(async () => {
  file = (await buildAlgorithms()).find(({ name }) => name === "hpa")?.file ?? "";
}, 120_000);

interface Proposed {
  readonly replicas?: number;
  readonly usageMilli?: string;
  readonly utilization?: number;
  readonly error?: string;
  readonly reason?: string;
}
/** What the one metric of a calculation asks for. */
async function proposed(input: string): Promise<Proposed | undefined> {
  const { answer, error } = await callStock(file, "analyze", input);
  if (error !== undefined) throw new Error(error);
  return (answer as { nodes: { app: { metrics: Proposed[] } } }).nodes.app.metrics[0];
}

/** How many are wanted before bounds, windows and rates; undefined where nothing is decided. */
async function wanted(input: string): Promise<{ count: number | undefined; logs: readonly string[] }> {
  const { answer, error, logs } = await callStock(file, "plan", input);
  if (error !== undefined) throw new Error(error);
  const plan = answer as { nodes: { app?: { parallelism: number; reason: string } } };
  return { count: plan.nodes.app?.parallelism, logs };
}

const DEFAULT_UP = [
  { type: "Pods", value: 4, periodSeconds: 15 },
  { type: "Percent", value: 100, periodSeconds: 15 },
] as const;
const DEFAULT_DOWN = [{ type: "Percent", value: 100, periodSeconds: 15 }] as const;
const completed = (rules: Partial<Rules> | null, policies: Rules["policies"]): Rules => ({
  selectPolicy: "Max",
  policies,
  ...rules,
});

/** What a wanted number becomes after the guardrails in their compatible mode. */
function granted(given: Given, count: number) {
  const { specReplicas, minReplicas: min, maxReplicas: max, recommendations } = given;
  const before = recommendations ?? [{ ageSeconds: 0, replicas: specReplicas }];
  const wish = {
    ...{ current: specReplicas, wanted: count, bounds: { min, max }, nowMs: NOW },
    ...{ wants: moments(before), scaled: [] },
  };
  if (given.behavior === undefined) return normalizePlainly(wish, 300, given.scaleUpLimitFactor);
  const { scaleUp, scaleDown } = given.behavior;
  return normalize(wish, behavior(completed(scaleUp, DEFAULT_UP), completed(scaleDown, DEFAULT_DOWN)));
}

const of = (layer: string, keep: (one: Vector) => boolean = () => true) =>
  vectors.filter((one) => one.layer === layer && keep(one)).map((one) => [one.id, one] as const);

/** What concerns the API server and its selectors, and not what a metric says: here it is the driver's. */
const isOfDriver = ({ in: { overriddenClients = [] } }: Vector) =>
  overriddenClients.some((one) => one === "scale" || one === "hpa" || one === "discovery");

describe("hpa, told to be compatible, does what a HorizontalPodAutoscaler v2 did", () => {
  test("with every case: 96 calculations, and 80 whole reconciliations of which some are the driver's", () => {
    const count = (layer: string) => of(layer).length;
    expect([count("calculator"), count("calculator-extra"), count("reconcile")]).toEqual([56, 40, 80]);
  });

  test.each([...of("calculator"), ...of("calculator-extra")])(
    "%s",
    async (_id, { in: given, expect: expected }) => {
      const seen = await proposed(calculation(given));
      const { error, utilization, replicas, usageMilli = expected.rawAverageMilli } = expected;
      // The original names the pod and the container in its own words.
      expect(seen?.error?.slice(0, 19)).toBe(error?.slice(0, 19));
      expect(seen?.replicas).toBe(replicas);
      expect(seen?.utilization).toBe(utilization);
      expect(seen?.usageMilli).toBe(usageMilli === undefined ? undefined : String(usageMilli));
    },
  );

  test.each(of("reconcile", (one) => !isOfDriver(one)))(
    "%s",
    async (_id, { in: given, note, expect: expected }) => {
      const { count } = await wanted(reconciliation(given, note));
      const result = count === undefined ? undefined : granted(given, count);
      expect(result?.value ?? given.specReplicas).toBe(expected.replicas);
      const limited = expected.conditions?.find(({ type }) => type === "ScalingLimited")?.reason;
      const isShort = given.specReplicas > given.maxReplicas || given.specReplicas < given.minReplicas;
      expect(result === undefined || isShort ? limited : reasonOf(result.limited)).toBe(limited);
    },
  );
});

/** A deployment of `ready` pods that serve and are measured at these figures of `qps`, in thousandths. */
const given = (rest: Partial<Given>): Given =>
  ({ currentReplicas: 3, tolerance: 0.1, metricKind: "external", readyPods: 3, ...rest }) as Given;
const corrected = (rest: Partial<Given>) => proposed(calculation(given(rest), "corrected"));

describe("hpa, by default, does the right thing where the original does not:", () => {
  test("a figure below zero is an error of its source, and not more than 64 bits hold", async () => {
    for (const metricKind of ["external", "externalPerPod", "object", "pods"] as const) {
      const seen = await corrected({ metricKind, levelsMilli: [-5_000], targetMilli: 1_000 });
      expect(seen?.error).toMatch(/below zero|less than nothing/);
    }
  });

  test("a figure that is too large wants the most there can be, and not the least", async () => {
    const huge = { levelsMilli: ["9223372036854775807"], targetMilli: 1_000 } as const;
    for (const metricKind of ["external", "externalPerPod", "object", "objectPerPod", "pods"] as const)
      expect((await corrected({ metricKind, ...huge }))?.replicas).toBe(2_147_483_647);
  });

  test("while no pod is ready nobody can say what one does: that is no reason to remove all", async () => {
    const seen = await corrected({ levelsMilli: [20_000], targetMilli: 10_000, readyPods: 0 });
    expect(seen?.error).toContain("no pod is ready");
  });

  test("a share is not cut to whole percents: 88.9 % of 80 % is more than a tenth too much", async () => {
    const share = {
      metricKind: "resourceUtilization",
      resource: "cpu",
      pods: 9,
      targetUtilization: 80,
    } as const;
    const seen = await corrected({
      ...share,
      readyPods: 9,
      currentReplicas: 9,
      podLevelMilli: [889],
      podRequestMilli: 1_000,
    });
    // 9 × 88.9 / 80 = 10.001
    expect(seen?.replicas).toBe(11);
  });

  test("111 % of the target on a hundred pods are 111, and not one more for a rounding error", async () => {
    const share = {
      metricKind: "resourceUtilization",
      resource: "cpu",
      pods: 100,
      targetUtilization: 100,
    } as const;
    const seen = await corrected({
      ...share,
      readyPods: 100,
      currentReplicas: 100,
      podLevelMilli: [1_110],
      podRequestMilli: 1_000,
    });
    expect(seen?.replicas).toBe(111);
  });
});

describe("hpa", () => {
  const metrics = [
    { type: "Resource", resource: "cpu", target: { averageUtilization: 50 } },
    { type: "External", metric: "lag", target: { averageValueMilli: 1_000_000 } },
  ] as const;
  const whole = (rest: Partial<Given>) =>
    ({
      ...{ specReplicas: 4, statusReplicas: 4, minReplicas: 1, maxReplicas: 20, tolerance: 0.1, metrics },
      pods: Array.from({ length: 4 }, () => ({ phase: "Running", ready: true, cpuRequestMilli: 1_000 })),
      ...rest,
    }) as unknown as Given;
  const plan = async (rest: Partial<Given>, note?: string) => {
    const { answer, logs } = await callStock(file, "plan", reconciliation(whole(rest), note, "corrected"));
    return { nodes: (answer as { nodes: object }).nodes, logs };
  };

  test("wants the most that one of its metrics asks for, and says which and why", async () => {
    expect((await plan({ levelsMilli: [300, 300, 300, 300] })).nodes).toEqual({
      app: { parallelism: 3, reason: "cpu wants 3 (30 % used, target 50 %, 4 now)" },
    });
    expect((await plan({ levelsMilli: [600, 600, 600, 600] })).nodes).toEqual({
      app: { parallelism: 5, reason: "cpu wants 5 (60 % used, target 50 %, 4 now)" },
    });
  });

  test("does not shrink while one of its metrics cannot be read, and says so in the log", async () => {
    const seen = await plan(
      { levelsMilli: [100, 100, 100, 100], overriddenClients: ["externalMetrics"] },
      "the list is empty",
    );
    expect(seen.nodes).toEqual({});
    expect(seen.logs.join()).toContain("app is left as it is: FailedGetExternalMetric");
  });

  test("ends with the path of a target that nobody can understand", async () => {
    const input = reconciliation(whole({ levelsMilli: [1, 1, 1, 1] })).replace(
      '"averageUtilization":50',
      '"averageUtilization":"half"',
    );
    expect((await callStock(file, "plan", input)).error).toContain("averageUtilization: a number is needed");
  });
});
