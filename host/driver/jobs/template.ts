import { createHash } from "node:crypto";
import { Fault } from "../../fault/index.ts";
import { fieldsOf, type Cluster, type KubeObject, type TenantApi } from "../../kube/index.ts";
import type { ScaleRef } from "../../policy/index.ts";

type Fields = Record<string, unknown>;

/** What jobs are made from. */
export interface JobTemplate {
  readonly labels: Fields;
  readonly annotations: Fields;
  /** The spec of a job. */
  readonly spec: Fields;
  /** Changes with anything of it. */
  readonly hash: string;
}

/** What the job controller has put there for one job; another job must not have it. */
const OWN_LABELS = [
  "controller-uid",
  "job-name",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-name",
];
const HASH_CHARACTERS = 16;
const REMEDY = "Name a suspended CronJob, a suspended Job or a PodTemplate of the policy's namespace.";

/** Reads the object that a policy makes its jobs from, as the policy's account. Throws `TargetNotFound` for one that has no template. */
export async function readTemplate(cluster: Cluster, api: TenantApi, ref: ScaleRef): Promise<JobTemplate> {
  const object = await api.get(await cluster.resource(ref.apiVersion, ref.kind), ref.name);
  const { metadata = {}, spec } = templateIn(ref, object);
  const pod = fieldsOf(spec["template"]);
  if (fieldsOf(pod["spec"])["containers"] === undefined)
    throw new Fault("TargetNotFound", `${ref.kind} ${ref.name} has no pod to make jobs of`, {
      remedy: REMEDY,
    });
  const { labels, annotations } = fieldsOf(metadata);
  const kept = {
    labels: without(labels, OWN_LABELS),
    annotations: fieldsOf(annotations),
    spec: jobSpec(spec, pod),
  };
  const hash = createHash("sha256").update(JSON.stringify(kept)).digest("hex").slice(0, HASH_CHARACTERS);
  return { ...kept, hash };
}

function templateIn(
  { apiVersion, kind, name }: ScaleRef,
  object: KubeObject,
): { metadata?: unknown; spec: Fields } {
  if (apiVersion === "batch/v1" && kind === "CronJob") {
    const { metadata, spec } = fieldsOf(fieldsOf(object["spec"])["jobTemplate"]);
    return { metadata, spec: fieldsOf(spec) };
  }
  if (apiVersion === "batch/v1" && kind === "Job")
    return { metadata: { labels: object.metadata["labels"] }, spec: fieldsOf(object["spec"]) };
  if (apiVersion === "v1" && kind === "PodTemplate") return { spec: { template: object["template"] } };
  throw new Fault("TargetNotFound", `No jobs can be made from a ${kind} of ${apiVersion} (${name})`, {
    remedy: REMEDY,
  });
}

/** The spec of another job: what belongs to the one that it was read from is left out, and it is not suspended. */
function jobSpec(spec: Fields, pod: Fields): Fields {
  const metadata = fieldsOf(pod["metadata"]);
  const template = { ...pod, metadata: { ...metadata, labels: without(metadata["labels"], OWN_LABELS) } };
  return { ...without(spec, ["selector", "manualSelector", "suspend"]), template };
}

const without = (fields: unknown, names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fieldsOf(fields)).filter(([name]) => !names.includes(name)));
