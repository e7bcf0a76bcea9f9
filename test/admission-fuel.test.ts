import { describe, expect, test } from "vitest";
import { run } from "./admission/run.ts";
import { wasm } from "./hostile/wat.ts";

const PLAN = '(func (export "plan") (result i32) (i32.const 0))';
const module = (parts: string) => wasm(`(module ${parts} ${PLAN})`);
const EXHAUSTED = "unreachable";
/** The fuel that a function burns which is called `f`. */
const burned = (parts: string, given: readonly unknown[] = []) => run(module(parts), "f", given).fuel;
const f = (body: string) => `(func (export "f") ${body})`;

describe("fuel", () => {
  test("is 1 for a function that does nothing, and 1 for each plain instruction", () => {
    expect(burned(f(""))).toBe(1);
    expect(burned(f("(nop) (nop) (nop)"))).toBe(4);
    expect(burned(f("(drop (i32.add (i32.const 1) (i32.const 2)))"))).toBe(5);
  });

  test("is a quarter for each local, which a function sets to zero", () => {
    expect(burned(f(`(local ${"i64 ".repeat(400)})`))).toBe(1 + 100);
  });

  test("is charged for a loop each time round: ten rounds of seven instructions", () => {
    const loop = `(local $i i32) (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.lt_u (local.get $i) (i32.const 10))))`;
    // 1 at the entry; a round is 1 for its head and 8 instructions.
    expect(burned(f(loop))).toBe(1 + 10 * 9);
  });

  test("is more for what takes longer", () => {
    const of = (op: string, type: string) =>
      burned(f(`(drop (${op} (${type}.const 9) (${type}.const 7)))`)) -
      burned(f("(drop (i32.const 9)) (nop)"));
    expect(of("i32.add", "i32")).toBe(1);
    expect(of("i32.div_u", "i32")).toBe(12);
    expect(of("i64.rem_s", "i64")).toBe(24);
    expect(of("f64.div", "f64")).toBe(12);
  });

  test("of a short function is paid by who calls it, and once", () => {
    const leaf = "(func $leaf (nop) (nop) (nop) (nop))";
    expect(burned(`${leaf} ${f("(call $leaf)")}`)).toBe(1 + 4 + 5);
    // One that can be called from elsewhere pays by itself, with its entry.
    expect(burned(`(func $leaf (export "g") (nop) (nop) (nop) (nop)) ${f("(call $leaf)")}`)).toBe(1 + 4 + 5);
  });

  test("is not charged for much that stands behind a branch which is not taken", () => {
    const long = "(nop)".repeat(5_000);
    expect(burned(f(`(local i32) (if (local.get 0) (then ${long}))`))).toBeLessThan(210);
    expect(burned(f(`(local i32) (if (i32.const 1) (then ${long}))`))).toBeGreaterThan(5_000);
    // A switch of a hundred cases, each of a hundred instructions, of which one runs.
    const cases = 100;
    const blocks = `${"(block ".repeat(cases + 1)} (br_table ${Array.from({ length: cases + 1 }, (_, at) => at).join(" ")} (local.get 0))`;
    const bodies = `) ${"(nop)".repeat(100)} (return)`.repeat(cases);
    const one = burned(f(`(param i32) ${blocks} ${bodies})`), [50]);
    expect(one).toBeGreaterThan(100);
    expect(one).toBeLessThan(500);
  });

  test("is charged by length for what works on many bytes", () => {
    const fill = (bytes: number) =>
      burned(`(memory 1) ${f(`(memory.fill (i32.const 0) (i32.const 1) (i32.const ${bytes}))`)}`);
    expect(fill(40_000) - fill(0)).toBe(10_000);
    const grow = (pages: number) => burned(`(memory 1) ${f(`(drop (memory.grow (i32.const ${pages})))`)}`);
    expect(grow(2) - grow(0)).toBe(2 * 8_192);
    // What is refused anyway costs no more.
    expect(grow(60_000) - grow(0)).toBe(0);
    const copy = (elements: number) =>
      burned(`(table 1000 funcref) ${f(`(table.copy (i32.const 0) (i32.const 0) (i32.const ${elements}))`)}`);
    expect(copy(1_000) - copy(0)).toBe(32_000);
  });

  test.each([
    ["a loop", f("(loop $l (br $l))")],
    ["a loop in a loop", f("(loop $a (loop $b (br_if $b (i32.const 1))) (br $a))")],
    ["a loop of calls of a short function", `(func $s) ${f("(loop $l (call $s) (br $l))")}`],
    ["a start function", `(func $s (loop $l (br $l))) (start $s) ${f("")}`],
    [
      "a call in a table",
      `(table 1 funcref) (elem (i32.const 0) $r) (type $t (func)) (func $r (loop $l (br $l))) ${f("(call_indirect (type $t) (i32.const 0))")}`,
    ],
    [
      "filling memory",
      `(memory 4) ${f("(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 262144)) (br $l))")}`,
    ],
  ])("ends %s, and leaves it just below zero", (_what, parts) => {
    const { trap, fuel } = run(module(parts), "f", [], 1_000_000);
    expect(trap).toBe(EXHAUSTED);
    expect(fuel).toBeGreaterThan(1_000_000);
    expect(fuel).toBeLessThan(1_100_000);
  });

  test("or the stack ends two functions that call each other", () => {
    const parts = `(func $a (call $b)) (func $b (export "f") (call $a))`;
    expect(run(module(parts), "f", [], 1_000).trap).toBe(EXHAUSTED);
    expect(run(module(parts), "f", [], 1_000_000_000).trap).toBe("Maximum call stack size exceeded");
  });

  test("is the same in every run", () => {
    const parts = `(memory 1) (func $fib (param $n i32) (result i32)
      (if (result i32) (i32.lt_u (local.get $n) (i32.const 2)) (then (local.get $n))
        (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
      (func (export "f") (result i32) (call $fib (i32.const 16)))`;
    const runs = Array.from({ length: 3 }, () => run(module(parts), "f"));
    expect(runs.map(({ result }) => result)).toEqual([987, 987, 987]);
    expect(new Set(runs.map(({ fuel }) => fuel)).size).toBe(1);
  });
});

