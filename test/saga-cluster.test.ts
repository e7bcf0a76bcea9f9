import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetesDriver } from "../host/driver/index.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import { iterate } from "../host/loop/index.ts";
import type { Policy, TargetNode } from "../host/policy/index.ts";
import { policy } from "./builders.ts";
import { admission } from "./kube/admission.ts";
import { allow, bed, deployment, expectStatus, SCALER_RULES, until, type Bed } from "./kube/bed.ts";
import { wanting } from "./passes.ts";
import { recordsStore } from "./records-store.ts";
import { sharedCluster, type Cluster } from "./world/index.ts";

let world: Cluster;
let ground: Bed;
beforeAll(async () => {
  world = await sharedCluster();
  ground = await bed(world.kubeconfig);
  await world.applyNode("saga-node");
});
afterAll(() => ground[Symbol.asyncDispose]());

const RULES = [
  ...SCALER_RULES,
  { apiGroups: [""], resources: ["events"], verbs: ["list"] },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: ["list"] },
];
const target = (name: string, kind = "Deployment"): TargetNode => ({
  name,
  ref: { apiVersion: "apps/v1", kind, name },
  to: [],
  bounds: { min: 1, max: 10 },
  attributes: {},
});

/** A namespace with an account, whose policy gets its passes from an operator with a clock to turn. */
async function stage(rules = RULES) {
  const namespace = await ground.namespace();
  // Until the controller manager has made it, the namespace takes no pod.
  await until(
    async () =>
      (await ground.admin("GET", `/api/v1/namespaces/${namespace}/serviceaccounts/default`)).status === 200,
    "the default account",
  );
  await allow(ground, namespace, "scaler", rules);
  const path = `/apis/apps/v1/namespaces/${namespace}`;
  const driver = kubernetesDriver(ground.connect());
  const records = new Map<string, Iteration>();
  const clock = { nowMs: Date.now(), now: () => new Date(clock.nowMs) };
  const pass = (of: Policy, wants: Record<string, number>) =>
    iterate(of, {
      ...{ clock, driver, engine: wanting(wants), store: recordsStore(records) },
      sources: { observe: async () => ({}) },
    });
  const objectOf = async (plural: string, name: string) =>
    expectStatus(ground.admin("GET", `${path}/${plural}/${name}`), 200);
  return {
    ...{ namespace, driver, clock, pass },
    policyOf: (nodes: TargetNode[], rest: Partial<Policy> = {}) => policy({ namespace, nodes, ...rest }),
    make: (plural: string, body: object) =>
      expectStatus(ground.admin("POST", `${path}/${plural}`, body), 201),
    touch: (name: string, count: number) =>
      ground.admin("PATCH", `${path}/deployments/${name}`, {
        metadata: { annotations: { rollout: `${count}` } },
      }),
    replicasOf: async (name: string, plural = "deployments") =>
      (await objectOf(plural, name))["spec"]?.["replicas"],
    readyOf: async (name: string) => (await objectOf("deployments", name))["status"]?.["readyReplicas"],
    objectOf,
  };
}

