import { cut, refuse } from "./refusal.ts";
import type { Reader } from "./reader.ts";
import { LIMITS } from "../../tenant/index.ts";

/** The instruction that was read last: one object for a whole module, since there are hundreds of thousands of them. */
export interface Instruction {
  /** The opcode; behind a prefix, the prefix shifted left by eight and the number behind it. */
  op: number;
  /** The function of a `call`; else nothing that means anything. */
  operand: number;
  /** Where it begins. */
  at: number;
}

export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  brIf: 0x0d,
  call: 0x10,
  callIndirect: 0x11,
  tableSet: 0x26,
  f32Store: 0x38,
  f64Store: 0x39,
  memoryGrow: 0x40,
  f32Copysign: 0x98,
  f64Copysign: 0xa6,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  refFunc: 0xd2,
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
  tableInit: 0xfc0c,
  elemDrop: 0xfc0d,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableFill: 0xfc11,
} as const;

/** What stands behind an opcode. */
const NONE = 1;
const INDEX = 2;
const INDICES = 3;
const TYPE = 4;
const BRANCHES = 5;
const TYPES = 6;
const ADDRESS = 7;
const ZERO = 8;
const NUMBER_32 = 9;
const NUMBER_64 = 10;
const FLOAT_32 = 11;
const FLOAT_64 = 12;

/** By opcode: what stands behind it; 0 is refused. */
const BEHIND = new Uint8Array(256);
const put = (first: number, last: number, behind: number) => BEHIND.fill(behind, first, last + 1);
put(0x00, 0x01, NONE);
put(0x02, 0x04, TYPE);
put(0x05, 0x05, NONE);
put(0x0b, 0x0b, NONE);
put(0x0c, 0x0d, INDEX);
put(0x0e, 0x0e, BRANCHES);
put(0x0f, 0x0f, NONE);
put(0x10, 0x10, INDEX);
put(0x11, 0x11, INDICES);
put(0x1a, 0x1b, NONE);
put(0x1c, 0x1c, TYPES);
put(0x20, 0x26, INDEX);
put(0x28, 0x3e, ADDRESS);
put(0x3f, 0x40, ZERO);
put(0x41, 0x41, NUMBER_32);
put(0x42, 0x42, NUMBER_64);
put(0x43, 0x43, FLOAT_32);
put(0x44, 0x44, FLOAT_64);
put(0x45, 0xc4, NONE);
put(0xd0, 0xd0, NUMBER_32);
put(0xd1, 0xd1, NONE);
put(0xd2, 0xd2, INDEX);

/** Features of the language that are refused, by the opcodes that belong to them. */
const REFUSED: readonly (readonly [first: number, last: number, feature: string])[] = [
  [0x06, 0x0a, "exceptions"],
  [0x18, 0x19, "exceptions"],
  [0x1f, 0x1f, "exceptions"],
  [0x12, 0x13, "tail calls"],
  [0x15, 0x15, "tail calls"],
  [0x14, 0x14, "typed function references"],
  [0xd3, 0xd6, "typed function references"],
  [0xfb, 0xfb, "garbage collection"],
  [0xfe, 0xfe, "threads"],
];

/** Reads the next instruction into `into`. What is not in the accepted part of the language is refused by its name. */
export function readInstruction(reader: Reader, into: Instruction): void {
  into.at = reader.at;
  const op = reader.byte();
  into.op = op;
  if (op === 0xfc) return readBulk(reader, into);
  if (op === 0xfd) return readVector(reader, into);
  switch (BEHIND[op]) {
    case NONE:
      return;
    case INDEX:
      into.operand = reader.u32();
      return;
    case INDICES:
      into.operand = reader.u32();
      reader.u32();
      return;
    case ADDRESS:
      return passAddress(reader);
    case TYPE:
      return passBlockType(reader);
    case NUMBER_32:
      return reader.passNumber(5);
    case NUMBER_64:
      return reader.passNumber(10);
    case FLOAT_32:
      return reader.pass(4);
    case FLOAT_64:
      return reader.pass(8);
    case ZERO:
      return oneMemory(reader.byte());
    case BRANCHES:
      return passBranches(reader);
    case TYPES:
      return passTypes(reader);
    default:
      refuseOpcode(op);
  }
}

