// Where things stand in a JSON text, found without decoding anything.
const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
/** Both kinds of brackets without the bit in which they differ. */
const KIND: u8 = 0x20;
const OPENING: u8 = 0x7b;
const CLOSING: u8 = 0x7d;
const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

/** The object or list that an entry of the index is about. */
@unmanaged
export class Span {
  /** The first byte after it. */
  end: usize;
  /** How far on the entry of the first object or list behind it is; those within it are in between. */
  next: usize;
}

/**
 * Finds where every object and list ends that begins in the value at `at`, in one pass, so that no byte is skipped twice.
 * One entry each, in their order. Brackets are counted, not followed: depth costs no stack.
 */
export function spans(at: usize, end: usize): usize {
  let room: usize = 64 * offsetof<Span>();
  let from = heap.alloc(room);
  let used: usize = 0;
  // Of what is still open, `next` holds the entry around it.
  let around: usize = 0;
  let depth = 0;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == QUOTE) {
      at = pastText(at, end);
      continue;
    }
    at++;
    const kind = byte | KIND;
    if (kind == OPENING) {
      if (used == room) {
        room <<= 1;
        from = heap.realloc(from, room);
      }
      const span = changetype<Span>(from + used);
      span.end = end;
      span.next = around;
      around = used;
      used += offsetof<Span>();
      depth++;
    } else if (kind == CLOSING) {
      const span = changetype<Span>(from + around);
      const closed = around;
      around = span.next;
      span.end = at;
      span.next = used - closed;
      if (--depth == 0) break;
    }
  }
  return from;
}

/** Whether an object or a list begins with it. */
export function isOpening(byte: u8): bool {
  return (byte | KIND) == OPENING;
}

/** The first byte from `at` on that is no blank. */
export function blanks(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) <= 0x20) at++;
  return at;
}

/** The first byte after a number, a word or whatever else begins at `at` and is no text, object or list. */
export function pastWord(at: usize, end: usize): usize {
  for (; at < end; at++) {
    const byte = load<u8>(at);
    if (byte <= 0x20 || byte == 0x2c || byte == 0x3a || byte == QUOTE) break;
    if ((byte | KIND) == OPENING || (byte | KIND) == CLOSING) break;
  }
  return at;
}

/** The first byte after the text that begins at `at`; eight bytes at a time while there is nothing to look at. */
export function pastText(at: usize, end: usize): usize {
  at++;
  while (at < end) {
    while (at + 8 <= end) {
      const bytes = load<u64>(at);
      const special = zeros(bytes ^ (ONES * QUOTE)) | zeros(bytes ^ (ONES * BACKSLASH));
      if (special != 0) {
        at += <usize>(ctz(special) >> 3);
        break;
      }
      at += 8;
    }
    const byte = load<u8>(at);
    if (byte == QUOTE) return at + 1;
    at += byte == BACKSLASH ? 2 : 1;
  }
  return end;
}

/** Where in the word a byte is zero. Bytes after the first zero may be marked in error. */
function zeros(bytes: u64): u64 {
  return (bytes - ONES) & ~bytes & HIGHS;
}
