import { crc32 } from "node:zlib";
import { Fault } from "../fault/index.ts";
import type { PolicyKey } from "../policy/index.ts";
import type { Dump, Taken } from "./messages.ts";

/** The version of the format that is written; a reader refuses every other. */
const VERSION = 1;

/** What one line of an export is about. */
type Line =
  | { readonly kind: "knowledge"; readonly version: number }
  | ({ readonly kind: "policy" } & Dump["policy"])
  | ({ readonly kind: "pass" } & Dump["passes"][number])
  | { readonly kind: "body"; readonly digest: string; readonly number: number; readonly base64: string }
  | { readonly kind: "aside"; readonly record: string }
  | { readonly kind: "end"; readonly lines: number };

/** Knowledge as what is taken from it, one policy at a time. */
interface Known {
  keys(): Promise<readonly PolicyKey[]>;
  dump(key: PolicyKey): Promise<Dump | undefined>;
}

/** The lines of an export, each a JSON document with its checksum; the last says how many they are. */
export async function* exported(store: Known, only?: PolicyKey): AsyncGenerator<string> {
  let lines = 0;
  const write = (line: Line) => {
    lines += 1;
    return `${JSON.stringify({ checksum: crc32(JSON.stringify(line)), line })}\n`;
  };
  yield write({ kind: "knowledge", version: VERSION });
  for (const key of only === undefined ? await store.keys() : [only]) {
    const found = await store.dump(key);
    if (found === undefined) continue;
    yield write({ kind: "policy", ...found.policy });
    for (const pass of found.passes) yield write({ kind: "pass", ...pass });
    for (const { digest, number, bytes } of found.bodies)
      yield write({ kind: "body", digest, number, base64: Buffer.from(bytes).toString("base64") });
    for (const record of found.aside) yield write({ kind: "aside", record });
  }
  yield write({ kind: "end", lines });
}

/** The policies of an export, in its order. Throws `KnowledgeCorrupt` with the line that is not what was written, or missing. */
export async function* imported(lines: AsyncIterable<string>): AsyncGenerator<Taken> {
  let at = 0;
  let current:
    | { policy: Dump["policy"]; passes: Dump["passes"][number][]; bodies: Dump["bodies"][number][] }
    | undefined;
  let ended = false;
  for await (const text of lines) {
    at += 1;
    const line = lineOf(text, at);
    if (ended) throw refused(at, "stands after the end");
    if ((at === 1) !== (line.kind === "knowledge")) throw refused(at, "is not where it belongs");
    if (line.kind === "knowledge") {
      if (line.version !== VERSION)
        throw refused(at, `is of version ${line.version}, and this is ${VERSION}`);
    } else if (line.kind === "end") {
      if (line.lines !== at - 1) throw refused(at, `says ${line.lines} lines stand before it`);
      ended = true;
    } else if (line.kind === "policy") {
      if (current !== undefined) yield current;
      const { kind: _, ...policy } = line;
      current = { policy, passes: [], bodies: [] };
    } else if (current === undefined) throw refused(at, "belongs to no policy");
    else if (line.kind === "pass") {
      const { kind: _, ...pass } = line;
      current.passes.push(pass);
    } else if (line.kind === "body") {
      const { digest, number, base64 } = line;
      current.bodies.push({ digest, number, bytes: new Uint8Array(Buffer.from(base64, "base64")) });
    }
  }
  if (!ended) throw refused(at + 1, "is missing: the file was cut off");
  if (current !== undefined) yield current;
}

function lineOf(text: string, at: number): Line {
  try {
    const { checksum, line } = JSON.parse(text) as { checksum: unknown; line: Line };
    if (crc32(JSON.stringify(line)) === checksum) return line;
  } catch {
    // Said below: what is no JSON is as corrupt as what has another checksum.
  }
  throw refused(at, "is not what was written");
}

const refused = (line: number, why: string) =>
  new Fault("KnowledgeCorrupt", `Line ${line} of the export ${why}`, { remedy: "Export it once more." });
