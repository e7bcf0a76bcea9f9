// How long the fuel of a step lasts at the most: each instruction and each function of the host in a loop of its own, until
// the fuel is burned. The largest of these times has to stay under half of the watchdog's.
import { runStep } from "../../host/engine/sandbox/step.ts";
import { compile } from "../../host/engine/sandbox/module.ts";
import { asFault } from "../../host/fault/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import { imported, wasm } from "../hostile/wat.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "../step-input.ts";
import type { Row } from "./engine.ts";
import { overhead } from "./overhead.ts";

const FUEL = LIMITS.cpuMs * LIMITS.fuelPerCpuMs;
const COPIES = 16;

interface Case {
  readonly what: string;
  /** One use, that leaves nothing on the stack. */
  readonly body: string;
  readonly more?: string;
  /** How often it stands in the loop. */
  readonly copies?: number;
}

const VALUE: Record<string, string> = {
  i32: "(local.get $i)",
  i64: "(local.get $l)",
  f32: "(local.get $f)",
  f64: "(local.get $d)",
};
const LOCAL: Record<string, string> = { i32: "$i", i64: "$l", f32: "$f", f64: "$d" };
/** Each result is the operand of the next: nothing is done beside each other. */
const unary = (op: string, from: string, to = from): Case => ({
  what: op,
  body:
    from === to
      ? `(local.set ${LOCAL[to]} (${op} ${VALUE[from]}))`
      : `(local.set ${LOCAL[to]} (${op} ${VALUE[from]}))`,
});
const binary = (op: string, type: string, second: string): Case => ({
  what: op,
  body: `(local.set ${LOCAL[type]} (${op} ${VALUE[type]} ${second}))`,
});

