import type { Trouble } from "../knowledge/index.ts";
import { fieldsOf, type Cluster, type Resource, type TenantApi } from "../kube/index.ts";
import { isQuota } from "./denial.ts";

/** What a controller says may quote a pod's whole name and all quotas; longer messages are cut. */
const MESSAGE_CHARACTERS = 512;
/** Of the same kind about the same object; controllers count what repeats. */
const EVENTS = 50;

/**
 * Why pods of a target are not created, as its controller says it: in the condition `ReplicaFailure` of a Deployment or
 * ReplicaSet, in events for the other kinds, as far as the account may read them. Undefined where nobody says anything.
 */
export async function troubleOf(
  cluster: Cluster,
  api: TenantApi,
  resource: Resource,
  name: string,
  since: Date,
): Promise<Trouble | undefined> {
  const message = SAYS_FAILURE.has(resource.kind)
    ? await failureOf(api, resource, name)
    : await lastEvent(cluster, api, resource, name, since);
  if (message === undefined) return undefined;
  const code = isQuota(message) ? "QuotaExceeded" : "PodsNotCreated";
  return { code, message: message.slice(0, MESSAGE_CHARACTERS) };
}

const SAYS_FAILURE: ReadonlySet<string> = new Set(["Deployment", "ReplicaSet"]);

async function failureOf(api: TenantApi, resource: Resource, name: string): Promise<string | undefined> {
  const { status } = await api.get(resource, name);
  const conditions = fieldsOf(status)["conditions"];
  const failure = (Array.isArray(conditions) ? conditions : [])
    .map(fieldsOf)
    .find((one) => one["type"] === "ReplicaFailure" && one["status"] === "True");
  return failure && sentence(failure["message"]);
}

async function lastEvent(
  cluster: Cluster,
  api: TenantApi,
  { kind }: Resource,
  name: string,
  since: Date,
): Promise<string | undefined> {
  const events = await cluster.resource("v1", "Event");
  const about = `involvedObject.kind=${kind},involvedObject.name=${name},reason=FailedCreate`;
  const { items } = await api.list(events, { fieldSelector: about, limit: EVENTS });
  const told = items
    .map((event) => ({ message: sentence(event["message"]), atMs: Date.parse(String(timeOf(event))) }))
    .filter(({ atMs }) => atMs >= Math.floor(since.getTime() / 1_000) * 1_000)
    .toSorted((one, other) => other.atMs - one.atMs);
  return told[0]?.message;
}

const timeOf = (event: Readonly<Record<string, unknown>>) => event["lastTimestamp"] ?? event["eventTime"];

const sentence = (message: unknown) =>
  typeof message === "string" && message.trim() !== "" ? message.trim() : undefined;
