import { describe, expect, test } from "vitest";
import { admitted } from "./admission/run.ts";
import { wasm, type Features } from "./hostile/wat.ts";

const PLAN = '(func (export "plan") (result i32) (i32.const 0))';
const module = (parts: string, features: Features = {}) => wasm(`(module ${parts} ${PLAN})`, features);
const refused = (bytes: Uint8Array, message: string | RegExp) =>
  expect(() => admitted(bytes)).toThrow(
    expect.objectContaining({ code: "ArtifactInvalid", message: expect.stringMatching(message) }),
  );
const leb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...leb(Math.floor(value / 0x80))];
/** A module of its head and these sections, each an id and its content. */
const raw = (...sections: readonly (readonly [id: number, ...content: number[]])[]) =>
  new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...sections.flatMap(([id, ...content]) => [id, ...leb(content.length), ...content]),
  ]);
const TYPE = [1, 1, 0x60, 0, 1, 0x7f] as const;
/** A module with one function, exported as plan, of these instructions. */
const coded = (...instructions: number[]) =>
  raw(
    TYPE,
    [3, 1, 0],
    [7, 1, 4, 0x70, 0x6c, 0x61, 0x6e, 0, 0],
    [10, 1, ...leb(instructions.length + 2), 0, ...instructions, 0x0b],
  );

describe("a part of the language that is not offered is refused by its name", () => {
  test.each<[string, Uint8Array]>([
    ["threads", module("(memory 1 1 shared)", { threads: true })],
    ["threads", module("(memory 1) (func (drop (i32.atomic.load (i32.const 0))))", { threads: true })],
    ["threads", coded(0xfe, 0x03, 0x00, 0x41, 0)],
    ["memory64", module("(memory i64 1)", { memory64: true })],
    ["several memories", coded(0x41, 0, 0x28, 0x42, 1, 0)],
    ["2 memories", raw([5, 2, 0, 1, 0, 1])],
    ["relaxed SIMD", coded(0xfd, 0x80, 0x02)],
    [
      "SIMD with floats",
      module("(func (result v128) (f32x4.add (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)))", {
        simd: true,
      }),
    ],
    ["exceptions", module("(tag) (func (throw 0))", { exceptions: true })],
    ["exceptions", module("(func (try (do) (catch_all)))", { exceptions: true })],
    ["tail calls", module("(func $f (return_call $f))", { tail_call: true })],
    ["garbage collection", raw([1, 1, 0x5f, 0])],
    ["typed function references", coded(0x14, 0)],
    ["it is a component", new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])],
    ["a version of WebAssembly that is not known", new Uint8Array([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0])],
    ["opcode 0x27", coded(0x27)],
  ])("%s", (name, bytes) => {
    refused(bytes, name);
  });

  test("and what toolchains use is not: bulk memory, references, several results, signs, whole-number SIMD", () => {
    const everything = module(
      `(memory 1) (table 2 funcref) (elem declare func $f) (data "abc")
      (func $f (result i32 i64) (i32.extend8_s (i32.const 200)) (i64.trunc_sat_f64_s (f64.const 1e30)))
      (func (memory.fill (i32.const 0) (i32.const 1) (i32.const 9)) (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 3))
        (table.set 0 (i32.const 0) (ref.func $f)) (drop (i32x4.extract_lane 0 (i32x4.splat (i32.const 1)))))`,
      { simd: true, multi_value: true, sign_extension: true, sat_float_to_int: true },
    );
    expect(WebAssembly.validate(admitted(everything))).toBe(true);
  });
});