const instructions: Case[] = [
  { what: "an empty loop", body: "", copies: 1 },
  binary("i32.add", "i32", "(local.get $i)"),
  binary("i64.mul", "i64", "(i64.const 7)"),
  {
    what: "i32.div_u",
    body: "(local.set $i (i32.add (i32.div_u (i32.const -1) (i32.or (local.get $i) (i32.const 3))) (i32.const 5)))",
  },
  {
    what: "i64.div_s",
    body: "(local.set $l (i64.add (i64.div_s (i64.const -9000000000000000001) (i64.or (local.get $l) (i64.const 3))) (i64.const 5)))",
  },
  {
    what: "i64.rem_u",
    body: "(local.set $l (i64.add (i64.rem_u (i64.const -1) (i64.or (local.get $l) (i64.const 3))) (i64.const 5)))",
  },
  binary("f32.div", "f32", "(f32.const 1.0001)"),
  binary("f64.div", "f64", "(f64.const 1.0001)"),
  binary("f64.mul", "f64", "(f64.const 1.0001)"),
  {
    what: "f64.mul of subnormals",
    body: "(local.set $d (f64.add (f64.const 3e-310) (f64.mul (local.get $d) (f64.const 0.3))))",
  },
  {
    what: "f64.div of subnormals",
    body: "(local.set $d (f64.div (f64.const 3e-310) (f64.add (local.get $d) (f64.const 1.5))))",
  },
  { what: "f32.sqrt", body: "(local.set $f (f32.add (f32.sqrt (local.get $f)) (f32.const 3)))" },
  { what: "f64.sqrt", body: "(local.set $d (f64.add (f64.sqrt (local.get $d)) (f64.const 3)))" },
  { what: "f64.nearest", body: "(local.set $d (f64.nearest (f64.add (local.get $d) (f64.const 0.3))))" },
  binary("f64.min", "f64", "(f64.const nan)"),
  { what: "f64.copysign", body: "(local.set $d (f64.copysign (local.get $d) (local.get $d)))" },
  {
    what: "i64.reinterpret_f64",
    body: "(local.set $d (f64.reinterpret_i64 (i64.reinterpret_f64 (local.get $d))))",
  },
  { what: "i64.trunc_f64_s", body: "(local.set $d (f64.convert_i64_s (i64.trunc_f64_s (local.get $d))))" },
  {
    what: "i64.trunc_sat_f64_u",
    body: "(local.set $d (f64.convert_i64_u (i64.trunc_sat_f64_u (local.get $d))))",
  },
  unary("i64.popcnt", "i64"),
  unary("i32.ctz", "i32"),
  { what: "i32.load", body: "(local.set $i (i32.load (i32.and (local.get $i) (i32.const 0xfff8))))" },
  {
    what: "i32.load, a page apart",
    body: "(local.set $i (i32.and (i32.add (i32.const 4160) (i32.add (local.get $i) (i32.load (local.get $i)))) (i32.const 0xffff00)))",
  },
  { what: "f64.store", body: "(f64.store (i32.const 8) (local.get $d))" },
  {
    what: "i64.store, a page apart",
    body: "(local.set $i (i32.and (i32.add (local.get $i) (i32.const 4160)) (i32.const 0xffff00))) (i64.store (local.get $i) (i64.const 1))",
  },
  { what: "memory.size", body: "(drop (memory.size))" },
  { what: "memory.grow that is refused", body: "(drop (memory.grow (i32.const 60000)))" },
  { what: "memory.grow by nothing", body: "(drop (memory.grow (i32.const 0)))" },
  { what: "memory.fill of nothing", body: "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))" },
  { what: "memory.fill of a page", body: "(memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))" },
  { what: "memory.fill of all", body: "(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))" },
  {
    what: "memory.copy of half",
    body: "(memory.copy (i32.const 0) (i32.const 8388608) (i32.const 8388608))",
  },
  {
    what: "memory.init of nothing",
    body: "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))",
    more: '(data "xxxx")',
  },
  { what: "table.get and set", body: "(table.set 0 (i32.const 1) (table.get 0 (i32.const 0)))" },
  { what: "ref.func", body: "(drop (ref.func $leaf))", more: "(elem declare func $leaf)" },
  {
    what: "table.set of ref.func",
    body: "(table.set 0 (i32.const 1) (ref.func $leaf))",
    more: "(elem declare func $leaf)",
  },
  { what: "ref.is_null", body: "(drop (ref.is_null (table.get 0 (i32.const 0))))" },
  { what: "table.fill of all", body: "(table.fill 0 (i32.const 0) (ref.null func) (i32.const 10000))" },
  { what: "table.copy of all", body: "(table.copy (i32.const 0) (i32.const 5000) (i32.const 5000))" },
  {
    what: "table.init of 1000",
    body: "(table.init 0 1 (i32.const 0) (i32.const 0) (i32.const 1000))",
    more: `(elem func ${"$leaf ".repeat(1000)})`,
  },
  { what: "table.grow that is refused", body: "(drop (table.grow 0 (ref.null func) (i32.const 600000)))" },
  { what: "table.grow by nothing", body: "(drop (table.grow 0 (ref.null func) (i32.const 0)))" },
  { what: "call of an empty function", body: "(call $leaf)" },
  { what: "call of a function that loops", body: "(call $looping)" },
  { what: "call_indirect", body: "(call_indirect (type $void) (i32.const 2))" },
  { what: "call_indirect of a longer function", body: "(call_indirect (type $void) (i32.const 3))" },
  { what: "call of a function with 2,000 locals", body: "(call $wide)" },
  {
    what: "br_table",
    body: "(block $a (block $b (block $c (br_table $a $b $c (local.tee $i (i32.and (i32.add (i32.mul (local.get $i) (i32.const 1103515245)) (i32.const 12345)) (i32.const 3)))))))",
  },
];

