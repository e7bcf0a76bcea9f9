import { Fault } from "../fault/index.ts";
import { isDnsLabel } from "./identity.ts";

/** A kind of object as the API server serves it. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** The name in paths and in Roles, such as `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly hasScale: boolean;
}

export type Subresource = "scale" | "status" | "token";

/** Where an object is; the namespace is left out for kinds that have none. */
export interface Place {
  readonly namespace?: string;
  readonly name: string;
}

interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** An object as the API server sent it: only its metadata has been looked at. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

declare const built: unique symbol;
/** A path of the API whose every segment was checked or encoded. */
export type ApiPath = string & { readonly [built]: true };

const LONGEST_NAME = 253;

/** The path of a group and version, such as `/apis/apps/v1`. Throws `PolicyInvalid` for what is no apiVersion. */
export function groupPath(apiVersion: string): ApiPath {
  const parts = apiVersion.split("/");
  const version = parts.at(-1) ?? "";
  const group = parts.length === 2 ? parts[0] : undefined;
  const isGroup = group === undefined || (group.length <= LONGEST_NAME && group.split(".").every(isDnsLabel));
  if (parts.length > 2 || !isGroup || !isDnsLabel(version)) {
    throw new Fault("PolicyInvalid", `${JSON.stringify(apiVersion)} is not an apiVersion`);
  }
  return (group === undefined ? `/api/${version}` : `/apis/${group}/${version}`) as ApiPath;
}

/** The path of all objects of a resource, in one namespace or in all of them. */
export function collectionPath(resource: Resource, namespace?: string): ApiPath {
  if (!isDnsLabel(resource.plural))
    throw new Fault("Internal", `${JSON.stringify(resource.plural)} is not a resource`);
  if (namespace === undefined) return `${groupPath(resource.apiVersion)}/${resource.plural}` as ApiPath;
  if (!resource.namespaced) throw new Fault("PolicyInvalid", `A ${resource.kind} is in no namespace`);
  if (!isDnsLabel(namespace)) {
    throw new Fault("PolicyInvalid", `${JSON.stringify(namespace)} is not a namespace`);
  }
  return `${groupPath(resource.apiVersion)}/namespaces/${namespace}/${resource.plural}` as ApiPath;
}

/** The path of one object, or of a subresource of it. Throws `PolicyInvalid` for what cannot be a name. */
export function objectPath(
  resource: Resource,
  { namespace, name }: Place,
  subresource?: Subresource,
): ApiPath {
  if (resource.namespaced && namespace === undefined) {
    throw new Fault("PolicyInvalid", `A ${resource.kind} is in a namespace, and none is named`);
  }
  const path = `${collectionPath(resource, namespace)}/${segment(name)}`;
  return (subresource === undefined ? path : `${path}/${subresource}`) as ApiPath;
}

/** A path from plain segments, for what is no object, such as `["version"]`. */
export const plainPath = (segments: readonly string[]): ApiPath =>
  `/${segments.map(segment).join("/")}` as ApiPath;

/** The API server itself refuses these names; they are refused here because a proxy in between might resolve them. */
function segment(name: string): string {
  if (name === "" || name === "." || name === ".." || /[/%\\]/.test(name) || name.length > LONGEST_NAME) {
    throw new Fault("PolicyInvalid", `${JSON.stringify(name.slice(0, LONGEST_NAME))} is not a name`);
  }
  return encodeURIComponent(name);
}

/** What arrived as an object of the resource. Throws `ClusterUnavailable` if it has no name or version. */
export function readObject(answer: unknown, resource: Resource): KubeObject {
  const { metadata } = fieldsOf(answer);
  const { name, uid, resourceVersion } = fieldsOf(metadata);
  if (typeof name !== "string" || typeof uid !== "string" || typeof resourceVersion !== "string") {
    throw new Fault("ClusterUnavailable", `The API server sent a ${resource.kind} without metadata`, {
      retry: true,
    });
  }
  // Items of a list come without these two.
  return { apiVersion: resource.apiVersion, kind: resource.kind, ...(answer as object) } as KubeObject;
}

/** The fields of something unknown; what is no JSON object has none. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
