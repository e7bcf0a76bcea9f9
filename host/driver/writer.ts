import { asFault } from "../fault/index.ts";
import { fieldsOf, type KubeObject, type Resource, type TenantApi } from "../kube/index.ts";
import type { Writer } from "../loop/index.ts";
import { readScale } from "./scale.ts";

/** The name under which the API server notes what this host writes; it is the client's, before any slash. */
const OWN = "sluice";
/** A manager has up to 128 characters; nobody needs more to know the tool. */
const NAME_CHARACTERS = 64;

/**
 * The number of a target now, as the tenant reads it, and the field manager that set it. Where the object itself may not be
 * read, or keeps its number elsewhere than in `spec.replicas`, it is nobody's that is known.
 */
export async function writerOf(api: TenantApi, resource: Resource, name: string): Promise<Writer> {
  const { replicas: parallelism } = await readScale(api, resource, name);
  return { parallelism, ...managedBy(await readable(api, resource, name), ["f:spec", "f:replicas"]) };
}

async function readable(api: TenantApi, resource: Resource, name: string): Promise<KubeObject | undefined> {
  try {
    return await api.get(resource, name);
  } catch (thrown) {
    if (asFault(thrown).code === "Forbidden") return undefined;
    throw thrown;
  }
}

/**
 * Who set a field last, and whether that was the host, by the entries of `managedFields`. Two that apply the same value own it
 * together: then it is the later one.
 */
export function managedBy(
  object: KubeObject | undefined,
  path: readonly string[],
): Omit<Writer, "parallelism"> {
  const entries = object?.metadata["managedFields"];
  const owners = (Array.isArray(entries) ? entries : []).flatMap((entry: unknown) => {
    const { manager, time, fieldsV1 } = fieldsOf(entry);
    const parent = path.slice(0, -1).reduce((fields, name) => fieldsOf(fields[name]), fieldsOf(fieldsV1));
    const owns = (path.at(-1) ?? "") in parent;
    return owns && typeof manager === "string" ? [{ manager, time: String(time ?? "") }] : [];
  });
  const by = owners.toSorted((one, other) => (one.time < other.time ? 1 : -1))[0]?.manager;
  return { by: by?.slice(0, NAME_CHARACTERS), isOwn: by === OWN };
}
