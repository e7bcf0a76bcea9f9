// Flink names a vertex by the 128 bits of MurmurHash3 (x64, seed 0) of its first operator's uid. The hash is public domain.
const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;
const BLOCK_BYTES = 16;

const times = (one: bigint, other: bigint) => (one * other) & MASK;
const plus = (one: bigint, other: bigint) => (one + other) & MASK;
const turned = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & MASK;

function mixed(value: bigint): bigint {
  let k = value;
  k = times(k ^ (k >> 33n), 0xff51afd7ed558ccdn);
  k = times(k ^ (k >> 33n), 0xc4ceb9fe1a85ec53n);
  return k ^ (k >> 33n);
}

const first = (k: bigint) => times(turned(times(k, C1), 31n), C2);
const second = (k: bigint) => times(turned(times(k, C2), 33n), C1);

/** The id of the vertex whose first operator has this uid, 32 hexadecimal digits. */
export function vertexIdOf(uid: string): string {
  const bytes = new TextEncoder().encode(uid);
  const whole = bytes.length - (bytes.length % BLOCK_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [h1, h2] = [0n, 0n];
  for (let at = 0; at < whole; at += BLOCK_BYTES) {
    h1 ^= first(view.getBigUint64(at, true));
    h1 = plus(times(plus(turned(h1, 27n), h2), 5n), 0x52dce729n);
    h2 ^= second(view.getBigUint64(at + 8, true));
    h2 = plus(times(plus(turned(h2, 31n), h1), 5n), 0x38495ab5n);
  }
  const rest = new DataView(new ArrayBuffer(BLOCK_BYTES));
  bytes.subarray(whole).forEach((byte, at) => rest.setUint8(at, byte));
  h1 ^= first(rest.getBigUint64(0, true)) ^ BigInt(bytes.length);
  h2 ^= second(rest.getBigUint64(8, true)) ^ BigInt(bytes.length);
  h1 = plus(h1, h2);
  h2 = plus(h2, h1);
  [h1, h2] = [mixed(h1), mixed(h2)];
  h1 = plus(h1, h2);
  h2 = plus(h2, h1);
  // Flink writes the bytes as they lie in memory, lowest first.
  const hex = new DataView(new ArrayBuffer(BLOCK_BYTES));
  hex.setBigUint64(0, h1, true);
  hex.setBigUint64(8, h2, true);
  return Buffer.from(hex.buffer).toString("hex");
}
