import { FUEL, hostile, type Hostile } from "./hostile.ts";
import { doing, wasm } from "./wat.ts";

const forever = (work: string) => `(loop $more ${work} (br $more))`;
const again = (count: number, work: string) => Array.from({ length: count }, () => work).join(" ");
const storm = (work: string, more = "") => doing(forever(again(50, work)), "", more);
const FULL_MEMORY = '(memory (export "memory") 256)';
const inFull = (body: string, more = "") =>
  wasm(`(module ${FULL_MEMORY} ${more} (func (export "plan") (result i32) ${body} (i32.const 0)))`);
const fullStorm = (work: string, more = "") => inFull(forever(work), more);
/** A number that is made from itself for ever; it is stored, so that no compiler leaves it out. */
const keeping = (type: string, start: string, work: string) =>
  doing(
    `(local $x ${type}) (local.set $x ${start}) ${forever(`${again(50, `(local.set $x ${work})`)} (${type}.store (i32.const 0) (local.get $x))`)}`,
  );

/** A chain through 16 MiB in which each line of the cache names the next, far away; the step follows it for ever. */
const CHASE = inFullChase();
function inFullChase(): string {
  const load = again(100, "(i32.load");
  return `(local $i i32) (local $p i32)
    (loop $build
      (i32.store (i32.shl (local.get $i) (i32.const 6))
        (i32.shl (i32.and (i32.add (i32.mul (local.get $i) (i32.const 1103515245)) (i32.const 12345)) (i32.const 262143)) (i32.const 6)))
      (br_if $build (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 262144))))
    (loop $more (local.set $p ${load} (local.get $p) ${")".repeat(100)}) (br $more))`;
}

/** Instructions that take long for what they are, again and again: each has its weight in fuel. */
export const STORM: readonly Hostile[] = [
  hostile(
    "X08",
    "divides 64-bit numbers",
    () =>
      keeping(
        "i64",
        "(i64.const -1)",
        "(i64.div_s (i64.const -9223372036854775807) (i64.or (local.get $x) (i64.const 3)))",
      ),
    FUEL,
  ),
  hostile(
    "X09",
    "divides floats that are hardly there",
    () => keeping("f64", "(f64.const 0x1p-1060)", "(f64.div (local.get $x) (f64.const 1.0000001))"),
    FUEL,
  ),
  hostile(
    "X10",
    "multiplies floats that are hardly there",
    () => keeping("f64", "(f64.const 0x1p-1030)", "(f64.mul (local.get $x) (f64.const 1.0000001))"),
    FUEL,
  ),
  hostile(
    "X11",
    "multiplies short floats that are hardly there",
    () => keeping("f32", "(f32.const 0x1p-130)", "(f32.mul (local.get $x) (f32.const 1.0001))"),
    FUEL,
  ),
  hostile(
    "X12",
    "shortens floats to hardly anything",
    () => keeping("f64", "(f64.const 0x1p-140)", "(f64.promote_f32 (f32.demote_f64 (local.get $x)))"),
    FUEL,
  ),
  hostile(
    "X13",
    "takes square roots",
    () => keeping("f64", "(f64.const 2)", "(f64.sqrt (f64.add (local.get $x) (f64.const 0x1p-1060)))"),
    FUEL,
  ),
  hostile(
    "X14",
    "turns floats into whole numbers",
    () => keeping("f64", "(f64.const 1e18)", "(f64.convert_i64_u (i64.trunc_f64_u (local.get $x)))"),
    FUEL,
  ),
  hostile(
    "X15",
    "reads 16 MiB line by line in an order that no cache foresees",
    () => inFull(CHASE),
    // Memory is slower than any weight: what ends this is the clock, and it is recorded as not replayable.
    ["DeadlineExceeded", "and may use 250 ms"],
  ),
  hostile(
    "X16",
    "fills 16 MiB",
    () => fullStorm("(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))"),
    FUEL,
  ),
  hostile(
    "X17",
    "copies 16 MiB over itself",
    () => fullStorm("(memory.copy (i32.const 1) (i32.const 0) (i32.const 16777215))"),
    FUEL,
  ),
  hostile(
    "X18",
    "copies a data segment of a mebibyte",
    () =>
      fullStorm(
        "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 1000000))",
        `(data $d "${"a".repeat(1_000_000)}")`,
      ),
    FUEL,
  ),
  hostile(
    "X19",
    "fills a table",
    () => storm("(table.fill (i32.const 0) (ref.null func) (i32.const 10000))", "(table 10000 funcref)"),
    FUEL,
  ),
  hostile(
    "X20",
    "copies a table over itself",
    () => storm("(table.copy (i32.const 1) (i32.const 0) (i32.const 9999))", "(table 10000 funcref)"),
    FUEL,
  ),
  hostile(
    "X21",
    "fills a table from an element segment",
    () =>
      storm(
        "(table.init $e (i32.const 0) (i32.const 0) (i32.const 5000))",
        `(table 10000 funcref) (func $f) (elem $e func ${again(5_000, "$f")})`,
      ),
    FUEL,
  ),
  hostile(
    "X22",
    "grows what cannot grow",
    () => storm("(drop (memory.grow (i32.const 1)))", "(table 0 funcref)"),
    FUEL,
  ),
  hostile("X23", "grows a memory by nothing", () => storm("(drop (memory.grow (i32.const 0)))"), FUEL),
  hostile(
    "X24",
    "grows a table by nothing",
    () => storm("(drop (table.grow (ref.null func) (i32.const 0)))", "(table 0 funcref)"),
    FUEL,
  ),
  hostile(
    "X25",
    "takes references to functions",
    () =>
      storm("(table.set (i32.const 0) (ref.func $f))", "(func $f) (table 1 funcref) (elem declare func $f)"),
    FUEL,
  ),
  hostile(
    "X26",
    "calls through a table",
    () =>
      storm(
        "(call_indirect (type $t) (i32.const 1))",
        "(type $t (func)) (table 2 funcref) (elem (i32.const 1) $f) (func $f)",
      ),
    FUEL,
  ),
  hostile(
    "X27",
    "reads across the edges of pages",
    () => {
      const loads = Array.from(
        { length: 50 },
        (_, at) => `(drop (i64.load (i32.const ${4_096 * (at % 15) + 4_093})))`,
      ).join(" ");
      return doing(forever(loads));
    },
    FUEL,
  ),
  hostile(
    "X28",
    "chooses its way by numbers that no processor foresees",
    () =>
      doing(
        `(local $r i32) (loop $more ${again(20, "(local.set $r (i32.add (i32.mul (local.get $r) (i32.const 1664525)) (i32.const 1013904223))) (if (i32.lt_s (local.get $r) (i32.const 0)) (then (nop)))")} (br $more))`,
      ),
    FUEL,
  ),
  hostile(
    "H58",
    "multiplies vectors of whole numbers",
    () =>
      keeping(
        "v128",
        "(v128.const i64x2 3 5)",
        "(i64x2.mul (local.get $x) (i64x2.add (local.get $x) (local.get $x)))",
      ),
    FUEL,
  ),
  hostile(
    "H58",
    "shuffles and counts the bits of vectors",
    () =>
      keeping(
        "v128",
        "(v128.const i64x2 3 5)",
        "(i8x16.swizzle (i8x16.popcnt (local.get $x)) (i8x16.neg (local.get $x)))",
      ),
    FUEL,
  ),
];
