import type { TenantIdentity } from "./identity.ts";
import type { KubeObject, Place, Resource, Subresource } from "./resource.ts";
import type { WatchEvent } from "./watch.ts";

/** What a list or a watch is narrowed to. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Page {
  readonly items: readonly KubeObject[];
  /** The version of the whole list: a watch goes on from here. */
  readonly resourceVersion: string;
  /** Given to the next call for the next page; undefined on the last. */
  readonly continue: string | undefined;
}

export interface PageQuery extends Selection {
  readonly limit?: number;
  readonly continue?: string;
}

export interface WatchQuery extends Selection {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  /** The watch fails when the server says nothing for so long; bookmarks come about once a minute. */
  readonly inactivityMs: number;
  readonly signal: AbortSignal;
}

/** How `patch` changes an object: fields that are given, or operations one after the other. */
export type PatchType = "merge" | "json";

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Takes over fields that another manager owns; otherwise that is a `Conflict`. Default false. */
  readonly force?: boolean;
}

/** Calls in the namespace of a policy, with the rights of its service account; another namespace cannot be said. */
export interface TenantApi {
  readonly identity: TenantIdentity;
  get(resource: Resource, name: string, subresource?: Subresource): Promise<KubeObject>;
  list(resource: Resource, query?: Omit<PageQuery, "namespace">): Promise<Page>;
  create(resource: Resource, object: object): Promise<KubeObject>;
  /** Makes what a subresource of an object stands for, such as a token; the answer is unchecked, because it is no object. */
  request(resource: Resource, name: string, subresource: Subresource, body: object): Promise<unknown>;
  /** Overwrites the object; `metadata.resourceVersion` in it makes it a `Conflict` if the object has moved. */
  replace(resource: Resource, name: string, object: object, subresource?: Subresource): Promise<KubeObject>;
  patch(resource: Resource, name: string, type: PatchType, body: unknown): Promise<KubeObject>;
  /** Server-side apply: the fields in `object` become the manager's; those it had and are left out are removed. */
  apply(resource: Resource, name: string, object: object, how: ApplyOptions): Promise<KubeObject>;
  delete(resource: Resource, name: string, uid?: string): Promise<void>;
}

/** Calls with the operator's own rights: for its own objects, and for what is no tenant's secret. */
export interface Api {
  get(resource: Resource, place: Place, subresource?: Subresource): Promise<KubeObject>;
  list(resource: Resource, query?: PageQuery): Promise<Page>;
  /** Ends when the server ends the watch; throws a `ClusterFault` with status 410 if the version is too old. */
  watch(resource: Resource, query: WatchQuery): AsyncGenerator<WatchEvent>;
  /** Makes the object; the answer is unchecked, because a review has no name. */
  create(resource: Resource, namespace: string | undefined, object: object): Promise<unknown>;
  replace(resource: Resource, place: Place, object: object, subresource?: Subresource): Promise<KubeObject>;
  patch(
    resource: Resource,
    place: Place,
    type: PatchType,
    body: unknown,
    subresource?: Subresource,
  ): Promise<KubeObject>;
  /** Server-side apply: the fields in `object` become the manager's; those it had and are left out are removed. */
  apply(
    resource: Resource,
    place: Place,
    object: object,
    how: ApplyOptions,
    subresource?: Subresource,
  ): Promise<KubeObject>;
  /** With a uid, only that very object: one made anew under the name stays, and it is a `Conflict`. */
  delete(resource: Resource, place: Place, uid?: string): Promise<void>;
  /** Gets a path that is no object's, such as `["version"]`. */
  raw(segments: readonly string[]): Promise<unknown>;
}
