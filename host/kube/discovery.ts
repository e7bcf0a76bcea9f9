import { Fault } from "../fault/index.ts";
import { fieldsOf, groupPath, type ApiPath, type Resource } from "./resource.ts";
import type { Time } from "./time.ts";

/** How long what was found, or not found, is believed. */
const DISCOVERY_LIMITS = {
  knownMs: 10 * 60_000,
  // A kind that is not there may have been installed since; asking again costs one small call.
  unknownMs: 10_000,
  // apiVersions are tenants' text: the least recently asked ones are forgotten.
  apiVersions: 256,
} as const;

interface Found {
  readonly atMs: number;
  /** Empty where the cluster does not serve the apiVersion. */
  readonly resources: ReadonlyMap<string, Resource>;
}

/** Finds out how the API server serves a kind, and remembers it. */
export class Discovery {
  readonly #read: (path: ApiPath) => Promise<unknown>;
  readonly #time: Time;
  readonly #found = new Map<string, Found>();
  readonly #asking = new Map<string, Promise<Found>>();

  /** `read` gets a path as the operator: which kinds exist is no secret of a tenant. */
  constructor(read: (path: ApiPath) => Promise<unknown>, time: Time) {
    this.#read = read;
    this.#time = time;
  }

  /** The resource of a kind. Throws `TargetNotFound` if the cluster has no such kind, `PolicyInvalid` for no apiVersion. */
  async resource(apiVersion: string, kind: string): Promise<Resource> {
    const held = this.#found.get(apiVersion);
    const ageMs = held === undefined ? Infinity : this.#time.elapsedMs() - held.atMs;
    const known = held?.resources.get(kind);
    if (known !== undefined && ageMs < DISCOVERY_LIMITS.knownMs) return known;
    const fresh =
      held !== undefined && ageMs < DISCOVERY_LIMITS.unknownMs ? held : await this.#ask(apiVersion);
    const resource = fresh.resources.get(kind);
    if (resource === undefined)
      throw new Fault("TargetNotFound", `The cluster has no ${kind} in ${apiVersion}`);
    return resource;
  }

  /**
   * Something of the apiVersion was not found: either the object is missing or the kind itself. It is asked anew by the
   * next one, but not for every tenant whose target is missing: what was just read stays.
   */
  doubt(apiVersion: string): void {
    const held = this.#found.get(apiVersion);
    if (held === undefined || this.#time.elapsedMs() - held.atMs < DISCOVERY_LIMITS.unknownMs) return;
    this.#found.delete(apiVersion);
  }

  /** Many who ask at the same time share one call. */
  #ask(apiVersion: string): Promise<Found> {
    const asking = this.#asking.get(apiVersion) ?? this.#fetch(apiVersion);
    this.#asking.set(apiVersion, asking);
    return asking.finally(() => this.#asking.delete(apiVersion));
  }

  async #fetch(apiVersion: string): Promise<Found> {
    const path = groupPath(apiVersion);
    const answer = await this.#read(path).catch((thrown: unknown) => {
      if (thrown instanceof Fault && thrown.code === "TargetNotFound") return undefined;
      throw thrown;
    });
    const found = { atMs: this.#time.elapsedMs(), resources: readResources(apiVersion, answer) };
    this.#found.delete(apiVersion);
    this.#found.set(apiVersion, found);
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= DISCOVERY_LIMITS.apiVersions) break;
      this.#found.delete(oldest);
    }
    return found;
  }
}

function readResources(apiVersion: string, answer: unknown): Map<string, Resource> {
  const listed = fieldsOf(answer)["resources"];
  const entries = (Array.isArray(listed) ? listed : []).map(fieldsOf);
  const names = new Set(entries.map(({ name }) => name));
  const resources = new Map<string, Resource>();
  for (const { name, kind, namespaced } of entries) {
    if (typeof name !== "string" || typeof kind !== "string" || name.includes("/")) continue;
    const hasScale = names.has(`${name}/scale`);
    resources.set(kind, { apiVersion, kind, plural: name, namespaced: namespaced === true, hasScale });
  }
  return resources;
}
