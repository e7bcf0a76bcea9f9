import type { KubeObject } from "./resource.ts";

declare const key: unique symbol;
/** "<namespace>/<name>", or the name alone for what is in no namespace. */
export type ObjectKey = string & { readonly [key]: true };

/** What happened to an object; one that is deleted and made anew is deleted and then added. */
export type ChangeKind = "added" | "updated" | "deleted";

export const objectKey = (namespace: string | undefined, name: string): ObjectKey =>
  (namespace === undefined ? name : `${namespace}/${name}`) as ObjectKey;

interface Held<T> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly object: T;
}

/** The objects of a resource as they were told, each cut down to what is needed of it. */
export class ObjectStore<T> {
  readonly #held = new Map<ObjectKey, Held<T>>();
  readonly #trim: (object: KubeObject) => T;
  readonly #tell: (key: ObjectKey, kind: ChangeKind) => void;

  /** Every change is told after the store has it. `trim` may throw: the object is then left as it was. */
  constructor(trim: (object: KubeObject) => T, tell: (key: ObjectKey, kind: ChangeKind) => void) {
    this.#trim = trim;
    this.#tell = tell;
  }

  get size(): number {
    return this.#held.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#held.get(key)?.object;
  }

  entries(): ReadonlyArray<readonly [ObjectKey, T]> {
    return [...this.#held].map(([key, { object }]) => [key, object]);
  }

  /** Takes an object as it is now; returns whether that was news. */
  put(object: KubeObject): boolean {
    const { uid, resourceVersion } = object.metadata;
    const key = keyOf(object);
    const held = this.#held.get(key);
    if (held?.uid === uid && held.resourceVersion === resourceVersion) return false;
    const next = { uid, resourceVersion, object: this.#trim(object) };
    if (held !== undefined && held.uid !== uid) this.#drop(key);
    this.#held.set(key, next);
    this.#tell(key, held?.uid === uid ? "updated" : "added");
    return true;
  }

  /** Takes the end of an object; that of an earlier one of the same name changes nothing. */
  remove(object: KubeObject): boolean {
    const key = keyOf(object);
    if (this.#held.get(key)?.uid !== object.metadata.uid) return false;
    this.#drop(key);
    return true;
  }

  /** Drops what a complete list did not hold; returns how many. */
  keepOnly(keys: ReadonlySet<ObjectKey>): number {
    const gone = [...this.#held.keys()].filter((key) => !keys.has(key));
    for (const key of gone) this.#drop(key);
    return gone.length;
  }

  #drop(key: ObjectKey): void {
    this.#held.delete(key);
    this.#tell(key, "deleted");
  }
}

/** The key of an object. */
export const keyOf = ({ metadata }: KubeObject): ObjectKey => objectKey(metadata.namespace, metadata.name);