describe("a memory and a table", () => {
  test("grow to the limit and no further, or to what the module itself allows", () => {
    const grow = '(func (export "f") (param i32) (result i32) (memory.grow (local.get 0)))';
    expect(run(module(`(memory 1) ${grow}`), "f", [3]).result).toBe(1);
    expect(run(module(`(memory 1) ${grow}`), "f", [4]).result).toBe(-1);
    expect(run(module(`(memory 1 2) ${grow}`), "f", [2]).result).toBe(-1);
    const table = '(func (export "f") (param i32) (result i32) (table.grow 0 (ref.null func) (local.get 0)))';
    expect(run(module(`(table 1 funcref) ${table}`), "f", [9_999]).result).toBe(1);
    expect(run(module(`(table 1 funcref) ${table}`), "f", [10_000]).result).toBe(-1);
  });
});

describe("the bits of a NaN", () => {
  const bits = (text: string) => {
    const { result } = run(module(`(memory 1) (func (export "f") (result i64) ${text})`), "f");
    return BigInt.asUintN(64, result as bigint).toString(16);
  };
  const load = "(i64.load (i32.const 0))";
  test.each([
    ["stored", "(f64.store (i32.const 0) (f64.const -nan:0x123)) ", load, "7ff8000000000000"],
    ["computed", "(f64.store (i32.const 0) (f64.div (f64.const 0) (f64.const 0)))", load, "7ff8000000000000"],
    ["reinterpreted", "", "(i64.reinterpret_f64 (f64.const -nan:0xdead))", "7ff8000000000000"],
    [
      "stored as 32 bits",
      "(f32.store (i32.const 0) (f32.const -nan:0x123))",
      "(i64.load32_u (i32.const 0))",
      "7fc00000",
    ],
    [
      "reinterpreted as 32 bits",
      "",
      "(i64.extend_i32_u (i32.reinterpret_f32 (f32.const -nan:0x77)))",
      "7fc00000",
    ],
    [
      "as a sign",
      "",
      "(i64.reinterpret_f64 (f64.copysign (f64.const 1) (f64.const -nan)))",
      "3ff0000000000000",
    ],
  ])("%s are those of the one quiet NaN", (_what, before, after, expected) => {
    expect(bits(`${before} ${after}`)).toBe(expected);
  });

  test("are left alone where they are no NaN: -0, infinity, the smallest number", () => {
    expect(bits("(f64.store (i32.const 0) (f64.const -0)) (i64.load (i32.const 0))")).toBe(
      "8000000000000000",
    );
    expect(bits("(i64.reinterpret_f64 (f64.const -inf))")).toBe("fff0000000000000");
    expect(bits("(i64.reinterpret_f64 (f64.const 0x1p-1074))")).toBe("1");
    expect(bits("(i64.reinterpret_f64 (f64.copysign (f64.const 1) (f64.const -0)))")).toBe(
      "bff0000000000000",
    );
  });
});
