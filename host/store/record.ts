import { crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { LIMITS } from "./limits.ts";
import type { Owner } from "./messages.ts";
import type { Row, Value } from "./statements.ts";

/** How a pass is written: this is the version that every record carries. */
export const FORMAT = {
  /** The JSON text as it is. */
  full: 1,
  /** The text in Zstandard, with the text of an earlier full record as its dictionary. */
  delta: 2,
} as const;

/** The row of a policy. */
export interface PolicyRecord extends Owner {
  readonly row: number;
  readonly number: number;
  readonly carry: string | null;
  /** The newest term in which somebody wrote for the policy; 0 where nobody ever said one. */
  readonly epoch: number;
  /** Passes up to this number are not kept. */
  readonly floor: number;
  /** Whether the newest pass was set aside, and none was remembered since. */
  readonly lost: boolean;
  readonly sound: boolean;
}

/** The row of a pass, with its text where it is what was written. */
export interface EntryRecord {
  readonly row: number;
  readonly number: number;
  readonly outcome: string;
  readonly body: string | undefined;
}

export function policyRecord(row: Row): PolicyRecord {
  const { key, uid, carry } = row as { key: string; uid: string; carry: string | null };
  const [number, epoch] = [Number(row["number"]), Number(row["epoch"])];
  return {
    ...{ row: Number(row["row"]), key, uid, number, carry, epoch },
    floor: Number(row["floor"]),
    lost: Number(row["lost"]) === 1,
    sound: Number(row["checksum"]) === policyChecksum({ key, uid, number, carry, epoch }),
  };
}

/** Reads a row of `iterations`; its text is undefined where it does not match its checksum. */
export function entryRecord(owner: Owner, row: Row): EntryRecord {
  const { id, outcome } = row as { id: string; outcome: string };
  const number = Number(row["number"]);
  const text = decode(row);
  const head = { id, number, atMs: Number(row["at_ms"]), outcome };
  const sound =
    text !== undefined && Number(row["checksum"]) === entryChecksum(owner, { ...head, body: text });
  return { row: Number(row["row"]), number, outcome, body: sound ? text : undefined };
}

function decode({ format, body, delta, base }: Row): string | undefined {
  if (Number(format) === FORMAT.full) return String(body);
  if (Number(format) !== FORMAT.delta || !(delta instanceof Uint8Array)) return undefined;
  if (typeof base !== "string") return undefined;
  try {
    const limits = { maxOutputLength: LIMITS.bodyCharacters * LIMITS.bytesACharacter };
    return zstdDecompressSync(delta, { dictionary: Buffer.from(base), ...limits }).toString();
  } catch {
    return undefined;
  }
}

/** How a text is written: its columns `body`, `format`, `base`, `delta` and `size`. */
export function encode(
  body: string,
  base: { readonly row: number; readonly body: string } | undefined,
): readonly [Value, Value, Value, Value, Value] {
  const bytes = Buffer.byteLength(body);
  if (base !== undefined) {
    const delta = zstdCompressSync(body, { dictionary: Buffer.from(base.body) });
    if (delta.length < bytes / LIMITS.deltaShare) return ["", FORMAT.delta, base.row, delta, delta.length];
  }
  return [body, FORMAT.full, null, null, bytes];
}

/** The checksum of a policy's row. Rows of before there were terms have the same one as those without. */
export function policyChecksum({ key, uid, number, carry, epoch }: PolicySums): number {
  return crc32(JSON.stringify([key, uid, number, carry, ...(epoch === 0 ? [] : [epoch])]));
}
type PolicySums = Pick<PolicyRecord, "key" | "uid" | "number" | "carry" | "epoch">;

/** Covers whose record it is as well, so that a record in the wrong place is as corrupt as a changed one. */
export function entryChecksum(owner: Owner, { id, number, atMs, outcome, body }: EntrySums): number {
  return crc32(body, crc32(JSON.stringify([owner.key, owner.uid, id, number, atMs, outcome])));
}
interface EntrySums {
  readonly id: string;
  readonly number: number;
  readonly atMs: number;
  readonly outcome: string;
  readonly body: string;
}

/** A corrupt row as text, to be looked at. */
export function written(row: Row): string {
  return JSON.stringify(row, (_, value: unknown) =>
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
  );
}
