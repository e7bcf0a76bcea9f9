import { LIMITS } from "../../tenant/index.ts";
import type { Fuel } from "./fuel.ts";

/** The guest asked for more than its limit. */
export class LimitExceeded extends Error {}
/** The guest used the host's memory in a way that means nothing. */
class MisuseOfBlocks extends Error {}

/** What there is besides the input from the start: more than most answers take. */
const FIRST_BYTES = 8 * 1_024;
/** Address 0 means nothing to a guest, so the first block lies behind it. */
const START = 16;

/**
 * The memory that a guest and its host exchange texts in: one arena a call, made anew for each, so that nothing of one call
 * is in reach of another. Blocks are counted before they are made.
 */
export class Blocks {
  #bytes: Uint8Array;
  #view: DataView;
  #top = START;
  #made = 0;
  #allocated = 0;
  readonly #lengths = new Map<number, number>();
  readonly #fuel: Fuel;

  /** Room for an input, and some. */
  constructor(fuel: Fuel, inputBytes: number) {
    this.#fuel = fuel;
    this.#bytes = new Uint8Array(inputBytes + FIRST_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  alloc(size: bigint): bigint {
    if (size === 0n) return 0n;
    this.#made += 1;
    if (size < 0n || size > BigInt(LIMITS.blockBytes) || this.#allocated + Number(size) > LIMITS.blockBytes) {
      throw new LimitExceeded(`more than ${LIMITS.blockBytes} bytes of Extism blocks`);
    }
    if (this.#made > LIMITS.blocks) throw new LimitExceeded(`more than ${LIMITS.blocks} Extism blocks`);
    this.#fuel.move(Number(size));
    this.#allocated += Number(size);
    return BigInt(this.#place(Number(size)));
  }

  /** Stores what the host gives to the guest; it does not count as the guest's. */
  store(bytes: Uint8Array): bigint {
    const at = this.#place(bytes.length);
    this.#bytes.set(bytes, at);
    return BigInt(at);
  }

  /** Hands the guest what it asked for; that counts as if it had made the block itself. Without bytes there is no block. */
  give(bytes: Uint8Array): bigint {
    const at = this.alloc(BigInt(bytes.length));
    this.#bytes.set(bytes, Number(at));
    return at;
  }

  free(address: bigint): void {
    this.#lengths.delete(Number(address));
  }

  length(address: bigint): bigint {
    return BigInt(this.#lengths.get(Number(address)) ?? 0);
  }

  /** A copy of the first `length` bytes of a block. */
  read(address: bigint, length: bigint = this.length(address)): Uint8Array {
    const held = this.#lengths.get(Number(address));
    if (held === undefined) throw new MisuseOfBlocks(`there is no block at ${address}`);
    if (length < 0n || length > BigInt(held))
      throw new MisuseOfBlocks(`the block at ${address} has ${held} bytes, not ${length}`);
    this.#fuel.move(Number(length));
    return this.#bytes.slice(Number(address), Number(address) + Number(length));
  }

  // Numbers out of range throw a RangeError of the view, which ends the call.
  load8 = (address: bigint | number): number => this.#view.getUint8(Number(address));
  load64 = (address: bigint | number): bigint => this.#view.getBigUint64(Number(address), true);
  store8 = (address: bigint, value: number): void => this.#view.setUint8(Number(address), value);
  store64 = (address: bigint, value: bigint): void => this.#view.setBigUint64(Number(address), value, true);

  #place(size: number): number {
    const at = this.#top;
    // Eight more than asked for: guests store their last bytes eight at a time.
    this.#top = at + ((size + 8 + 7) & ~7);
    if (this.#top > this.#bytes.length) this.#grow();
    this.#lengths.set(at, size);
    return at;
  }

  #grow(): void {
    const bytes = new Uint8Array(Math.max(this.#top, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
