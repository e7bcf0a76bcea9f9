import { LIMITS } from "../../tenant/index.ts";
import { Reader } from "./reader.ts";
import { refuse } from "./refusal.ts";
import { readInstruction, OP, type Instruction } from "./instruction.ts";

/** A stretch of a module's bytes. */
export interface Section {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}
export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}
/** An imported function; nothing else may be imported. */
export interface Import {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}
export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}
/** Of a memory, in pages; of a table, in elements. */
export interface Size {
  readonly min: number;
  readonly max: number | undefined;
}
export interface Table extends Size {
  readonly element: number;
}
export interface Global {
  readonly type: number;
  readonly mutable: boolean;
}
export interface CustomSection {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** What a module consists of, its code left aside. */
export interface Decoded {
  readonly bytes: Uint8Array;
  readonly sections: readonly Section[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly Import[];
  /** Types of the functions that are not imported. */
  readonly functions: readonly number[];
  readonly tables: readonly Table[];
  readonly memories: readonly Size[];
  readonly globals: readonly Global[];
  readonly exports: readonly Export[];
  /** The function that is to run when an instance is made. */
  readonly start: number | undefined;
  /** Functions that can be called by others than the code: exported, in a table, named as a reference, run at the start. */
  readonly escaping: ReadonlySet<number>;
  readonly customs: readonly CustomSection[];
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

type Draft = { -readonly [Part in keyof Decoded]: Decoded[Part] } & {
  sections: Section[];
  escaping: Set<number>;
  customs: CustomSection[];
  /** Entries of all element segments: they are put into tables whenever an instance is made, before there is any fuel. */
  elements: number;
};

/**
 * Reads everything of a module but its code, and refuses what is too much or is not offered. Whether the module is valid it
 * does not say: the runtime does.
 */
export function decode(bytes: Uint8Array): Decoded {
  const reader = new Reader(bytes, 8);
  const draft: Draft = {
    bytes,
    sections: [],
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    escaping: new Set(),
    customs: [],
    elements: 0,
  };
  while (!reader.done) {
    const id = reader.byte();
    const body = reader.part(reader.u32());
    draft.sections.push({ id, from: body.at, to: body.end });
    if (draft.sections.length > LIMITS.names) refuse(`it has more than ${LIMITS.names} sections`);
    readSection(id, body, draft);
  }
  return draft;
}

function readSection(id: number, body: Reader, draft: Draft): void {
  if (id === SECTION.custom) return readCustom(body, draft);
  if (id === SECTION.type) draft.types = entries(body, "types", LIMITS.functions, readType);
  else if (id === SECTION.import) draft.imports = entries(body, "imports", LIMITS.names, readImport);
  else if (id === SECTION.function)
    draft.functions = entries(body, "functions", LIMITS.functions, () => body.u32());
  else if (id === SECTION.table) draft.tables = entries(body, "tables", LIMITS.tables, readTable);
  else if (id === SECTION.memory) draft.memories = entries(body, "memories", LIMITS.memories, readMemory);
  else if (id === SECTION.global) {
    draft.globals = entries(body, "globals", LIMITS.names, () => readGlobal(body, draft));
  } else if (id === SECTION.export) {
    draft.exports = entries(body, "exports", LIMITS.names, () => readExport(body, draft));
  } else if (id === SECTION.start) {
    draft.start = body.u32();
    draft.escaping.add(draft.start);
  } else if (id === SECTION.element) {
    entries(body, "element segments", LIMITS.functions, () => readElements(body, draft));
  } else if (id === SECTION.data) {
    if (body.end - body.at > LIMITS.dataBytes)
      refuse(`it has ${body.end - body.at} bytes of data, more than ${LIMITS.dataBytes}`);
  } else if (id === SECTION.tag) refuse("it uses exceptions (a tag section)");
  else if (id !== SECTION.code && id !== SECTION.dataCount)
    refuse(`it has a section ${id}, which is not known`);
}

function entries<Entry>(body: Reader, what: string, most: number, read: (body: Reader) => Entry): Entry[] {
  const count = body.u32();
  if (count > most) refuse(`it has ${count} ${what}, more than ${most}`);
  const found: Entry[] = [];
  for (let index = 0; index < count; index += 1) found.push(read(body));
  return found;
}

function readCustom(body: Reader, draft: Draft): void {
  const name = body.name();
  draft.customs.push({ name, from: body.at, to: body.end });
}

const FUNCTION = 0x60;

function readType(body: Reader): FunctionType {
  if (body.byte() !== FUNCTION) refuse("it uses types of garbage collection");
  const values = () => entries(body, "parameters of one function", LIMITS.locals, () => readValueType(body));
  return { parameters: values(), results: values() };
}

/** The types of values that are offered: numbers, vectors, and references to functions and to the host's things. */
const VALUE_TYPES: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);

/** The type of a value, as its byte. */
export function readValueType(body: Reader): number {
  const type = body.byte();
  if (!VALUE_TYPES.has(type)) refuse(`it uses a type of value, 0x${type.toString(16)}, that is not offered`);
  return type;
}

const IMPORTED = ["function", "table", "memory", "global", "tag"];

function readImport(body: Reader): Import {
  const module = body.name();
  const name = body.name();
  const kind = body.byte();
  if (kind !== 0) {
    const what = IMPORTED[kind] ?? "thing";
    refuse(`it imports ${module.slice(0, 64)}.${name.slice(0, 64)}, a ${what}: only functions are offered`);
  }
  return { module, name, type: body.u32() };
}

const SHARED = 2;
const BITS_64 = 4;
const PAGE_SIZE = 8;

function readSize(body: Reader, what: string): Size {
  const flags = body.byte();
  if ((flags & SHARED) !== 0) refuse(`it uses threads (a shared ${what})`);
  if ((flags & BITS_64) !== 0) refuse(`it uses memory64 (a ${what} with addresses of 64 bits)`);
  if ((flags & PAGE_SIZE) !== 0 || flags > PAGE_SIZE)
    refuse(`it uses a ${what} of a kind that is not offered`);
  const min = body.u32();
  return { min, max: (flags & 1) === 0 ? undefined : body.u32() };
}

function readTable(body: Reader): Table {
  const element = body.byte();
  if (element !== 0x70 && element !== 0x6f) refuse("it uses typed function references (a table of them)");
  return { element, ...readSize(body, "table") };
}

const readMemory = (body: Reader): Size => readSize(body, "memory");

function readGlobal(body: Reader, draft: Draft): Global {
  const type = readValueType(body);
  const flags = body.byte();
  if (flags > 1) refuse("it uses threads (a shared global)");
  readExpression(body, draft);
  return { type, mutable: flags === 1 };
}

/** Names that begin so are the host's own: what it adds to a module it finds again by them. */
const RESERVED = "sluice:";

function readExport(body: Reader, draft: Draft): Export {
  const one = { name: body.name(), kind: body.byte(), index: body.u32() };
  if (one.name.startsWith(RESERVED)) refuse(`it exports ${one.name.slice(0, 64)}: that name is reserved`);
  if (one.kind === 0) draft.escaping.add(one.index);
  return one;
}

const PASSIVE_OR_DECLARED = 1;
const EXPLICIT = 2;
const EXPRESSIONS = 4;

function readElements(body: Reader, draft: Draft): void {
  const flags = body.u32();
  if (flags > 7) refuse("it has an element segment of a kind that is not known");
  const active = (flags & PASSIVE_OR_DECLARED) === 0;
  if (active && (flags & EXPLICIT) !== 0) body.u32();
  if (active) readExpression(body, draft);
  // The kind of the elements, unless they are functions of the first table.
  if ((flags & (PASSIVE_OR_DECLARED | EXPLICIT)) !== 0) {
    const kind = body.byte();
    if ((flags & EXPRESSIONS) === 0 ? kind !== 0 : kind !== 0x70 && kind !== 0x6f)
      refuse("it uses typed function references (an element segment of them)");
  }
  const read = () =>
    (flags & EXPRESSIONS) === 0 ? void draft.escaping.add(body.u32()) : readExpression(body, draft);
  const count = body.count();
  draft.elements += count;
  const most = LIMITS.tables * LIMITS.tableElements;
  if (draft.elements > most) refuse(`its element segments have ${draft.elements} entries, more than ${most}`);
  for (let left = count; left > 0; left -= 1) read();
}

const instruction: Instruction = { op: 0, operand: 0, at: 0 };

/** A constant expression; the functions that it names can be called from anywhere. */
function readExpression(body: Reader, draft: Draft): void {
  do {
    readInstruction(body, instruction);
    if (instruction.op === OP.refFunc) draft.escaping.add(instruction.operand);
  } while (instruction.op !== OP.end);
}
