import { NUMBERS, PROTOTYPE_NAMES } from "./answers.ts";
import type { Random } from "./random.ts";

/** What a change may put in: the words of the contract, and what parsers stumble over. */
const TOKENS: readonly string[] = [
  ...NUMBERS,
  ...PROTOTYPE_NAMES.map((name) => `"${name}":`),
  ...`{ } [ ] , : " \\ null true "nodes": "parallelism": "demand": "reason": "carry": "recheckAfter": "resources": \\ud800 \\u0000
      \\" "": {} [] // \uFEFF \u0000`.split(/\s+/),
];
/** Longer answers come from the grammar; growing them further would only make the run slow. */
const LONGEST = 4_096;

/** One answer made of another, by a few small changes. */
export function mutated(random: Random, seed: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes = Buffer.from(seed.subarray(0, LONGEST));
  for (let changes = 1 + random.below(random.once(3) ? 4 : 2); changes > 0; changes -= 1)
    bytes = changed(random, bytes, other);
  return bytes;
}

function changed(random: Random, bytes: Buffer, other: Uint8Array): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(random.once(4) ? 60 : 4));
  const around = (middle: Uint8Array, end = to) =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(end)]);
  switch (random.below(8)) {
    case 0:
      return around(Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]), at + 1);
    case 1:
      return around(Buffer.of());
    case 2:
      return around(Buffer.concat([bytes.subarray(at, to), bytes.subarray(at, to)]));
    case 3:
      return around(Buffer.from(random.pick(TOKENS)), at);
    case 4:
      return around(other.subarray(random.below(other.length + 1)).subarray(0, 200), at);
    case 5:
      return around(other.subarray(Math.min(at, other.length)).subarray(0, LONGEST), bytes.length);
    default:
      return withNumber(random, bytes);
  }
}

/** The same with one of its numbers another. */
function withNumber(random: Random, bytes: Buffer): Buffer<ArrayBuffer> {
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/\d+/g)];
  const one = numbers.length === 0 ? undefined : random.pick(numbers);
  if (one === undefined) return Buffer.from(bytes);
  return Buffer.from(
    text.slice(0, one.index) + random.pick(NUMBERS) + text.slice(one.index + one[0].length),
    "latin1",
  );
}
