import type { Body } from "./code.ts";
import { BYTES_A_FUEL_SHIFT, costOf, ELEMENT_FUEL_SHIFT, PAGE_FUEL_SHIFT } from "./cost.ts";
import { OP, readInstruction, type Instruction } from "./instruction.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** What the code of a module is charged by. */
export interface Prices {
  /** Index of the global that holds the fuel left. */
  readonly fuelGlobal: number;
  /** Index of the global that says whether a memory was refused more than it may have. */
  readonly refusedGlobal: number;
  /** Most pages and elements that a memory and a table may have: to ask for more is refused and costs nothing. */
  readonly memoryPages: number;
  readonly tableElements: number;
  /** Fuel of a call to the function with this index, besides that of the instruction. */
  readonly call: (index: number) => number;
  /** Whether callers pay for all of the function with this index. */
  readonly paid: (index: number) => boolean;
}

/**
 * A place where fuel is taken for a region of code: everything that runs at most once after each time that this place is
 * passed, until the next such place.
 */
interface Region {
  readonly at: number;
  cost: number;
  /** Whether the code may run for ever without passing another such check. */
  readonly check: boolean;
  /** The region that is passed at least as often, and may pay for this one. */
  readonly payer?: Region;
  /** What it pays for others. */
  paid: number;
}
/** Something put into the code in front of the instruction at `at`. */
type Edit = Region | { readonly at: number; readonly op: number };

/** A region behind a branch is paid for by the one before, until that pays so much for what may not run. */
const PAID_FUEL = 100;
/** What costs as much is charged where it stands: behind a branch that is seldom taken it would be paid by everyone. */
const DEAR_FUEL = 60;

const I32 = 0x7f;
const F32 = 0x7d;
const F64 = 0x7c;

/**
 * The body of a function with its fuel metered and its NaNs made equal, with the number of its bytes in front. Fuel is taken
 * at the function's entry, at every loop's head and, where much code depends on a branch, behind the branch; a loop and a
 * recursion pass a check each time round.
 */
export function meterBody(bytes: Uint8Array, body: Body, index: number, prices: Prices, out: Writer): void {
  const edits = editsOf(bytes, body, index, prices);
  const scratch = new Scratch(body, edits);
  const code = new Writer(body.end - body.groupsAt + edits.length * 24 + 16);
  code.u32(body.groups + scratch.types.length).bytes(bytes.subarray(body.groupsAt, body.codeAt));
  for (const type of scratch.types) code.u32(1).byte(type);
  let copied = body.codeAt;
  for (const edit of edits) {
    code.bytes(bytes.subarray(copied, edit.at));
    copied = edit.at;
    if ("cost" in edit) takeFuel(code, edit, prices.fuelGlobal);
    else if (CANONICAL.has(edit.op)) canonicalise(code, edit.op, scratch);
    else takeByLength(code, edit.op, scratch, prices);
  }
  code.bytes(bytes.subarray(copied, body.end));
  out.sized(code);
}

const instruction: Instruction = { op: 0, operand: 0, at: 0 };

function editsOf(bytes: Uint8Array, body: Body, index: number, prices: Prices): Edit[] {
  const reader = new Reader(bytes, body.codeAt, body.end);
  const edits: Edit[] = [];
  const begin = (at: number, cost: number, payer?: Region): Region => {
    const region = { at, cost, check: payer === undefined, paid: 0, ...(payer && { payer }) };
    edits.push(region);
    return region;
  };
  // The region in which each open block began: it is passed at least as often as what follows on the block.
  const open: Region[] = [];
  const byCallers = prices.paid(index);
  let region: Region = byCallers ? NOBODY : begin(body.codeAt, body.entry);
  while (!reader.done) {
    readInstruction(reader, instruction);
    const { op, operand, at } = instruction;
    if (CANONICAL.has(op) || BY_LENGTH.has(op)) edits.push({ at, op });
    const cost = costOf(op) + (op === OP.call ? prices.call(operand) : 0);
    if (cost >= DEAR_FUEL) edits.push({ at, cost, check: false, paid: 0 });
    else region.cost += cost;
    if (op === OP.loop || op === OP.block || op === OP.if) open.push(region);
    if (op === OP.end) region = open.pop() ?? region;
    if (op === OP.else) region = open.at(-1) ?? region;
    if (op === OP.loop) region = begin(reader.at, 1);
    else if (!byCallers && BRANCHES.has(op)) region = begin(reader.at, 0, region);
  }
  return edits
    .toReversed()
    .filter((edit) => !("cost" in edit) || isOwn(edit))
    .toReversed();
}

/** What a function is charged to whose callers pay. */
const NOBODY: Region = { at: 0, cost: 0, check: false, paid: 0 };
const BRANCHES: ReadonlySet<number> = new Set([OP.if, OP.else, OP.end, OP.brIf]);

/** Whether a region pays for itself. Asked of the last first, since who pays for others may itself be paid for. */
function isOwn({ cost, payer }: Region): boolean {
  if (cost === 0) return false;
  if (payer === undefined || payer.paid + cost > PAID_FUEL) return true;
  payer.paid += cost;
  payer.cost += cost;
  return false;
}

