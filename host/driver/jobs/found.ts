import { fieldsOf, type KubeObject, type Resource, type TenantApi } from "../../kube/index.ts";
import type { JobCount } from "./strategy.ts";

/** What marks the jobs of a policy, and their pods: its uid, so that one of the same name made later has others. */
export const POLICY_LABEL = "sluice.dev/policy-uid";
/** The template that a job was made from. */
export const TEMPLATE_LABEL = "sluice.dev/template";

const PAGE = 500;

/** A job of a policy. */
export interface FoundJob {
  readonly name: string;
  readonly uid: string;
  readonly template: string;
  readonly state: "Pending" | "Running" | "Succeeded" | "Failed";
  /** Undefined while it has not finished. */
  readonly finishedAt: Date | undefined;
}

/** The jobs of a policy. */
export interface FoundJobs {
  readonly jobs: readonly FoundJob[];
  /** The version of the whole list: every job that is made afterwards has a later one. */
  readonly version: string;
}

/**
 * Lists the jobs of a policy, as its account. A job waits until a pod of it is ready or, where conditions are given, until a
 * pod of it has them all.
 */
export async function findJobs(
  api: TenantApi,
  { jobs: resource, pods }: { readonly jobs: Resource; readonly pods: Resource },
  policyUid: string,
  conditions: readonly string[],
): Promise<FoundJobs> {
  const labelSelector = `${POLICY_LABEL}=${policyUid}`;
  const { items, version } = await all(api, resource, labelSelector);
  const started =
    conditions.length === 0 ? undefined : startedBy(await all(api, pods, labelSelector), conditions);
  return { jobs: items.map((job) => jobOf(job, started)), version };
}

async function all(api: TenantApi, resource: Resource, labelSelector: string) {
  const items: KubeObject[] = [];
  let more: string | undefined;
  for (;;) {
    const page = await api.list(resource, {
      labelSelector,
      limit: PAGE,
      ...(more === undefined ? {} : { continue: more }),
    });
    items.push(...page.items);
    if (page.continue === undefined) return { items, version: page.resourceVersion };
    more = page.continue;
  }
}

/** Names of the jobs that have a pod with all of the conditions. */
function startedBy(
  { items }: { items: readonly KubeObject[] },
  conditions: readonly string[],
): ReadonlySet<string> {
  const names = items.flatMap(({ metadata, status }) => {
    const name = fieldsOf(metadata["labels"])["batch.kubernetes.io/job-name"];
    return typeof name === "string" && conditions.every((type) => isTrue(status, type)) ? [name] : [];
  });
  return new Set(names);
}

function jobOf({ metadata, status }: KubeObject, started: ReadonlySet<string> | undefined): FoundJob {
  const template = fieldsOf(metadata["labels"])[TEMPLATE_LABEL];
  const { ready = 0 } = fieldsOf(status);
  const ended = isTrue(status, "Complete") ? "Succeeded" : isTrue(status, "Failed") ? "Failed" : undefined;
  const hasStarted = started?.has(metadata.name) ?? Number(ready) > 0;
  return {
    name: metadata.name,
    uid: metadata.uid,
    template: String(template ?? ""),
    state: ended ?? (hasStarted ? "Running" : "Pending"),
    finishedAt: ended === undefined ? undefined : finishedAt(status),
  };
}

const conditionsOf = (status: unknown) => {
  const conditions = fieldsOf(status)["conditions"];
  return (Array.isArray(conditions) ? conditions : []).map(fieldsOf);
};

const isTrue = (status: unknown, type: string) =>
  conditionsOf(status).some((one) => one["type"] === type && one["status"] === "True");

/** When it finished; one that does not say has done so since ever, and may be taken away. */
function finishedAt(status: unknown): Date {
  const last = conditionsOf(status).find(
    ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
  );
  const ms = Date.parse(String(last?.["lastTransitionTime"] ?? ""));
  return new Date(Number.isNaN(ms) ? 0 : ms);
}

/** Those that have not finished. */
export const unfinished = (jobs: readonly FoundJob[]) => jobs.filter((job) => job.finishedAt === undefined);

/** How many run, and wait. */
export const countOf = (jobs: readonly FoundJob[]): JobCount => ({
  running: unfinished(jobs).length,
  pending: jobs.filter(({ state }) => state === "Pending").length,
});
