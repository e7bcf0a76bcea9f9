import { createHash } from "node:crypto";
import { asFault, Fault } from "../../fault/index.ts";
import type { Change, ChangeOutcome, Wanted } from "../../knowledge/index.ts";
import type { Cluster } from "../../kube/index.ts";
import type { Driver, Permit } from "../../loop/index.ts";
import type { Policy } from "../../policy/index.ts";
import type { Topology } from "../../topology/index.ts";
import { denial } from "../denial.ts";
import { countOf, findJobs, POLICY_LABEL, TEMPLATE_LABEL, unfinished, type FoundJobs } from "./found.ts";
import { jobsOf, type JobsOf } from "./of.ts";
import { toCreate } from "./strategy.ts";
import { readTemplate, type JobTemplate } from "./template.ts";
import { tidy } from "./tidy.ts";

const FIELD = "spec.target.jobs.templateRef";
/** With a policy's mark, a version and a number the name of a job and of its pods stays a name. */
const NAME_CHARACTERS = 28;
const MARK_CHARACTERS = 6;

/**
 * Starts jobs for work that waits, with the rights of the policy's account. Parallelism is the number of jobs that have not
 * finished; jobs end by themselves, and none is ended to have fewer.
 */
export function jobsDriver(cluster: Cluster): Driver {
  return {
    rescaleScope: () => "node",
    discover: (policy) => discover(jobsOf(cluster, policy)),
    meant: (policy, topology, wanted) => meant(jobsOf(cluster, policy), topology, wanted),
    order: (_policy, changes) => changes.map((change) => [change]),
    scale: (policy, changes, permit) => scale(jobsOf(cluster, policy), changes, permit),
    writer: async (policy) => {
      // Jobs that end are nobody's doing.
      const { nodes } = await discover(jobsOf(cluster, policy));
      return { parallelism: nodes[0]?.parallelism ?? 0, by: undefined, isOwn: true };
    },
    tidy: async (policy, permit, now) => {
      const of = jobsOf(cluster, policy);
      await tidy(of, await found(of), () => readTemplate(of.cluster, of.api, of.node.ref), permit, now);
    },
  };
}

const found = async ({ policy, target, api, cluster }: JobsOf): Promise<FoundJobs> => {
  const resources = {
    jobs: await cluster.resource("batch/v1", "Job"),
    pods: await cluster.resource("v1", "Pod"),
  };
  return findJobs(api, resources, policy.uid, target.pendingPodConditions);
};

async function discover(of: JobsOf): Promise<Topology> {
  const { node } = of;
  const [{ jobs, version }] = await naming(() =>
    Promise.all([found(of), readTemplate(of.cluster, of.api, node.ref)]),
  );
  const { running, pending } = countOf(jobs);
  const failed = jobs.filter(({ state }) => state === "Failed").length;
  return {
    nodes: [
      {
        name: node.name,
        kind: "Job",
        parallelism: running,
        ready: running - pending,
        settled: pending === 0,
        min: node.bounds.min,
        // Jobs end by themselves: more than may run is not brought inside at once.
        max: Math.max(node.bounds.max, running),
        attributes: { ...node.attributes, pending: String(pending), failed: String(failed) },
        revision: version,
      },
    ],
    edges: [],
  };
}

/** How many jobs the work that is wanted comes to, with those that run already. */
function meant(
  { target, node: { bounds } }: JobsOf,
  { nodes }: Topology,
  wanted: readonly Wanted[],
): Wanted[] {
  return wanted.map(({ demand: _demand, ...want }) => {
    const now = nodes.find(({ name }) => name === want.node);
    if (now === undefined) return want;
    const jobs = { running: now.parallelism, pending: now.parallelism - now.ready };
    const more = toCreate(target, want.parallelism, jobs, bounds.max);
    return { ...want, parallelism: Math.max(jobs.running + more, bounds.min) };
  });
}

async function scale(of: JobsOf, changes: readonly Change[], permit: Permit): Promise<ChangeOutcome[]> {
  const outcomes: ChangeOutcome[] = [];
  for (const change of changes) {
    try {
      await naming(() => create(of, change, permit));
      outcomes.push({ node: change.node, outcome: "Scaled" });
    } catch (thrown) {
      const { code, sentence } = asFault(thrown);
      outcomes.push({ node: change.node, outcome: "Failed", code, message: sentence });
    }
  }
  return outcomes;
}

/**
 * Makes the jobs of a decision. Their names follow from the version that was decided on and a number, so that a decision that
 * is carried out again, by whomever, makes none twice. To have fewer, nothing is done: jobs end by themselves.
 */
async function create(of: JobsOf, { from, to, revision }: Change, permit: Permit): Promise<void> {
  const more = to - from;
  if (more <= 0) return;
  const [{ jobs }, template] = await Promise.all([found(of), readTemplate(of.cluster, of.api, of.node.ref)]);
  const names = Array.from({ length: more }, (_, at) => jobName(of, revision, at));
  const made = new Set(jobs.map(({ name }) => name).filter((name) => names.includes(name)));
  const others = unfinished(jobs).filter(({ name }) => !made.has(name)).length;
  if (others > from)
    throw new Fault("Conflict", `${others} jobs run where ${from} were decided on`, { retry: true });
  const resource = await of.cluster.resource("batch/v1", "Job");
  for (const name of names) {
    if (made.has(name)) continue;
    const denied = permit();
    if (denied !== undefined) throw denied;
    await of.api.create(resource, jobObject(of, name, template)).catch((thrown: unknown) => {
      // Somebody who carries out the same decision was faster.
      if (asFault(thrown).code !== "Conflict") throw denial(thrown);
    });
  }
}

function jobName({ policy, node }: JobsOf, revision: string, at: number): string {
  const mark = createHash("sha256").update(policy.uid).digest("hex").slice(0, MARK_CHARACTERS);
  const version = /^\d+$/.test(revision) ? BigInt(revision).toString(36) : "0";
  return `${node.name.slice(0, NAME_CHARACTERS).replace(/-+$/, "")}-${mark}-${version}-${at}`;
}

function jobObject(
  { policy }: JobsOf,
  name: string,
  { labels, annotations, spec, hash }: JobTemplate,
): object {
  const marks = { [POLICY_LABEL]: policy.uid, [TEMPLATE_LABEL]: hash };
  const pod = spec["template"] as { metadata?: { labels?: object } };
  const template = { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, ...marks } } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      ...{ name, namespace: policy.namespace, annotations },
      labels: { ...labels, ...marks },
      // Jobs that are to go with the policy are the garbage collector's to take away.
      ...(policy.ownership.onDelete === "Restore" ? { ownerReferences: [ownerOf(policy)] } : {}),
    },
    spec: { ...spec, template },
  };
}

const ownerOf = ({ name, uid }: Policy) => ({
  ...{ apiVersion: "sluice.dev/v1alpha1", kind: "ScalingPolicy", name, uid },
});

/** A failure names the field that led to it. */
async function naming<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    const { code, message, remedy, retry, retryAfterSeconds, field } = asFault(thrown);
    throw new Fault(code, message, {
      ...{ field: field ?? FIELD, remedy, retry, cause: thrown },
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
}
