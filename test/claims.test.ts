import { expect, test } from "vitest";
import { autoscalerTarget, Claims } from "../host/operator/claims.ts";
import { trimPolicy, type PolicyObject } from "../host/operator/object.ts";

const policy = (name: string, createdAt: string, ...targets: string[]): PolicyObject =>
  trimPolicy({
    apiVersion: "sluice.dev/v1alpha1",
    kind: "ScalingPolicy",
    metadata: {
      name,
      namespace: "team",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: createdAt,
    },
    spec: {
      target: {
        kubernetes: {
          nodes: targets.map((target) => ({
            name: target,
            ref: { apiVersion: "apps/v1", kind: "Deployment", name: target },
          })),
        },
      },
    },
  });
const autoscaler = (name: string, target: string, apiVersion = "apps/v1") =>
  autoscalerTarget({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name, namespace: "team", uid: name, resourceVersion: "1" },
    spec: { scaleTargetRef: { apiVersion, kind: "Deployment", name: target } },
  });

function claims() {
  const told: string[] = [];
  return { told, claims: new Claims((key) => void told.push(key)) };
}
const EARLY = "2026-01-01T00:00:00Z";
const LATE = "2026-01-02T00:00:00Z";

test("of two policies on one target the older has it, whichever is heard of first", () => {
  const { claims: known, told } = claims();
  const [older, younger] = [policy("older", EARLY, "split"), policy("younger", LATE, "count", "split")];
  known.policy(younger.key, younger);
  expect(known.rivalOf(younger)).toBeUndefined();
  known.policy(older.key, older);
  expect(told).toEqual(["team/younger"]);
  expect(known.rivalOf(younger)).toEqual({ kind: "ScalingPolicy", name: "older", of: "Deployment split" });
  expect(known.rivalOf(older)).toBeUndefined();
});

test("the younger has the target as soon as the older is gone, or names another", () => {
  const { claims: known, told } = claims();
  const [older, younger] = [policy("older", EARLY, "split"), policy("younger", LATE, "split")];
  for (const one of [older, younger]) known.policy(one.key, one);
  told.length = 0;
  known.policy(older.key, policy("older", EARLY, "count"));
  expect([told, known.rivalOf(younger)]).toEqual([["team/younger"], undefined]);
  known.policy(older.key, older);
  known.policy(older.key, undefined);
  expect(known.rivalOf(younger)).toBeUndefined();
});

test("an autoscaler has its target from every policy, whatever version of the group it names, and until it is gone", () => {
  const { claims: known, told } = claims();
  const one = policy("one", EARLY, "split");
  known.policy(one.key, one);
  known.autoscaler("team/hpa", autoscaler("hpa", "split", "apps/v1beta1"));
  expect(told).toEqual(["team/one"]);
  expect(known.rivalOf(one)).toEqual({
    kind: "HorizontalPodAutoscaler",
    name: "hpa",
    of: "Deployment split",
  });
  known.autoscaler("team/hpa", autoscaler("hpa", "elsewhere"));
  expect(known.rivalOf(one)).toBeUndefined();
  known.autoscaler("team/hpa", autoscaler("hpa", "split"));
  known.autoscaler("team/hpa", undefined);
  expect(known.rivalOf(one)).toBeUndefined();
});

test("of two autoscalers on one target, the one that stays still has it", () => {
  const { claims: known } = claims();
  const one = policy("one", EARLY, "split");
  known.policy(one.key, one);
  known.autoscaler("team/first", autoscaler("first", "split"));
  known.autoscaler("team/second", autoscaler("second", "split"));
  known.autoscaler("team/second", undefined);
  expect(known.rivalOf(one)?.name).toBe("first");
  known.autoscaler("team/first", undefined);
  expect(known.rivalOf(one)).toBeUndefined();
});

test("what cannot be understood has no target and is nobody's rival", () => {
  const { claims: known } = claims();
  const odd = {
    ...policy("odd", EARLY),
    spec: { target: { kubernetes: { nodes: [null, { ref: 7 }, "x"] } } },
  };
  known.policy(odd.key, odd);
  known.autoscaler("team/hpa", undefined);
  expect(known.rivalOf(odd)).toBeUndefined();
});

test("a Flink job is scaled by the older of two policies, and its TaskManagers by nobody else", () => {
  const { claims: known } = claims();
  const flink = (name: string, createdAt: string, job?: string): PolicyObject => ({
    ...policy(name, createdAt),
    spec: {
      target: {
        flink: {
          jobManager: { service: { name: "jobs", port: 8081 } },
          ...(job === undefined ? {} : { job: { name: job } }),
          taskManagers: { ref: { apiVersion: "apps/v1", kind: "Deployment", name: `workers-of-${name}` } },
        },
      },
    },
  });
  const all = [flink("one", EARLY, "clicks"), flink("two", LATE, "clicks"), flink("three", LATE, "views")];
  for (const one of all) known.policy(one.key, one);
  known.autoscaler("team/hpa", autoscaler("hpa", "workers-of-three"));
  expect(all.map((one) => known.rivalOf(one))).toEqual([
    undefined,
    { kind: "ScalingPolicy", name: "one", of: "Flink job clicks of jobs" },
    { kind: "HorizontalPodAutoscaler", name: "hpa", of: "Deployment workers-of-three" },
  ]);
});
