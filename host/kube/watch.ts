import { ClusterFault, refusal } from "./refusal.ts";
import { fieldsOf, readObject, type KubeObject, type Resource } from "./resource.ts";
import { OPERATOR } from "./identity.ts";

/** What a watch tells: an object as it is now or was last, or only that the version is still good. */
export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: KubeObject }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

/** An object has at most 1.5 MiB in etcd; JSON can be a little longer. */
const LINE_BYTES = 4 * 1_024 * 1_024;

/** Reads the events of a watch. Throws a `ClusterFault` for an error that the server sends, such as 410. */
export async function* readWatch(
  bytes: AsyncIterable<Buffer>,
  resource: Resource,
): AsyncGenerator<WatchEvent> {
  for await (const line of lines(bytes, resource)) yield readEvent(line, resource);
}

function readEvent(line: string, resource: Resource): WatchEvent {
  const { type, object } = fieldsOf(parse(line));
  if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
    return { type, object: readObject(object, resource) };
  }
  if (type === "BOOKMARK") {
    return { type, resourceVersion: String(fieldsOf(fieldsOf(object)["metadata"])["resourceVersion"] ?? "") };
  }
  const code = fieldsOf(object)["code"];
  const attempt = { identity: OPERATOR, verb: "watch", resource: resource.plural, group: "" } as const;
  throw refusal(typeof code === "number" ? code : 500, JSON.stringify(object ?? {}), undefined, attempt);
}

async function* lines(bytes: AsyncIterable<Buffer>, resource: Resource): AsyncGenerator<string> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...held, rest.subarray(0, end)]).toString("utf8");
      [held, heldBytes, rest] = [[], 0, rest.subarray(end + 1)];
      if (line.trim() !== "") yield line;
    }
    if (rest.length > 0) held.push(rest);
    heldBytes += rest.length;
    if (heldBytes > LINE_BYTES)
      throw broken(`a watch of ${resource.plural} sent a line above ${LINE_BYTES} bytes`);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw broken("a watch sent a line that is not JSON");
  }
}

const broken = (message: string) => new ClusterFault("ClusterUnavailable", 0, message, { retry: true });