describe("a module that is more than it may be", () => {
  /** Empty functions, the last of them the step. */
  const functions = (count: number) =>
    raw(
      [1, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f],
      [3, ...leb(count), ...Array.from({ length: count - 1 }, () => 0), 1],
      [7, 1, 4, 0x70, 0x6c, 0x61, 0x6e, 0, ...leb(count - 1)],
      [
        10,
        ...leb(count),
        ...Array.from({ length: count - 1 }, () => [2, 0, 0x0b]).flat(),
        4,
        0,
        0x41,
        0,
        0x0b,
      ],
    );
  const nested = (depth: number) =>
    coded(
      ...Array.from({ length: depth }, () => [2, 0x40]).flat(),
      ...Array.from({ length: depth }, () => 0x0b),
      0x41,
      0,
    );
  test.each([
    ["4194305 bytes, more than 4194304", new Uint8Array(4_194_305)],
    ["50001 functions, more than 50000", functions(50_001)],
    ["has \\d+ bytes, more than 131072", module(`(func ${"(drop (i64.const 99999999999))".repeat(20_000)})`)],
    ["2001 locals, more than 2000", module(`(func (param i32) ${"(local i64)".repeat(2_000)})`)],
    ["nests deeper than 1000 blocks", nested(1_000)],
    [
      "br_table in it has 4097 targets",
      module(`(func (block (br_table ${"0 ".repeat(4_098)} (i32.const 0))))`),
    ],
    ["1001 globals, more than 1000", module("(global i32 (i32.const 0))".repeat(1_001))],
    ["memory is 5 pages from the start, more than 4", module("(memory 5)")],
    ["table has 10001 elements, more than 10000", module("(table 10001 funcref)")],
    ["5 tables, more than 4", module("(table 1 funcref)".repeat(5))],
  ])("%s", (message, bytes) => {
    refused(bytes, message);
  });

  test("is admitted where it is just as much", () => {
    const bytes = module(`${"(table 10000 funcref)".repeat(4)} (memory 4)`);
    expect(WebAssembly.validate(admitted(bytes))).toBe(true);
    expect(WebAssembly.validate(admitted(functions(50_000)))).toBe(true);
    expect(WebAssembly.validate(admitted(nested(999)))).toBe(true);
  });

  test("is read in time: a count makes no work by itself", () => {
    refused(raw([3, 0xff, 0xff, 0xff, 0xff, 0x0f]), "4294967295 functions");
    refused(raw([10, 0xff, 0xff, 0x03]), "not as many bodies");
    refused(raw([9, 1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0x03]), "ends too early");
    refused(raw([3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), "longer than 32 bits");
  });
});

describe("what a module imports and exports", () => {
  test.each([
    ['(import "env" "system" (func))', "it imports env.system, which is not offered"],
    ['(import "__proto__" "x" (func))', "__proto__.x, which is not offered"],
    ['(import "extism:host/env" "constructor" (func))', "constructor, which is not offered"],
    ['(import "extism:host/env" "memory" (memory 1))', "a memory: only functions are offered"],
    ['(import "extism:host/env" "g" (global i64))', "a global: only functions are offered"],
    ['(import "extism:host/env" "t" (table 1 funcref))', "a table: only functions are offered"],
    [
      '(import "extism:host/env" "alloc" (func (param f64) (result i64)))',
      "alloc as f64 -> i64, and it is i64 -> i64",
    ],
    ['(import "extism:host/env" "store_u8" (func (param i64 i64)))', "as i64 i64 ->, and it is i64 i32 ->"],
  ])("%s", (text, message) => {
    refused(module(text), message);
  });

  test.each([
    [wasm('(module (func (export "run")))'), "exports none of the functions monitor, analyze, plan"],
    [wasm('(module (memory (export "plan") 1))'), "exports plan as no function"],
    [wasm('(module (func (export "plan") (param i32)))'), "exports plan as i32 ->, and a step is -> i32"],
    [wasm('(module (func (export "plan") (result i64) (i64.const 0)))'), "a step is -> i32"],
    [
      module('(global (export "sluice:fuel") i64 (i64.const 0))'),
      "exports sluice:fuel: that name is reserved",
    ],
    [module('(func (export "sluice:anything"))'), "that name is reserved"],
  ])("%#", (bytes, message) => {
    refused(bytes, message);
  });
});

describe("a module is valid as it came", () => {
  test("one that names the global which is added is refused, and does not refill its own fuel", () => {
    // global.set 0, where there is no global: it would be the fuel's.
    refused(coded(0x42, 0x7f, 0x24, 0, 0x41, 0), "it is not valid WebAssembly");
  });

  test.each([
    ["a result of another type", coded(0x42, 0)],
    ["a call to nobody", coded(0x10, 9, 0x41, 0)],
    ["sections out of order", raw([3, 1, 0], TYPE)],
    ["two sections of a kind", raw(TYPE, TYPE)],
    ["bytes behind the end", new Uint8Array([...coded(0x41, 0), 0, 0])],
    ["no end", coded(0x41, 0).slice(0, -1)],
  ])("%s", (_what, bytes) => {
    refused(bytes, "cannot be used");
  });
});
