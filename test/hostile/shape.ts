import { body, custom, HEAD, join, moduleOf, RETURN_ZERO, running, times, u32 } from "./bytes.ts";
import { hostile, refused, trapped, unusable, type Hostile } from "./hostile.ts";
import { doing, wasm } from "./wat.ts";

const STEP = '(func (export "plan") (result i32) (i32.const 0))';
const offering = (what: string) => wasm(`(module ${what} ${STEP})`);
const NO_ANSWER = unusable("it gave no answer");
const functions = (count: number, code: Uint8Array) => ({
  functions: join(u32(count + 1), [0], times(count, [1])),
  code: join(u32(count + 1), RETURN_ZERO, times(count, code)),
});

/** Modules that are none, that want too much, or that are not built as they should be: refused before anything of them runs. */
export const SHAPE: readonly Hostile[] = [
  hostile(
    "H02",
    "declares a memory of 4 GiB",
    () => offering("(memory 65536)"),
    refused("its memory is 65536 pages from the start, more than 256"),
  ),
  hostile(
    "H02",
    "declares a memory of a page too many",
    () => offering("(memory 257)"),
    refused("its memory is 257 pages"),
  ),
  hostile("H02", "declares a memory that may grow to 4 GiB", () => offering("(memory 1 65536)"), NO_ANSWER),
  hostile(
    "H05",
    "declares a table of ten million",
    () => offering("(table 10000000 funcref)"),
    refused("a table has 10000000 elements, more than 10000"),
  ),
  hostile(
    "H05",
    "declares five tables",
    () => offering("(table 1 funcref) ".repeat(5)),
    refused("it has 5 tables, more than 4"),
  ),
  hostile(
    "H10",
    "imports a function that keeps variables, with another type",
    () => offering('(import "extism:host/env" "var_set" (func (param i64)))'),
    refused("extism:host/env.var_set as i64 ->"),
  ),
  hostile(
    "H20",
    "has a million empty functions",
    () => moduleOf(functions(1_000_000, body([]))),
    refused("1000001 functions, more than 50000"),
  ),
  hostile(
    "H20",
    "has 49,999 functions of 80 bytes",
    () => moduleOf(functions(49_999, body(times(25, [0x41, 0, 0x1a])))),
    NO_ANSWER,
  ),
  hostile(
    "H21",
    "nests a hundred thousand blocks",
    () => running(join(times(40_000, [2, 0x40]), times(40_000, [0x0b]))),
    refused("nests deeper than 1000 blocks"),
  ),
  hostile(
    "H21",
    "nests 511 blocks",
    () => running(join(times(511, [2, 0x40]), times(511, [0x0b]))),
    NO_ANSWER,
  ),
  hostile(
    "H22",
    "has ten thousand functions of fifty thousand locals",
    () => moduleOf(functions(10_000, body([], join([1], u32(50_000), [0x7f])))),
    refused("50000 locals, more than 2000"),
  ),
  hostile(
    "H22",
    "has four thousand million locals, twice",
    () => running([], join([2], u32(4_294_967_295), [0x7f], u32(4_294_967_295), [0x7f])),
    refused("locals, more than 2000"),
  ),
  hostile(
    "H22",
    "has fifty thousand functions of two thousand locals",
    () => moduleOf(functions(49_999, body([], join([1], u32(2_000), [0x7e])))),
    refused("more than 1000000 locals together"),
  ),
  hostile(
    "H22",
    "branches to a million targets",
    () => running(join([0x41, 0, 0x0e], u32(100_000), times(100_001, [0]))),
    refused("100000 targets, more than 4096"),
  ),
  hostile(
    "H22",
    "has a function of 128 KiB and one byte more",
    () => running(times(131_071, [1])),
    refused("bytes, more than 131072"),
  ),
  hostile(
    "H23",
    "has 36 MB",
    () => join(HEAD, custom("x", new Uint8Array(36_000_000))),
    refused("bytes, more than 4194304"),
  ),
  hostile(
    "H50",
    "imports what nobody knows",
    () => offering('(import "env" "system" (func))'),
    refused("env.system, which is not offered"),
  ),
  hostile(
    "H50",
    "imports a prototype",
    () => offering('(import "__proto__" "constructor" (func))'),
    refused("__proto__.constructor, which is not offered"),
  ),
  hostile(
    "H50",
    "imports what every object has",
    () => offering('(import "extism:host/env" "toString" (func))'),
    refused("toString, which is not offered"),
  ),
  hostile(
    "H50",
    "imports a memory",
    () => offering('(import "extism:host/env" "memory" (memory 1))'),
    refused("a memory: only functions are offered"),
  ),
  hostile(
    "H50",
    "imports a table",
    () => offering('(import "extism:host/env" "alloc" (table 1 funcref))'),
    refused("a table: only functions are offered"),
  ),
  hostile(
    "H50",
    "imports a global",
    () => offering('(import "extism:host/env" "alloc" (global (mut i64)))'),
    refused("a global: only functions are offered"),
  ),
  hostile(
    "H50",
    "imports a function with floats for its numbers",
    () => offering('(import "extism:host/env" "alloc" (func (param f64) (result i64)))'),
    refused("alloc as f64 -> i64, and it is i64 -> i64"),
  ),
  hostile(
    "H50",
    "imports a function that returns more than it does",
    () => offering('(import "extism:host/env" "free" (func (param i64) (result i64 i64)))'),
    refused("free as i64 -> i64 i64"),
  ),
  hostile(
    "H50",
    "imports a thousand functions and one",
    () =>
      offering(
        Array.from(
          { length: 1_001 },
          () => '(import "extism:host/env" "error_get" (func (result i64)))',
        ).join(" "),
      ),
    refused("1001 imports, more than 1000"),
  ),
  hostile(
    "H51",
    "has a data segment out of range",
    () => doing("", "", '(data (i32.const 70000) "x")'),
    trapped("data segment"),
  ),
  hostile(
    "H51",
    "has an element segment out of range",
    () => doing("", "", "(table 1 funcref) (func $f) (elem (i32.const 1) $f)"),
    trapped("table"),
  ),
  hostile(
    "H51",
    "traps in its start function",
    () => doing("", "", "(func $s unreachable) (start $s)"),
    trapped("unreachable"),
  ),
  hostile(
    "H52",
    "exports no step",
    () => wasm('(module (func (export "run")))'),
    refused("exports none of the functions monitor, analyze, plan"),
  ),
  hostile(
    "H52",
    "exports a memory for a step",
    () => wasm('(module (memory (export "plan") 1))'),
    refused("exports plan as no function"),
  ),
  hostile(
    "H52",
    "exports a step that wants a number",
    () => wasm('(module (func (export "plan") (param i64) (result i32) (i32.const 0)))'),
    refused("exports plan as i64 -> i32"),
  ),
  hostile(
    "H52",
    "exports a step that gives two numbers",
    () => wasm('(module (func (export "plan") (result i32 i32) (i32.const 0) (i32.const 0)))'),
    refused("exports plan as -> i32 i32"),
  ),
  hostile(
    "H52",
    "exports a function of the host for a step",
    () =>
      wasm(
        '(module (import "extism:host/env" "get_log_level" (func $f (result i32))) (export "plan" (func $f)))',
      ),
    NO_ANSWER,
  ),
  hostile(
    "H52",
    "wants arguments before it begins",
    () => doing("", "", '(func (export "_initialize") (param i64) unreachable)'),
    trapped(""),
  ),
];
