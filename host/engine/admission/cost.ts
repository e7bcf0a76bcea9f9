import { OP } from "./instruction.ts";

/**
 * Fuel of one instruction: 1 for what takes a processor about a third of a nanosecond. Weights follow a measurement of each
 * instruction in a loop of its own (`npm run bench`, worst cases): none may take longer for its fuel than a tenth of the
 * watchdog's time, so that the verdict is always the fuel's.
 */
export function costOf(op: number): number {
  if (op < 0x100) return COSTS[op] as number;
  if (op >= 0xfd00) return VECTOR;
  return op <= 0xfc07 ? TRUNCATION : BULK;
}

const COSTS = new Uint16Array(256).fill(1);
const put = (first: number, last: number, cost: number) => COSTS.fill(cost, first, last + 1);
put(OP.block, OP.block, 0);
put(OP.loop, OP.loop, 0);
put(OP.else, OP.else, 0);
put(OP.end, OP.end, 0);
// br_table: a jump that no processor foresees.
put(0x0e, 0x0e, 4);
put(OP.call, OP.call, 4);
put(OP.callIndirect, OP.callIndirect, 10);
// table.get and table.set.
put(0x25, 0x26, 20);
put(0x3f, 0x3f, 4);
// Loads and stores: at worst each is of another page.
put(0x28, 0x3e, 2);
// The runtime looks for a larger place even if it is asked for no page; the pages themselves are charged when it runs.
const GROW = 10_000;
// Whole-number division and remainder, 32 and 64 bits.
put(0x6d, 0x70, 12);
put(0x7f, 0x82, 24);
// Rounding, square root and division of floats.
put(0x8d, 0x90, 4);
put(0x91, 0x91, 10);
put(0x95, 0x95, 10);
put(0x9b, 0x9e, 4);
put(0x9f, 0x9f, 16);
put(0xa3, 0xa3, 12);
// min and max are a branch each where there is a NaN.
put(0x96, 0x97, 4);
put(0xa4, 0xa5, 4);
// Floats to whole numbers, checked.
put(0xa8, 0xab, 6);
put(0xae, 0xb1, 6);
put(0xb2, 0xbb, 3);
put(OP.memoryGrow, OP.memoryGrow, GROW);
// With what makes their NaNs equal.
put(OP.f32Store, OP.f64Store, 4);
put(OP.f32Copysign, OP.f32Copysign, 3);
put(OP.f64Copysign, OP.f64Copysign, 3);
put(OP.i32ReinterpretF32, OP.i64ReinterpretF64, 3);
// A reference to a function is an object of the runtime.
put(OP.refFunc, OP.refFunc, 60);
const TRUNCATION = 6;
const VECTOR = 6;
/** And its length, which is charged when it runs. */
const BULK = 160;

/** Fuel of one byte that the host or a bulk instruction moves is a quarter. */
export const BYTES_A_FUEL_SHIFT = 2;
/** A page that a memory grows by is zeroed and mapped. */
export const PAGE_FUEL_SHIFT = 13;
/** An element of a table that is moved or written, 32. */
export const ELEMENT_FUEL_SHIFT = 5;
