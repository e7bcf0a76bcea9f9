import type { Random } from "../random.ts";

/** One module made of another by a few changes of its bytes, its numbers or the order of its sections. */
export function mutant(random: Random, module: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes = module;
  for (let changes = random.once(3) ? 1 + random.below(4) : 1; changes > 0; changes -= 1)
    bytes = changed(random, bytes, other);
  return bytes;
}

function changed(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = 8 + random.below(Math.max(1, bytes.length - 8));
  const put = (middle: ArrayLike<number>, to: number) =>
    joined(bytes.subarray(0, at), middle, bytes.subarray(to));
  switch (random.below(9)) {
    case 0:
      return put([(bytes[at] ?? 0) ^ (1 << random.below(8))], at + 1);
    case 1:
      return put([random.below(256)], at + 1);
    case 2:
      return put([], at + 1 + random.below(4));
    case 3:
      return put([random.below(256)], at);
    case 4:
      return put(other.subarray(random.below(other.length)).subarray(0, 1 + random.below(40)), at);
    case 5:
      return bytes.subarray(0, at);
    case 6:
      return longer(random, bytes);
    default:
      return rearranged(random, bytes, other);
  }
}

/** A number of one byte written in more than it needs: the same number, if readers agree on how long one may be. */
function longer(random: Random, bytes: Uint8Array): Uint8Array {
  const at = 8 + random.below(Math.max(1, bytes.length - 8));
  const byte = bytes[at] ?? 0;
  if (byte >= 0x80) return bytes;
  const more = Array.from({ length: random.below(10) }, () => 0x80);
  const changedBytes = joined(bytes.subarray(0, at), [byte | 0x80, ...more, 0], bytes.subarray(at + 1));
  return changedBytes;
}

interface Part {
  readonly id: number;
  readonly body: Uint8Array;
}

/** Sections swapped, doubled, left out, taken from another module, or changed inside with their length kept right. */
function rearranged(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const parts = partsOf(bytes);
  const strangers = partsOf(other);
  if (parts.length === 0 || strangers.length === 0) return bytes;
  // Most of what there is to get wrong is in the code.
  const code = parts.findIndex(({ id }) => id === 10);
  const at = code >= 0 && random.once(2) ? code : random.below(parts.length);
  const part = parts[at] as Part;
  switch (random.below(6)) {
    case 0:
      parts.splice(random.below(parts.length), 0, ...parts.splice(at, 1));
      break;
    case 1:
      parts.splice(at, 0, part);
      break;
    case 2:
      parts.splice(at, 1);
      break;
    case 3:
      parts.splice(at, random.below(2), random.pick(strangers));
      break;
    default:
      parts[at] = { id: part.id, body: changedBody(random, part.body) };
  }
  return joined(bytes.subarray(0, 8), ...parts.flatMap(({ id, body }) => [[id, ...leb(body.length)], body]));
}

function changedBody(random: Random, body: Uint8Array): Uint8Array {
  const copy = body.slice();
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
    const at = random.below(copy.length);
    copy[at] = random.once(2) ? random.below(256) : (copy[at] ?? 0) + random.pick([1, -1, 2, 16]);
  }
  return random.once(6) ? joined(copy, [random.below(256)]) : copy;
}

/** The sections of a module, as far as they can be told apart. */
function partsOf(bytes: Uint8Array): Part[] {
  const parts: Part[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at] ?? 0;
    let length = 0;
    let shift = 1;
    for (at += 1; (bytes[at] ?? 0) >= 0x80; at += 1, shift *= 128)
      length += ((bytes[at] ?? 0) & 0x7f) * shift;
    length += (bytes[at] ?? 0) * shift;
    at += 1;
    parts.push({ id, body: bytes.subarray(at, at + length) });
    at += length;
  }
  return parts;
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

const joined = (...parts: readonly ArrayLike<number>[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
