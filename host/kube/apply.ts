import { Fault } from "../fault/index.ts";
import type { Api } from "./api.ts";
import type { KubeObject, Resource } from "./resource.ts";

/** The owner of every field that the operator writes. */
const FIELD_MANAGER = "sluice";
/** A status is stored with every version of its object: more does not belong there. */
const STATUS_BYTES = 16 * 1_024;

/** The object whose status is written, and the status that it is known to have. */
export interface StatusOf {
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly status: unknown;
}

/**
 * Writes the status if it differs from the one that is held; returns the object as it is then, or undefined when nothing
 * had to be written. Throws `Internal` above 16 KiB. Throws `Conflict` if the object was made anew under the same name:
 * the new one then has the old one's status until its own pass, because the API server checks no uid in an apply.
 */
export async function applyStatus(
  api: Api,
  resource: Resource,
  held: StatusOf,
  status: object,
): Promise<KubeObject | undefined> {
  if (!differs(held.status, status)) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(status), "utf8");
  if (bytes > STATUS_BYTES) {
    throw new Fault("Internal", `The status of ${held.name} has ${bytes} bytes, more than ${STATUS_BYTES}`);
  }
  const { name, namespace, uid } = held;
  const place = { name, ...(namespace === undefined ? {} : { namespace }) };
  const { apiVersion, kind } = resource;
  const object = { apiVersion, kind, metadata: place, status };
  // The status is the operator's alone: a field that somebody else wrote by hand is taken back.
  const how = { fieldManager: FIELD_MANAGER, force: true };
  const written = await api.apply(resource, place, object, how, "status");
  if (written.metadata.uid === uid) return written;
  throw new Fault("Conflict", `${kind} ${name} was made anew`, { retry: true });
}

/** Whether two JSON values differ: the order of fields means nothing, and a field that is undefined is not there. */
export function differs(one: unknown, other: unknown): boolean {
  if (one === other) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return true;
    return one.some((value, at) => differs(value, other[at]));
  }
  if (!isObject(one) || !isObject(other)) return true;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].some((name) => differs(one[name], other[name]));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