/** Nothing, a type of value, or the index of a function's type. */
function passBlockType(reader: Reader): void {
  refuseTypedReference(reader);
  reader.passNumber(5);
}

function passTypes(reader: Reader): void {
  for (let left = reader.count(); left > 0; left -= 1) {
    refuseTypedReference(reader);
    reader.byte();
  }
}

/** A type behind these has more bytes, which would be read as instructions, and hide others from the meter. */
function refuseTypedReference({ bytes, at, end }: Reader): void {
  const type = at < end ? bytes[at] : undefined;
  if (type !== undefined && type >= 0x62 && type <= 0x65) refuse("it uses typed function references");
}

function passBranches(reader: Reader): void {
  const targets = reader.count();
  if (targets > LIMITS.branchTargets)
    refuse(`one br_table in it has ${targets} targets, more than ${LIMITS.branchTargets}`);
  for (let left = targets + 1; left > 0; left -= 1) reader.u32();
}

/** A memory's index stands in a bit of the alignment, if there are several. */
function passAddress(reader: Reader): void {
  if (reader.u32() >= 0x40) oneMemory(1);
  reader.passNumber(5);
}

function oneMemory(index: number): void {
  if (index !== 0) refuse("it uses several memories");
}

const BULK_WITH_ONE = new Set([9, 13, 15, 16, 17]);

function readBulk(reader: Reader, into: Instruction): void {
  const which = reader.u32();
  into.op = 0xfc00 + which;
  // Floats to whole numbers, without a trap.
  if (which <= 7) return;
  if (which === 8) {
    reader.u32();
    return oneMemory(reader.byte());
  }
  if (which === 10) {
    oneMemory(reader.byte());
    return oneMemory(reader.byte());
  }
  if (which === 11) return oneMemory(reader.byte());
  if (which === 12 || which === 14) {
    reader.u32();
    reader.u32();
    return;
  }
  if (!BULK_WITH_ONE.has(which)) return refuseOpcode(into.op);
  reader.u32();
}

/**
 * Vector instructions whose result may hold bits of a NaN that are not the same on every machine. A vector's bits can be
 * seen in a hundred ways, so they are refused where a plain float's are made equal.
 */
const VECTOR_FLOATS: readonly (readonly [first: number, last: number])[] = [
  [0x13, 0x14],
  [0x20, 0x20],
  [0x22, 0x22],
  [0x5e, 0x5f],
  [0x67, 0x6a],
  [0x74, 0x75],
  [0x7a, 0x7a],
  [0x94, 0x94],
  [0xe0, 0xf7],
];

function readVector(reader: Reader, into: Instruction): void {
  const which = reader.u32();
  into.op = 0xfd00 + which;
  if (which > 0xff) refuse("it uses relaxed SIMD, which is not the same on every machine");
  if (VECTOR_FLOATS.some(([first, last]) => which >= first && which <= last))
    refuse("it uses SIMD with floats, whose NaNs are not the same on every machine");
  if (which <= 11 || which === 92 || which === 93) return passAddress(reader);
  if (which === 12 || which === 13) return reader.pass(16);
  if (which >= 21 && which <= 34) return reader.pass(1);
  if (which >= 84 && which <= 91) {
    passAddress(reader);
    return reader.pass(1);
  }
}

function refuseOpcode(op: number): never {
  const feature = REFUSED.find(([first, last]) => op >= first && op <= last)?.[2];
  const what = `opcode 0x${op.toString(16)}`;
  return refuse(
    feature === undefined ? cut(`it uses ${what}, which is not known`) : `it uses ${feature} (${what})`,
  );
}
