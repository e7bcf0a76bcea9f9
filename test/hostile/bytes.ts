/** Bytes of WebAssembly, for what no writer of the text format would write. */
export type Bytes = readonly number[] | Uint8Array;

export function join(...parts: readonly Bytes[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The same bytes so many times. */
export function times(count: number, bytes: Bytes): Uint8Array {
  const all = new Uint8Array(count * bytes.length);
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
  return all;
}

/** An unsigned number, in at least so many bytes. */
export function u32(value: number, width = 1): number[] {
  const bytes: number[] = [];
  for (let left = value; left > 0 || bytes.length < width; left = Math.floor(left / 0x80))
    bytes.push((left % 0x80) | 0x80);
  return [...bytes.slice(0, -1), (bytes.at(-1) ?? 0) & 0x7f];
}

export const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const section = (id: number, ...content: readonly Bytes[]): Uint8Array => {
  const body = join(...content);
  return join([id], u32(body.length), body);
};
export const name = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, "utf8");
  return join(u32(bytes.length), bytes);
};
export const custom = (title: string, content: Bytes): Uint8Array => section(0, name(title), content);

/** `() -> i32` and `() -> ()`. */
const TYPES: Bytes = [2, 0x60, 0, 1, 0x7f, 0x60, 0, 0];
export const PLAN = join(name("plan"), [0, 0]);
/** A function's body: its code, to which the end is added, behind its groups of locals. */
export const body = (code: Bytes, locals: Bytes = [0]): Uint8Array => {
  const length = locals.length + code.length + 1;
  return join(u32(length), locals, code, [0x0b]);
};

/** The sections of a module with the step plan, as function 0 of type 0; each can be replaced, or left out as undefined. */
export interface Sections {
  readonly types?: Bytes;
  readonly functions?: Bytes;
  readonly table?: Bytes;
  readonly memory?: Bytes;
  readonly globals?: Bytes;
  readonly exports?: Bytes;
  readonly elements?: Bytes;
  readonly code?: Bytes;
  readonly data?: Bytes;
  readonly before?: Bytes;
  readonly after?: Bytes;
}
const ZERO = [0x41, 0];
export const RETURN_ZERO = body(ZERO);

export function moduleOf(sections: Sections = {}): Uint8Array {
  const {
    types = TYPES,
    functions = [1, 0],
    exports = join([1], PLAN),
    code = join([1], RETURN_ZERO),
  } = sections;
  const optional = (id: number, content: Bytes | undefined) =>
    content === undefined ? [] : section(id, content);
  return join(
    HEAD,
    sections.before ?? [],
    section(1, types),
    section(3, functions),
    optional(4, sections.table),
    optional(5, sections.memory),
    optional(6, sections.globals),
    section(7, exports),
    optional(9, sections.elements),
    section(10, code),
    optional(11, sections.data),
    sections.after ?? [],
  );
}

/** A module whose step runs this code and returns zero. */
export const running = (code: Bytes, locals?: Bytes, more: Sections = {}): Uint8Array =>
  moduleOf({ ...more, code: join([1], body(join(code, ZERO), locals)) });
