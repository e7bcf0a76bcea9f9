import { describe, expect, test } from "vitest";
import type { Followed, Iteration } from "../host/knowledge/index.ts";
import type { Cluster, EventNews, EventRecorder, Resource } from "../host/kube/index.ts";
import { policyKey } from "../host/policy/index.ts";
import type { Outcome } from "../host/operator/conditions.ts";
import type { PolicyObject } from "../host/operator/object.ts";
import { reporter } from "../host/operator/report.ts";
import { statusAfter } from "../host/operator/status.ts";
import { iteration, verdict } from "./builders.ts";

const object: PolicyObject = {
  key: policyKey("team-a", "clicks"),
  ...{ apiVersion: "sluice.dev/v1alpha1", kind: "ScalingPolicy", namespace: "team-a", name: "clicks" },
  ...{
    uid: "uid-1",
    generation: 1,
    resourceVersion: "1",
    createdAt: "",
    annotations: {},
    isDeleted: false,
    isKept: false,
    spec: {},
    status: {},
  },
};
const passed = (rest: Partial<Iteration>): Outcome => ({
  stage: "passed",
  mode: "Enforce",
  iteration: iteration(rest),
  stale: undefined,
});
const following = (...followed: Followed[]) => passed({ followed });
const change = { node: "split", from: 2, to: 6 } as const;

/** What is told of one outcome after the other. */
async function told(...outcomes: Outcome[]): Promise<string[]> {
  const news: EventNews[] = [];
  const operator = {
    apply: async (_kind: Resource, _place: object, body: object) => ({ ...body, metadata: { uid: "uid-1" } }),
  };
  const tells = reporter({
    cluster: { operator } as unknown as Cluster,
    resource: {} as Resource,
    events: { record: (one: EventNews) => void news.push(one) } as unknown as EventRecorder,
    now: () => new Date(0),
  });
  for (const outcome of outcomes) await tells.report(object, outcome, undefined);
  return news.map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
}

describe("an event about a change that does not come to serve", () => {
  const late: Followed = { ...change, state: "Late" };

  test("is written when its time is over, once, and again only after it served", async () => {
    const settled: Followed = { ...change, state: "Settled" };
    expect(
      await told(
        following(late),
        following(late),
        following(settled),
        following({ ...change, state: "Settling" }),
      ),
    ).toEqual(["Warning SettleTimeout: split: 2 → 6 late, and kept"]);
    expect(await told(following(late), following(settled), following(late))).toHaveLength(2);
  });

  test("says what the cluster says of it, as soon as that is known", async () => {
    const trouble = { code: "QuotaExceeded" as const, message: "exceeded quota: few-pods" };
    expect(await told(following({ ...change, state: "Settling", trouble }))).toEqual([
      "Warning QuotaExceeded: split: 2 → 6 on its way: exceeded quota: few-pods",
    ]);
  });
});

describe("the nodes in a status", () => {
  const nodesOf = (rest: Partial<Iteration>) =>
    statusAfter(
      {},
      passed({ decision: { verdicts: [verdict("split")], changes: [] }, ...rest }),
      undefined,
      1,
      "t",
    ).nodes;

  test("have the number that a webhook made of the decided one", () => {
    expect(nodesOf({ changes: [{ node: "split", outcome: "Scaled", granted: 9 }] })).toEqual([
      { name: "split", parallelism: 9, reason: "AdmissionChanged" },
    ]);
  });

  test("have their old number as long as the decision is open for them", () => {
    expect(nodesOf({ outcome: "Open" })).toEqual([{ name: "split", parallelism: 2, reason: "Open" }]);
  });

  test("have the code of what failed, and their old number", () => {
    const failed = { node: "split", outcome: "Failed", code: "AdmissionDenied", message: "no" } as const;
    expect(nodesOf({ outcome: "Failed", changes: [failed] })).toEqual([
      { name: "split", parallelism: 2, reason: "AdmissionDenied" },
    ]);
  });
});
