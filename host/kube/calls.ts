import type { Api, ApplyOptions, Page, PageQuery, PatchType, WatchQuery } from "./api.ts";
import type { Identity } from "./identity.ts";
import { ClusterFault } from "./refusal.ts";
import { collectionPath, fieldsOf, objectPath, plainPath, readObject } from "./resource.ts";
import type { ApiPath, KubeObject, Place, Resource, Subresource } from "./resource.ts";
import type { Call, Transport } from "./transport.ts";
import { readWatch, type WatchEvent } from "./watch.ts";

const PATCH_TYPES = { merge: "application/merge-patch+json", json: "application/json-patch+json" } as const;

/** The calls of one identity. */
export class Calls implements Api {
  readonly #transport: Transport;
  readonly #identity: Identity;
  readonly #doubt: (apiVersion: string) => void;
  readonly #isUrgent: boolean;

  constructor(
    transport: Transport,
    identity: Identity,
    doubt: (apiVersion: string) => void,
    isUrgent = false,
  ) {
    this.#isUrgent = isUrgent;
    this.#transport = transport;
    this.#identity = identity;
    this.#doubt = doubt;
  }

  async get(resource: Resource, place: Place, subresource?: Subresource): Promise<KubeObject> {
    const path = objectPath(resource, place, subresource);
    return readObject(await this.#send("get", "GET", resource, path, {}, subresource), resource);
  }

  async list(resource: Resource, { namespace, ...query }: PageQuery = {}): Promise<Page> {
    const path = collectionPath(resource, namespace);
    const answer = fieldsOf(await this.#send("list", "GET", resource, path, { query }));
    const { resourceVersion, continue: next } = fieldsOf(answer["metadata"]);
    const items = Array.isArray(answer["items"]) ? answer["items"] : [];
    return {
      items: items.map((item) => readObject(item, resource)),
      resourceVersion: String(resourceVersion ?? ""),
      continue: typeof next === "string" && next !== "" ? next : undefined,
    };
  }

  watch(
    resource: Resource,
    { namespace, signal, inactivityMs, ...query }: WatchQuery,
  ): AsyncGenerator<WatchEvent> {
    const path = collectionPath(resource, namespace);
    const options = { query: { ...query, watch: true, allowWatchBookmarks: true }, signal };
    const call = this.#call("watch", "GET", resource, path, options);
    return readWatch(this.#transport.stream(call, inactivityMs), resource);
  }

  create(resource: Resource, namespace: string | undefined, object: object): Promise<unknown> {
    return this.#send("create", "POST", resource, collectionPath(resource, namespace), { body: object });
  }

  request(resource: Resource, place: Place, subresource: Subresource, body: object): Promise<unknown> {
    const path = objectPath(resource, place, subresource);
    return this.#send("create", "POST", resource, path, { body }, subresource);
  }

  async replace(
    resource: Resource,
    place: Place,
    object: object,
    subresource?: Subresource,
  ): Promise<KubeObject> {
    const path = objectPath(resource, place, subresource);
    return readObject(
      await this.#send("update", "PUT", resource, path, { body: object }, subresource),
      resource,
    );
  }

  async patch(resource: Resource, place: Place, type: PatchType, body: unknown, subresource?: Subresource) {
    const path = objectPath(resource, place, subresource);
    const options = { body, contentType: PATCH_TYPES[type] };
    return readObject(await this.#send("patch", "PATCH", resource, path, options, subresource), resource);
  }

  async apply(
    resource: Resource,
    place: Place,
    object: object,
    how: ApplyOptions,
    subresource?: Subresource,
  ) {
    const path = objectPath(resource, place, subresource);
    // JSON is YAML: the server knows apply only under this type.
    const contentType = "application/apply-patch+yaml";
    const query = { fieldManager: how.fieldManager, force: how.force ?? false };
    const options = { body: object, contentType, query };
    return readObject(await this.#send("patch", "PATCH", resource, path, options, subresource), resource);
  }

  async delete(resource: Resource, place: Place, uid?: string): Promise<void> {
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      // Of a Job the API server would leave the pods behind.
      propagationPolicy: "Background",
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    };
    await this.#send("delete", "DELETE", resource, objectPath(resource, place), { body });
  }

  raw(segments: readonly string[]): Promise<unknown> {
    return this.read(plainPath(segments));
  }

  async read(path: ApiPath): Promise<unknown> {
    const attempt = {
      identity: this.#identity,
      verb: "get",
      resource: path,
      group: "",
      method: "GET",
      path,
    } as const;
    return parse(await this.#transport.send(attempt));
  }

  async #send(
    verb: string,
    method: Call["method"],
    resource: Resource,
    path: ApiPath,
    options: Pick<Call, "query" | "body" | "contentType">,
    subresource?: Subresource,
  ): Promise<unknown> {
    try {
      return parse(
        await this.#transport.send(this.#call(verb, method, resource, path, options, subresource)),
      );
    } catch (thrown) {
      // Either the object or the path is not there; the next one to ask finds out which.
      if (thrown instanceof ClusterFault && thrown.status === 404) this.#doubt(resource.apiVersion);
      throw thrown;
    }
  }

  #call(
    verb: string,
    method: Call["method"],
    resource: Resource,
    path: ApiPath,
    options: Pick<Call, "query" | "body" | "contentType" | "signal">,
    subresource?: Subresource,
  ): Call {
    const name = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
    const group = resource.apiVersion.includes("/") ? (resource.apiVersion.split("/")[0] ?? "") : "";
    const isUrgent = this.#isUrgent;
    return { ...options, identity: this.#identity, verb, method, path, resource: name, group, isUrgent };
  }
}

/** JSON where it is JSON; `/readyz` and its like answer in plain text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
