import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { invalid } from "./refusal.ts";

const inflate = promisify(gunzip);
const BLOCK_BYTES = 512;
const FILE = "plugin.wasm";
const REGULAR = new Set(["0", "\0"]);
// Headers, padding and other small files around the module.
const AROUND_BYTES = 64 * 1_024;

/**
 * The one file `plugin.wasm` of a gzipped tar archive; nothing is written anywhere. What would unpack to more than the
 * limit, or to more than twenty times its size, is refused. Throws `ArtifactInvalid`.
 */
export async function unpack(packed: Uint8Array, limitBytes: number, name: string): Promise<Uint8Array> {
  const most = Math.min(
    limitBytes + AROUND_BYTES,
    packed.length * ARTIFACT_LIMITS.unpackedRatio + AROUND_BYTES,
  );
  const tar = await inflate(packed, { maxOutputLength: most }).catch((thrown: unknown) => {
    const large = (thrown as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    throw invalid(
      name,
      large
        ? `has a layer that unpacks to more than ${most} bytes`
        : "has a layer that is not a gzip archive",
    );
  });
  const found = [...filesOf(tar, name)].filter((file) => file.path.split("/").at(-1) === FILE);
  const [file, second] = found;
  if (file === undefined) throw invalid(name, `has no file ${FILE} in its last layer`);
  if (second !== undefined) throw invalid(name, `has several files ${FILE} in its last layer`);
  return Uint8Array.from(file.bytes);
}

function* filesOf(tar: Buffer, name: string): Generator<{ path: string; bytes: Buffer }> {
  for (let at = 0; at + BLOCK_BYTES <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) return;
    const digits = text(header, 124, 12).trim();
    const size = /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
    const from = at + BLOCK_BYTES;
    // A size that does not fit lies about what follows.
    if (!(from + size <= tar.length)) throw invalid(name, "has a layer that is not a whole tar archive");
    if (REGULAR.has(String.fromCharCode(header[156] ?? 0))) {
      yield { path: text(header, 0, 100), bytes: tar.subarray(from, from + size) };
    }
    at = from + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? length : end);
}