/** What is in front of it: local.tee and the rest leave the operands as they were. */
const BY_LENGTH: ReadonlyMap<number, "bytes" | "elements" | "pages" | "newElements"> = new Map([
  [OP.memoryGrow, "pages"],
  [OP.memoryInit, "bytes"],
  [OP.memoryCopy, "bytes"],
  [OP.memoryFill, "bytes"],
  [OP.tableInit, "elements"],
  [OP.tableCopy, "elements"],
  [OP.tableGrow, "newElements"],
  [OP.tableFill, "elements"],
]);

/**
 * Where the bits of a NaN can be seen, they are those of the one quiet NaN: stores, reinterpretations, and the sign that
 * copysign takes. Between them a NaN has no property that depends on its bits.
 */
const CANONICAL: ReadonlyMap<number, number> = new Map([
  [OP.f32Store, F32],
  [OP.f64Store, F64],
  [OP.i32ReinterpretF32, F32],
  [OP.i64ReinterpretF64, F64],
  [OP.f32Copysign, F32],
  [OP.f64Copysign, F64],
]);

/** Locals behind those of the function, for what is put in. */
class Scratch {
  readonly types: readonly number[];
  readonly #first: number;

  constructor(body: Body, edits: readonly Edit[]) {
    const ops = new Set(edits.flatMap((edit) => ("op" in edit ? [edit.op] : [])));
    const needed = [...ops].map((op) => CANONICAL.get(op) ?? I32);
    this.types = [...new Set(needed)];
    this.#first = body.locals;
  }

  index(type: number): number {
    return this.#first + this.types.indexOf(type);
  }
}

const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const LOCAL_GET = 0x20;
const LOCAL_TEE = 0x22;
const SELECT = 0x1b;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I64_SUB = 0x7d;
const I32_LT_U = 0x49;
const I32_OR = 0x72;
const I64_ADD = 0x7c;
const I64_GT_U = 0x56;
const MEMORY_SIZE = [0x3f, 0];
const I64_EXTEND_I32_U = 0xad;
const I64_SHL = 0x86;
const I64_SHR_U = 0x88;
/** `i64.lt_s`, `if`, no result, `unreachable`, `end`: the call ends if the fuel is below zero. */
const END_BELOW_ZERO = [I64_CONST, 0, 0x53, 0x04, 0x40, 0x00, 0x0b];

function takeFuel(code: Writer, { cost, check }: Region, fuel: number): void {
  code.byte(GLOBAL_GET).u32(fuel).byte(I64_CONST).signed(cost).byte(I64_SUB).byte(GLOBAL_SET).u32(fuel);
  if (check) code.byte(GLOBAL_GET).u32(fuel).bytes(END_BELOW_ZERO);
}

/** Takes fuel for a length that is the topmost operand, before the instruction runs. */
function takeByLength(code: Writer, op: number, scratch: Scratch, prices: Prices): void {
  const unit = BY_LENGTH.get(op);
  const length = scratch.index(I32);
  const { fuelGlobal } = prices;
  code.byte(LOCAL_TEE).u32(length).byte(GLOBAL_GET).u32(fuelGlobal).byte(LOCAL_GET).u32(length);
  const most =
    unit === "pages" ? prices.memoryPages : unit === "newElements" ? prices.tableElements : undefined;
  if (most !== undefined) {
    code
      .byte(I32_CONST)
      .signed(0)
      .byte(LOCAL_GET)
      .u32(length)
      .byte(I32_CONST)
      .signed(most + 1);
    code.byte(I32_LT_U).byte(SELECT);
  }
  const [shift, by] =
    unit === "bytes"
      ? [I64_SHR_U, BYTES_A_FUEL_SHIFT]
      : [I64_SHL, unit === "pages" ? PAGE_FUEL_SHIFT : ELEMENT_FUEL_SHIFT];
  code
    .byte(I64_EXTEND_I32_U)
    .byte(I64_CONST)
    .signed(by)
    .byte(shift)
    .byte(I64_SUB)
    .byte(GLOBAL_SET)
    .u32(fuelGlobal);
  code.byte(GLOBAL_GET).u32(fuelGlobal).bytes(END_BELOW_ZERO);
  if (unit === "pages") noteRefusal(code, length, prices);
}

/** Notes whether so many pages more would be above the limit: that is why a guest gives up which traps later. */
function noteRefusal(code: Writer, length: number, { refusedGlobal, memoryPages }: Prices): void {
  code.byte(GLOBAL_GET).u32(refusedGlobal);
  code
    .byte(LOCAL_GET)
    .u32(length)
    .byte(I64_EXTEND_I32_U)
    .bytes(MEMORY_SIZE)
    .byte(I64_EXTEND_I32_U)
    .byte(I64_ADD);
  code.byte(I64_CONST).signed(memoryPages).byte(I64_GT_U).byte(I32_OR).byte(GLOBAL_SET).u32(refusedGlobal);
}

const QUIET_NAN_32 = [0x43, 0, 0, 0xc0, 0x7f];
const QUIET_NAN_64 = [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
const F32_EQ = 0x5b;
const F64_EQ = 0x61;

/** The topmost operand, or the one quiet NaN if it does not equal itself. */
function canonicalise(code: Writer, op: number, scratch: Scratch): void {
  const type = CANONICAL.get(op) ?? F64;
  const local = scratch.index(type);
  code
    .byte(LOCAL_TEE)
    .u32(local)
    .bytes(type === F32 ? QUIET_NAN_32 : QUIET_NAN_64);
  code.byte(LOCAL_GET).u32(local).byte(LOCAL_GET).u32(local);
  code.byte(type === F32 ? F32_EQ : F64_EQ).byte(SELECT);
}
