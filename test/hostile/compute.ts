import { body, join, moduleOf, name, times, u32 } from "./bytes.ts";
import { FUEL, hostile, refused, STACK, type Hostile } from "./hostile.ts";
import { doing, imported } from "./wat.ts";

const forever = (work: string) => `(loop $more ${work} (br $more))`;
const again = (count: number, work: string) => Array.from({ length: count }, () => work).join(" ");
const storm = (work: string, more = "", imports = "") => doing(forever(again(50, work)), imports, more);

/** Functions that do this, so many of them, each called once by the step. */
function manyCalled(count: number, code: readonly number[] | Uint8Array): Uint8Array {
  const calls = join(...Array.from({ length: count }, (_, at) => [0x10, ...u32(at + 1)]));
  return moduleOf({
    functions: join(u32(count + 1), [0], times(count, [1])),
    code: join(u32(count + 1), body(join(calls, [0x41, 0])), times(count, body(code))),
  });
}

/** What never ends, or takes long: the verdict is the fuel's, never the clock's. */
export const COMPUTE: readonly Hostile[] = [
  hostile("H14", "loops for ever", () => doing("(loop $l (br $l))"), FUEL),
  hostile("H14", "loops for ever by br_table", () => doing("(loop $l (br_table $l $l (i32.const 0)))"), FUEL),
  hostile(
    "H14",
    "loops for ever behind a condition",
    () => doing("(loop $l (if (i32.const 1) (then (br $l))))"),
    FUEL,
  ),
  hostile(
    "H15",
    "loops in its start function",
    () => doing("", "", "(func $s (loop $l (br $l))) (start $s)"),
    FUEL,
  ),
  hostile(
    "H15",
    "loops in _initialize",
    () => doing("", "", '(func (export "_initialize") (loop $l (br $l)))'),
    FUEL,
  ),
  hostile(
    "H15",
    "loops in hs_init",
    () => doing("", "", '(func (export "hs_init") (loop $l (br $l)))'),
    FUEL,
  ),
  hostile("H16", "calls itself", () => doing("(call $f)", "", "(func $f (call $f))"), STACK),
  hostile(
    "H16",
    "calls itself before anything runs",
    () => doing("", "", "(func $f (call $f)) (start $f)"),
    STACK,
  ),
  hostile(
    "H16",
    "calls itself through a table",
    () =>
      doing(
        "(call $f)",
        "",
        "(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f) (func $f (call_indirect (type $t) (i32.const 0)))",
      ),
    STACK,
  ),
  hostile(
    "X01",
    "calls itself in a circle of three",
    () => doing("(call $a)", "", "(func $a (call $b)) (func $b (call $c)) (func $c (call $a))"),
    STACK,
  ),
  hostile(
    "X02",
    "calls itself with a thousand parameters",
    () => {
      const given = again(1_000, "(local.get 0)");
      return doing(
        `(call $f ${again(1_000, "(i64.const 1)")})`,
        "",
        `(func $f (param ${again(1_000, "i64")}) (call $f ${given}))`,
      );
    },
    STACK,
  ),
  hostile(
    "X03",
    "asks the host at every depth until the stack is full",
    () =>
      doing(
        "(call $f)",
        imported("alloc", "(param i64) (result i64)"),
        "(func $f (drop (call $alloc (i64.const 1))) (call $f))",
      ),
    STACK,
  ),
  hostile(
    "X04",
    "branches out of a thousand calls again and again",
    () =>
      doing(
        forever("(call $f (i32.const 1000))"),
        "",
        "(func $f (param i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))))))",
      ),
    FUEL,
  ),
  hostile(
    "X05",
    "calls functions too short to be metered on their own",
    () => storm("(call $f)", "(func $f)"),
    FUEL,
  ),
  hostile(
    "X06",
    "calls the host through functions too short to be metered on their own",
    () =>
      storm(
        "(call $f)",
        `(func $f ${again(15, "(drop (call $input_length))")})`,
        imported("input_length", "(result i64)"),
      ),
    FUEL,
  ),
  hostile(
    "X07",
    "makes blocks through functions too short to be metered on their own",
    () =>
      storm(
        "(call $f)",
        `(func $f ${again(15, "(drop (call $alloc (i64.const 0)))")})`,
        imported("alloc", "(param i64) (result i64)"),
      ),
    FUEL,
  ),
  hostile(
    "H58",
    "has 400 functions of 9 KB that are each called once",
    () => manyCalled(400, times(3_000, [0x41, 0, 0x1a])),
    ["OutputInvalid", "gave no answer"],
  ),
  hostile(
    "X29",
    "has 50,000 functions but one, each called once",
    () => manyCalled(49_998, times(20, [0x41, 0, 0x1a])),
    ["ArtifactInvalid", "bytes, more than 131072"],
  ),
  hostile(
    "X30",
    "has 25 functions of 120 KB of loops, each called once",
    () => manyCalled(25, times(40_000, [0x03, 0x40, 0x0b])),
    refused("it has too many loops"),
  ),
  hostile(
    "X31",
    "asks the host for nothing",
    () => storm("(drop (call $input_length))", "", imported("input_length", "(result i64)")),
    FUEL,
  ),
  hostile(
    "X32",
    "reads its input",
    () =>
      storm(
        "(drop (call $input_load_u64 (i64.const 0)))",
        "",
        imported("input_load_u64", "(param i64) (result i64)"),
      ),
    FUEL,
  ),
  hostile(
    "X33",
    "gives blocks back that it never had",
    () => storm("(call $free (i64.const 99))", "", imported("free", "(param i64)")),
    FUEL,
  ),
  hostile(
    "X34",
    "gives answers of 256 KiB",
    () =>
      doing(
        `(local $b i64) (local.set $b (call $alloc (i64.const 262144))) ${forever("(call $output_set (local.get $b) (i64.const 262144))")}`,
        imported("alloc", "(param i64) (result i64)") + imported("output_set", "(param i64 i64)"),
      ),
    FUEL,
  ),
  hostile(
    "X35",
    "reports errors of 4 MiB",
    () =>
      doing(
        `(local $b i64) (local.set $b (call $alloc (i64.const 4194304))) ${forever("(call $error_set (local.get $b))")}`,
        imported("alloc", "(param i64) (result i64)") + imported("error_set", "(param i64)"),
      ),
    FUEL,
  ),
  hostile(
    "X36",
    "fills its table four hundred times while it is instantiated",
    () =>
      moduleOf({
        table: [1, 0x70, 0, ...u32(10_000)],
        elements: join(u32(400), times(400, join([0, 0x41, 0, 0x0b], u32(10_000), times(10_000, [0])))),
      }),
    refused("its element segments have 50000 entries, more than 40000"),
  ),
  hostile(
    "X37",
    "exports its loop as every name that is called",
    () =>
      moduleOf({
        exports: join([3], name("plan"), [0, 0], name("_initialize"), [0, 0], name("hs_init"), [0, 0]),
        code: join([1], body([0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0])),
      }),
    FUEL,
  ),
];