test("while a rollout moves a Deployment all the time, every number is written, and nothing of the rollout is lost", async () => {
  const { policyOf, pass, make, touch, replicasOf, objectOf } = await stage();
  await make("deployments", deployment("split", 1));
  let rolls = true;
  let rolled = 0;
  const rolling = (async () => {
    while (rolls) {
      await touch("split", (rolled += 1));
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
  const outcomes: string[] = [];
  for (const wanted of [3, 5, 2, 7, 4]) {
    outcomes.push((await pass(policyOf([target("split")]), { split: wanted })).outcome);
  }
  rolls = false;
  await rolling;
  expect(outcomes).toEqual(["Scaled", "Scaled", "Scaled", "Scaled", "Scaled"]);
  expect(await replicasOf("split")).toBe(4);
  const { metadata } = await objectOf("deployments", "split");
  expect(metadata).toMatchObject({ annotations: { rollout: `${rolled}` } });
});

describe("an admission webhook", () => {
  test("that writes another number has its number recorded; one that refuses is told from a missing right", async () => {
    const { namespace, policyOf, pass, make, replicasOf, clock } = await stage();
    for (const name of ["most-3", "not-today", "put-back"]) await make("deployments", deployment(name, 1));
    const asked: string[] = [];
    await using _webhook = await admission(ground, namespace, (name, replicas) => {
      asked.push(name);
      if (name === "not-today") return { refuse: "not today" };
      return { replicas: name === "put-back" ? 1 : Math.min(3, replicas) };
    });
    const all = policyOf(["most-3", "not-today", "put-back"].map((name) => target(name)));
    const wants = { "most-3": 5, "not-today": 5, "put-back": 5 };
    // The API server takes a moment to know of a webhook.
    await until(async () => {
      const dry = await ground.admin(
        "PATCH",
        `/apis/apps/v1/namespaces/${namespace}/deployments/not-today/scale?dryRun=All`,
        { spec: { replicas: 2 } },
      );
      return dry.status >= 400;
    }, "the webhook is asked");
    asked.length = 0;
    const first = await pass(all, wants);
    expect(first.changes).toMatchObject([
      { node: "most-3", outcome: "Scaled", granted: 3 },
      { node: "not-today", outcome: "Failed", code: "AdmissionDenied" },
      { node: "put-back", outcome: "Failed", code: "AdmissionDenied" },
    ]);
    expect(first.changes[1]).toHaveProperty("message", expect.stringContaining("not today"));
    expect(await replicasOf("most-3")).toBe(3);
    expect(await replicasOf("not-today")).toBe(1);
    for (let again = 0; again < 3; again += 1) {
      clock.nowMs += 5_000;
      expect(await pass(all, wants)).toMatchObject({ outcome: "Unchanged", fault: undefined });
    }
    expect(asked).toEqual(["most-3", "not-today", "put-back"]);
  });
});

describe("a quota", () => {
  const quota = (namespace: string) =>
    expectStatus(
      ground.admin("POST", `/api/v1/namespaces/${namespace}/resourcequotas`, {
        metadata: { name: "few-pods" },
        spec: { hard: { pods: "2" } },
      }),
      201,
    );
  const set = (name: string) => {
    const { spec, ...rest } = deployment(name, 1);
    // All at once: one pod that waits for its node would keep the others from being tried.
    return { ...rest, spec: { ...spec, serviceName: name, podManagementPolicy: "Parallel" } };
  };

  test.each([
    ["Deployment", "deployments", deployment("split", 1), RULES, "QuotaExceeded"],
    ["StatefulSet", "statefulsets", set("split"), RULES, "QuotaExceeded"],
    [
      "StatefulSet whose events the account may not list",
      "statefulsets",
      set("split"),
      SCALER_RULES,
      undefined,
    ],
  ])("that keeps pods of a %s from being created is named as soon as it is seen", async (...given) => {
    const [what, plural, body, rules, code] = given;
    const { namespace, policyOf, pass, make, clock } = await stage(rules);
    await quota(namespace);
    await until(async () => {
      const { body: found } = await ground.admin(
        "GET",
        `/api/v1/namespaces/${namespace}/resourcequotas/few-pods`,
      );
      return found["status"]?.["hard"]?.["pods"] === "2";
    }, "the quota is known");
    await make(plural, body);
    const settle = { timeoutSeconds: 600, onFailure: "Hold" as const };
    const one = policyOf([target("split", what.split(" ")[0])], { settle });
    expect((await pass(one, { split: 5 })).outcome).toBe("Scaled");
    let seen: Iteration | undefined;
    let tries = 0;
    await until(async () => {
      clock.nowMs += 1_000;
      seen = await pass(one, { split: 5 });
      tries += 1;
      return code === undefined ? tries === 10 : seen.followed?.[0]?.trouble !== undefined;
    }, "the trouble is seen");
    expect(seen?.followed?.[0]).toMatchObject({ node: "split", from: 1, to: 5, state: "Settling" });
    expect(seen?.followed?.[0]?.trouble?.code).toBe(code);
    expect(seen?.followed?.[0]?.trouble?.message ?? "exceeded quota: few-pods").toContain(
      "exceeded quota: few-pods",
    );
  });
});

test("a Deployment whose new pods never become ready is taken back after the timeout, and stays there", async () => {
  const { policyOf, pass, make, replicasOf, clock } = await stage();
  const { spec, ...rest } = deployment("split", 2);
  const nowhere = { nodeSelector: { "no-such": "node" } };
  const template = { ...spec.template, spec: { ...spec.template.spec, ...nowhere } };
  await make("deployments", { ...rest, spec: { ...spec, template } });
  const one = policyOf([target("split")], { settle: { timeoutSeconds: 60, onFailure: "Rollback" } });
  await pass(one, { split: 5 });
  expect(await replicasOf("split")).toBe(5);
  clock.nowMs += 30_000;
  const waiting = await pass(one, { split: 1 });
  expect(waiting.decision?.verdicts[0]).toMatchObject({ granted: 5, reasons: ["Settling"] });
  clock.nowMs += 31_000;
  const back = await pass(one, { split: 5 });
  expect(back.decision?.verdicts[0]).toMatchObject({ current: 5, granted: 2, reasons: ["RolledBack"] });
  expect(await replicasOf("split")).toBe(2);
  clock.nowMs += 15_000;
  const held = await pass(one, { split: 5 });
  expect(held.decision?.verdicts[0]).toMatchObject({ granted: 2, reasons: ["RolledBack"] });
  expect(await replicasOf("split")).toBe(2);
});

describe("a disruption budget that is respected", () => {
  const budget = (namespace: string, minAvailable: number) =>
    expectStatus(
      ground.admin("POST", `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`, {
        metadata: { name: "split" },
        spec: { minAvailable, selector: { matchLabels: { app: "split" } } },
      }),
      201,
    );

  test("lets go what it allows now, and leaves what it does not cover", async () => {
    const { namespace, policyOf, pass, make, replicasOf, readyOf } = await stage();
    for (const name of ["split", "sink"]) await make("deployments", deployment(name, 5));
    await budget(namespace, 3);
    await until(
      async () => (await readyOf("split")) === 5 && (await readyOf("sink")) === 5,
      "pods are ready",
    );
    await until(async () => {
      const found = await ground.admin(
        "GET",
        `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/split`,
      );
      return found.body["status"]?.["disruptionsAllowed"] === 2;
    }, "the budget is counted");
    const both = policyOf([target("split"), target("sink")], { respectDisruptionBudget: true });
    const first = await pass(both, { split: 1, sink: 1 });
    expect(first.decision?.verdicts).toMatchObject([
      { node: "split", granted: 3, reasons: ["DisruptionBudget"] },
      { node: "sink", granted: 1, reasons: [] },
    ]);
    expect(await replicasOf("split")).toBe(3);
    await until(async () => {
      const found = await ground.admin(
        "GET",
        `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets/split`,
      );
      return found.body["status"]?.["disruptionsAllowed"] === 0;
    }, "the budget is counted");
    expect((await pass(both, { split: 1, sink: 1 })).outcome).toBe("Unchanged");
    expect(await replicasOf("split")).toBe(3);
  });

  test("is Forbidden, with the right that is missing, to an account that may not list it", async () => {
    const { policyOf, pass, make } = await stage(SCALER_RULES);
    await make("deployments", deployment("split", 5));
    const failed = await pass(policyOf([target("split")], { respectDisruptionBudget: true }), { split: 1 });
    expect(failed).toMatchObject({ outcome: "Failed", fault: { code: "Forbidden" } });
    expect(failed.fault?.message).toContain("allows list on poddisruptionbudgets of policy");
  });
});