const HOST: readonly (readonly [what: string, name: string, type: string, body: string])[] = [
  ["input_length", "input_length", "(result i64)", "(drop (call $input_length))"],
  ["load_u64", "load_u64", "(param i64) (result i64)", "(drop (call $load_u64 (i64.const 16)))"],
  ["store_u64", "store_u64", "(param i64 i64)", "(call $store_u64 (i64.const 16) (i64.const 1))"],
  ["store_u8", "store_u8", "(param i64 i32)", "(call $store_u8 (i64.const 16) (i32.const 1))"],
  ["length", "length", "(param i64) (result i64)", "(drop (call $length (i64.const 16)))"],
  ["get_log_level", "get_log_level", "(result i32)", "(drop (call $get_log_level))"],
  ["config_get", "config_get", "(param i64) (result i64)", "(drop (call $config_get (i64.const 16)))"],
  ["free of nothing", "free", "(param i64)", "(call $free (i64.const 99))"],
  ["alloc of a byte", "alloc", "(param i64) (result i64)", "(drop (call $alloc (i64.const 1)))"],
  ["alloc of 64 KiB", "alloc", "(param i64) (result i64)", "(drop (call $alloc (i64.const 65536)))"],
  [
    "output_set of the input",
    "output_set",
    "(param i64 i64)",
    "(call $output_set (i64.const 16) (i64.const 200000))",
  ],
  ["error_set of the input", "error_set", "(param i64)", "(call $error_set (i64.const 16))"],
];
const host: Case[] = HOST.map(([what, name, type, body]) => ({ what, body, more: `;;${name} ${type}` }));

function moduleOf({ body, more = "", copies = COPIES }: Case): Uint8Array {
  const declared = /^;;(\w+) (.*)$/.exec(more);
  const [, name = "", type = ""] = declared ?? [];
  return wasm(`(module ${declared === null ? "" : imported(name, type)} (type $void (func))
    (global (mut i32) (i32.const 0)) (global (mut i64) (i64.const 0)) (global (mut f32) (f32.const 0)) (global (mut f64) (f64.const 0))
    (memory (export "memory") 256) (table 10000 10000 funcref) (elem (i32.const 2) func $leaf $longer)
    ${declared === null ? more : ""}
    (func $leaf) (func $wide (local ${"i64 ".repeat(2_000)}) (loop $l)) (func $looping (loop $l)) (func $longer (local $i i32) ${"(local.set $i (i32.mul (local.get $i) (i32.const 3)))".repeat(24)})
    (func (export "plan") (result i32) (local $i i32) (local $l i64) (local $f f32) (local $d f64)
      (local.set $f (f32.const 1.5)) (local.set $d (f64.const 1.5)) (local.set $l (i64.const 12345))
      (loop $more ${body.repeat(copies)} (global.set 0 (local.get $i)) (global.set 1 (local.get $l)) (global.set 2 (local.get $f)) (global.set 3 (local.get $d))
        (br $more)) (i32.const 0)))`);
}

/** Milliseconds until a step ended, and how: twice, the second with everything compiled. */
function measure(one: Case): { ms: number; code: string } {
  const algorithm = compile(moduleOf(one));
  const input = JSON.stringify("x".repeat(250_000));
  let last = { ms: 0, code: "" };
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    let code = "ended";
    try {
      runStep(algorithm, { step: "plan", input, fuel: FUEL });
    } catch (thrown) {
      code = asFault(thrown).code;
    }
    last = { ms: performance.now() - began, code };
  }
  return last;
}

/** How many of the slowest stand in the table. */
const SHOWN = 8;

/** What metering costs, and how long fuel lasts at the most: the slowest instructions and functions of the host. */
export function benchFuel(threshold: string): Row[] {
  const slowest = [...instructions, ...host]
    .map((one) => ({ what: one.what, ...measure(one) }))
    .sort((first, second) => second.ms - first.ms);
  const metered = [2, 40, 160].map((nodes) => {
    const names = Array.from({ length: nodes }, (_, at) => `node-${at}`);
    const input = inputOf({
      topology: { nodes: names.map((name) => nodeOf(name, 2)), edges: [] },
      sources: { rates: valuesOf(...names.map((name) => sampleOf(name, 420))) },
      history: [],
    });
    const text = JSON.stringify(input);
    const { plainUs, meteredUs, ratio, fuel } = overhead(threshold, "plan", text);
    return {
      what: `metering a step of ${(text.length / 1_024).toFixed(1)} KB: without, with, ratio, fuel`,
      figure: `${plainUs.toFixed(0)} us, ${meteredUs.toFixed(0)} us, ${ratio.toFixed(3)}, ${fuel}`,
    };
  });
  return [
    ...metered,
    ...slowest.slice(0, SHOWN).map(({ what, ms, code }) => ({
      what: `${FUEL / 1e6} M fuel at the worst: ${what}`,
      figure: `${ms.toFixed(0)} ms, ${code}`,
    })),
  ];
}
