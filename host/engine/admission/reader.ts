import { refuse } from "./refusal.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a module's bytes one after the other. Whatever does not fit is refused; it never reads behind its end. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.at >= this.end) truncated();
    return this.bytes[this.at++] as number;
  }

  /** An unsigned number of 32 bits. */
  u32(): number {
    let value = this.byte();
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let factor = 0x80; ; factor *= 0x80) {
      const next = this.byte();
      if (factor === 0x10000000) {
        if (next > 0x0f) refuse("a number in it is longer than 32 bits");
        return value + next * factor;
      }
      value += (next & 0x7f) * factor;
      if (next < 0x80) return value;
    }
  }

  /** How many entries follow: no more than there are bytes left, so that no count makes work by itself. */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at) truncated();
    return count;
  }

  /** Passes over a signed number of at most so many bytes. */
  passNumber(bytes: number): void {
    for (let read = 1; this.byte() >= 0x80; read += 1)
      if (read === bytes) refuse("a number in it is longer than its type");
  }

  pass(bytes: number): void {
    if (bytes > this.end - this.at) truncated();
    this.at += bytes;
  }

  name(): string {
    const length = this.count();
    const from = this.at;
    this.at += length;
    try {
      return decoder.decode(this.bytes.subarray(from, this.at));
    } catch {
      return refuse("a name in it is not UTF-8");
    }
  }

  /** The next so many bytes, to be read on their own. */
  part(bytes: number): Reader {
    const from = this.at;
    this.pass(bytes);
    return new Reader(this.bytes, from, this.at);
  }
}

const truncated = () => refuse("it ends too early");
