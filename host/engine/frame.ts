/**
 * The one protocol between operator, supervisor and sandboxes, over a pipe or a socket: the lengths of header and body as
 * two 32-bit numbers, the header as JSON, the body as it is.
 */
export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

/** A module is the largest body; a header names a hundred parts at most. Both are checked before anything is allocated. */
const FRAME_LIMITS = { headerBytes: 64 * 1_024, bodyBytes: 20 * 1_024 * 1_024 } as const;
const PREFIX_BYTES = 8;
const NOTHING = new Uint8Array();

/** A frame as bytes. Throws a `RangeError` above the limits: nothing that long is meant. */
export function encodeFrame(header: object, body: Uint8Array = NOTHING): Buffer {
  const text = Buffer.from(JSON.stringify(header), "utf8");
  checkLengths(text.length, body.length);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + text.length + body.length);
  frame.writeUInt32LE(text.length, 0);
  frame.writeUInt32LE(body.length, 4);
  text.copy(frame, PREFIX_BYTES);
  frame.set(body, PREFIX_BYTES + text.length);
  return frame;
}

/** Puts frames together from the pieces in which they arrive. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #held = 0;

  /** Takes a piece and returns the frames that it completes. Throws for what is no frame: the other end is not to be heard again. */
  take(piece: Buffer): Frame[] {
    this.#pieces.push(piece);
    this.#held += piece.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#held < PREFIX_BYTES) return undefined;
    const start = this.#peek(PREFIX_BYTES);
    const headerBytes = start.readUInt32LE(0);
    const bodyBytes = start.readUInt32LE(4);
    checkLengths(headerBytes, bodyBytes);
    const frameBytes = PREFIX_BYTES + headerBytes + bodyBytes;
    if (this.#held < frameBytes) return undefined;
    const whole = this.#peek(frameBytes);
    this.#pieces = this.#held > frameBytes ? [whole.subarray(frameBytes)] : [];
    this.#held -= frameBytes;
    return decode(whole, headerBytes, frameBytes);
  }

  /** At least so many bytes in one piece; pieces are joined only when one is complete, so a large frame is copied once. */
  #peek(bytes: number): Buffer {
    const [first] = this.#pieces;
    if (first !== undefined && first.length >= bytes) return first;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }
}

function decode(whole: Buffer, headerBytes: number, frameBytes: number): Frame {
  const header: unknown = JSON.parse(whole.toString("utf8", PREFIX_BYTES, PREFIX_BYTES + headerBytes));
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw new TypeError("a frame without a header");
  return { header: header as Frame["header"], body: whole.subarray(PREFIX_BYTES + headerBytes, frameBytes) };
}

function checkLengths(headerBytes: number, bodyBytes: number): void {
  if (headerBytes > FRAME_LIMITS.headerBytes || bodyBytes > FRAME_LIMITS.bodyBytes) {
    throw new RangeError(`a frame of ${headerBytes} and ${bodyBytes} bytes`);
  }
}
