import { describe, expect, test } from "vitest";
import { denial } from "../host/driver/denial.ts";
import { readBudgets, spareOf } from "../host/driver/disruption.ts";
import type { Cluster, KubeObject, TenantApi } from "../host/kube/index.ts";
import { refusal } from "../host/kube/refusal.ts";
import { OPERATOR } from "../host/kube/identity.ts";

const attempt = { identity: OPERATOR, verb: "update", resource: "deployments/scale", group: "apps" } as const;
/** What a refusal with this status and message is taken for. */
const codeOf = (status: number, message: string) =>
  (denial(refusal(status, JSON.stringify({ message }), undefined, attempt)) as { code: string }).code;

describe("a refused write", () => {
  test.each([
    [
      403,
      'deployments.apps "split" is forbidden: User "u" cannot update resource "deployments/scale"',
      "Forbidden",
    ],
    [
      403,
      'deployments.apps "split" is forbidden: exceeded quota: q, requested: a=1, used: a=2, limited: a=2',
      "QuotaExceeded",
    ],
    [403, 'admission webhook "x.example.com" denied the request: no', "AdmissionDenied"],
    [400, 'admission webhook "x.example.com" denied the request: no', "AdmissionDenied"],
    [
      422,
      "deployments.apps \"split\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
      "AdmissionDenied",
    ],
    [409, "the object has been modified", "Conflict"],
    [500, 'failed calling webhook "x.example.com": timeout', "ClusterUnavailable"],
  ])("with %i and %j is %s", (status, message, code) => {
    expect(codeOf(status, message)).toBe(code);
  });
});

describe("what a disruption budget lets go", () => {
  const budget = (selector: object | null | undefined, disruptionsAllowed: unknown) =>
    ({ spec: { selector }, status: { disruptionsAllowed } }) as unknown as KubeObject;
  const pods = (labels: object) =>
    ({ spec: { template: { metadata: { labels } } } }) as unknown as KubeObject;
  async function spare(object: KubeObject | undefined, ...budgets: KubeObject[]) {
    const cluster = { resource: async () => ({}) } as unknown as Cluster;
    const list = async () => ({ items: budgets, resourceVersion: "1", continue: undefined });
    return spareOf(await readBudgets(cluster, { list } as unknown as TenantApi), object);
  }
  const split = pods({ app: "split", tier: "hot" });
  const where = (operator: string, ...values: string[]) => ({
    matchExpressions: [{ key: "tier", operator, ...(values.length > 0 ? { values } : {}) }],
  });

  test("is the least of those that cover the pods", async () => {
    const [two, one] = [budget({ matchLabels: { app: "split" } }, 2), budget({}, 1)];
    expect(await spare(split, two, one)).toBe(1);
    expect(await spare(split, two)).toBe(2);
  });

  test.each([
    [{ matchLabels: { app: "sink" } }, undefined],
    [null, undefined],
    [where("In", "hot", "warm"), 2],
    [where("In", "cold"), undefined],
    [where("NotIn", "cold"), 2],
    [where("NotIn", "hot"), undefined],
    [where("Exists"), 2],
    [where("DoesNotExist"), undefined],
  ])("with the selector %j is %s of 2", async (selector, expected) => {
    expect(await spare(split, budget(selector, 2))).toBe(expected);
  });

  test("is nothing where the budget has not been counted, and may be any budget's where the labels are not known", async () => {
    expect(await spare(split, budget({}, undefined))).toBe(0);
    expect(await spare(undefined, budget({ matchLabels: { app: "sink" } }, 3))).toBe(3);
  });
});
