/** Bytes of a module in the making. */
export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 1_024) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  bytes(values: ArrayLike<number>): this {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
    return this;
  }

  u32(value: number): this {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 0x80)) this.byte((left % 0x80) | 0x80);
    return this.byte(left);
  }

  /** A signed number, as constants are written; whole and below 2^53. */
  signed(value: number): this {
    for (let left = value; ;) {
      const low = ((left % 0x80) + 0x80) % 0x80;
      left = (left - low) / 0x80;
      const last = (left === 0 && low < 0x40) || (left === -1 && low >= 0x40);
      this.byte(last ? low : low | 0x80);
      if (last) return this;
    }
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).bytes(bytes);
  }

  /** What was written, in front of it its length. */
  sized(part: Writer): this {
    return this.u32(part.length).bytes(part.written());
  }

  /** A view of what was written; it changes with the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    bytes.set(this.written());
    this.#bytes = bytes;
  }
}
