import { LIMITS } from "../../tenant/index.ts";
import type { Body } from "./code.ts";
import { meterBody, type Prices } from "./meter.ts";
import { SECTION, type Decoded, type Size } from "./module.ts";
import { refuse } from "./refusal.ts";
import { Writer } from "./writer.ts";

/**
 * The global that holds the fuel left, as the rewritten module exports it: an i64, below zero when it is used up. It is zero
 * in a new instance: who makes one fills it.
 */
export const FUEL = "sluice:fuel";
/** The global that says whether the memory was refused what the module asked for: an i32, not zero when it was. */
export const REFUSED = "sluice:refused";
/** The module's start function, as the rewritten module exports it: who makes an instance calls it, with the fuel filled. */
export const START = "sluice:start";

/** The module's memory, if it has one, as the rewritten module exports it. */
export const MEMORY = "sluice:memory";
/** A global that can change, the first of them at 0, as the rewritten module exports it. */
export const globalName = (at: number): string => `sluice:global:${at}`;

/** What a rewritten module is limited to, whatever it runs on. */
export interface Caps {
  readonly memoryPages: number;
}

/**
 * The module with the maxima of its memory and tables lowered to the limits, and its code metered. Nothing else of it
 * changes, but that its custom sections are left out. Only for bytes that the runtime found valid: what is added could make
 * an index valid that was not.
 */
export function rewrite(
  decoded: Decoded,
  bodies: readonly Body[],
  importFuel: readonly number[],
  caps: Caps,
): Uint8Array {
  const out = new Writer(decoded.bytes.length + (decoded.bytes.length >> 1) + 1_024);
  out.bytes(decoded.bytes.subarray(0, 8));
  const sections = decoded.sections.filter(({ id }) => id !== SECTION.custom && id !== SECTION.start);
  const added = [SECTION.global, SECTION.export].filter((id) => !sections.some((one) => one.id === id));
  const whole = [...sections, ...added.map((id) => ({ id, from: 0, to: 0 }))];
  for (const { id, from, to } of whole.sort(
    (one, other) => ORDER.indexOf(one.id) - ORDER.indexOf(other.id),
  )) {
    const body = decoded.bytes.subarray(from, to);
    const written = new Writer(body.length + 64);
    if (id === SECTION.memory) writeMemories(written, decoded, caps);
    else if (id === SECTION.table) writeTables(written, decoded);
    else if (id === SECTION.global)
      append(written, body, decoded.globals.length, [fuelGlobal(), refusedGlobal()]);
    else if (id === SECTION.export) append(written, body, decoded.exports.length, addedExports(decoded));
    else if (id === SECTION.code) writeCode(written, decoded, bodies, importFuel, caps);
    else written.bytes(body);
    out.byte(id).sized(written);
  }
  return out.written().slice();
}

/** The order in which sections stand in a module. */
const ORDER: readonly number[] = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

const writeSize = (out: Writer, { min, max }: Size, cap: number): Writer =>
  out
    .byte(1)
    .u32(min)
    .u32(Math.min(max ?? cap, cap));

function writeMemories(out: Writer, { memories }: Decoded, { memoryPages }: Caps): void {
  out.u32(memories.length);
  for (const memory of memories) writeSize(out, memory, memoryPages);
}

function writeTables(out: Writer, { tables }: Decoded): void {
  out.u32(tables.length);
  for (const table of tables) writeSize(out.byte(table.element), table, LIMITS.tableElements);
}

/** A section with more entries at its end. */
function append(out: Writer, body: Uint8Array, entries: number, added: readonly Writer[]): void {
  // The count may be written longer than it has to be; its last byte is the first below 0x80.
  const first = body.findIndex((byte) => byte < 0x80) + 1;
  out.u32(entries + added.length).bytes(body.subarray(first));
  for (const entry of added) out.bytes(entry.written());
}

const I64 = 0x7e;
const MUTABLE = 1;
const FUNCTION = 0;
const MEMORY_KIND = 2;
const GLOBAL = 3;
const I64_CONST = 0x42;
const END = 0x0b;

const I32 = 0x7f;
const I32_CONST = 0x41;
const refusedGlobal = () => new Writer(16).byte(I32).byte(MUTABLE).byte(I32_CONST).signed(0).byte(END);
const fuelGlobal = () => new Writer(16).byte(I64).byte(MUTABLE).byte(I64_CONST).signed(0).byte(END);

function addedExports({ globals, memories, start }: Decoded): Writer[] {
  const exported = (name: string, kind: number, index: number) =>
    new Writer(32).name(name).byte(kind).u32(index);
  const changing = globals.flatMap(({ mutable }, index) => (mutable ? [index] : []));
  return [
    exported(FUEL, GLOBAL, globals.length),
    exported(REFUSED, GLOBAL, globals.length + 1),
    ...changing.map((index, at) => exported(globalName(at), GLOBAL, index)),
    ...memories.map((_, index) => exported(MEMORY, MEMORY_KIND, index)),
    ...(start === undefined ? [] : [exported(START, FUNCTION, start)]),
  ];
}

/** What callers pay a short function for in whole: more than this, and its fuel is taken where it begins. */
const PAID_FUEL = 100;

function writeCode(
  out: Writer,
  decoded: Decoded,
  bodies: readonly Body[],
  importFuel: readonly number[],
  { memoryPages }: Caps,
): void {
  const imported = decoded.imports.length;
  const paid = bodies.map(
    ({ straight, cost }, at) => straight && cost <= PAID_FUEL && !decoded.escaping.has(imported + at),
  );
  const prices: Prices = {
    fuelGlobal: decoded.globals.length,
    refusedGlobal: decoded.globals.length + 1,
    memoryPages,
    tableElements: LIMITS.tableElements,
    call: (index) =>
      importFuel[index] ?? (paid[index - imported] === true ? (bodies[index - imported]?.cost ?? 0) : 0),
    paid: (index) => paid[index] === true,
  };
  out.u32(bodies.length);
  for (const [index, body] of bodies.entries()) {
    meterBody(decoded.bytes, body, index, prices, out);
    if (out.length > LIMITS.meteredBytes)
      refuse(
        `with its fuel counted its code is longer than ${LIMITS.meteredBytes} bytes: it has too many loops`,
      );
  }
}
