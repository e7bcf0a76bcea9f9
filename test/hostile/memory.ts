import { BLOCKS, FUEL, hostile, trapped, unusable, type Hostile } from "./hostile.ts";
import { doing, imported, wasm } from "./wat.ts";

const ALLOC = imported("alloc", "(param i64) (result i64)");
const FREE = imported("free", "(param i64)");
const count = (to: number, work: string, first = "") =>
  `(local $i i32) ${first} (loop $more ${work} (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const ${to}))))`;
const NO_ANSWER = unusable("it gave no answer");
const FULL = ["MemoryExceeded", "needs more than the 16384 KiB of memory that it may have"] as const;

/** Whoever wants more memory than there is for it. */
export const MEMORY: readonly Hostile[] = [
  hostile(
    "H01",
    "grows its memory to 2 GiB at once and touches every page",
    () =>
      doing(
        count(
          32_768,
          "(i32.store (i32.shl (local.get $i) (i32.const 16)) (i32.const 1))",
          "(drop (memory.grow (i32.const 32767)))",
        ),
      ),
    FULL,
  ),
  hostile(
    "H01",
    "grows its memory page by page and touches every one",
    () =>
      doing(
        count(
          60_000,
          "(drop (memory.grow (i32.const 1))) (i32.store (i32.shl (local.get $i) (i32.const 16)) (i32.const 1))",
        ),
      ),
    FULL,
  ),
  hostile(
    "H01",
    "grows its memory in its start function",
    () =>
      doing(
        "",
        "",
        "(func $s (drop (memory.grow (i32.const 255))) (if (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)) (then unreachable))) (start $s)",
      ),
    NO_ANSWER,
  ),
  hostile(
    "H03",
    "asks for memory until it gives up",
    () =>
      doing(`(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable`),
    FULL,
  ),
  hostile(
    "H03",
    "traps in a memory that was large from the start",
    () => wasm('(module (memory (export "memory") 256) (func (export "plan") (result i32) unreachable))'),
    trapped("unreachable"),
  ),
  hostile(
    "H03",
    "asks for memory for ever, whatever it is told",
    () => doing("(loop $more (drop (memory.grow (i32.const 65536))) (br $more))"),
    FUEL,
  ),
  hostile(
    "H05",
    "grows a table by ten million",
    () =>
      doing(
        "(if (i32.ge_s (table.grow (ref.null func) (i32.const 9999998)) (i32.const 0)) (then unreachable))",
        "",
        "(table 2 funcref)",
      ),
    NO_ANSWER,
  ),
  hostile(
    "H05",
    "grows four tables until they are full",
    () =>
      doing(
        [0, 1, 2, 3]
          .map(
            (at) =>
              `(if (i32.lt_s (table.grow ${at} (ref.null func) (i32.const 10000)) (i32.const 0)) (then unreachable)) (if (i32.ge_s (table.grow ${at} (ref.null func) (i32.const 1)) (i32.const 0)) (then unreachable))`,
          )
          .join(" "),
        "",
        "(table 0 funcref) ".repeat(4),
      ),
    NO_ANSWER,
  ),
  hostile(
    "H06",
    "makes two thousand blocks of a mebibyte",
    () => doing(count(2_000, "(drop (call $alloc (i64.const 1048576)))"), ALLOC),
    BLOCKS,
  ),
  hostile(
    "H07",
    "makes a block of eight petabytes",
    () => doing("(drop (call $alloc (i64.const 9007199254740992)))", ALLOC),
    BLOCKS,
  ),
  hostile(
    "H07",
    "makes a block of a negative size",
    () => doing("(drop (call $alloc (i64.const -1)))", ALLOC),
    BLOCKS,
  ),
  hostile(
    "H07",
    "makes a block of the smallest number",
    () => doing("(drop (call $alloc (i64.const -9223372036854775808)))", ALLOC),
    BLOCKS,
  ),
  hostile(
    "H09",
    "makes a million blocks of a byte",
    () => doing(count(1_000_000, "(drop (call $alloc (i64.const 1)))"), ALLOC),
    BLOCKS,
  ),
  hostile(
    "H09",
    "makes a million blocks of a byte and gives each back",
    () => doing(count(1_000_000, "(call $free (call $alloc (i64.const 1)))"), ALLOC + FREE),
    FUEL,
  ),
  hostile(
    "H09",
    "makes blocks of nothing for ever",
    () => doing("(loop $more (drop (call $alloc (i64.const 0))) (br $more))", ALLOC),
    FUEL,
  ),
  hostile(
    "X60",
    "makes blocks in its start function",
    () => doing("", ALLOC, "(func $s (loop $more (drop (call $alloc (i64.const 1))) (br $more))) (start $s)"),
    BLOCKS,
  ),
  hostile(
    "X61",
    "copies beyond its memory",
    () => doing("(memory.copy (i32.const 0) (i32.const 65535) (i32.const 2))"),
    trapped("memory access out of bounds"),
  ),
  hostile(
    "X61",
    "fills four gigabytes",
    () => doing("(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))"),
    FUEL,
  ),
  hostile(
    "X61",
    "copies four gigabytes",
    () => doing("(memory.copy (i32.const 0) (i32.const 0) (i32.const -1))"),
    FUEL,
  ),
  hostile(
    "X61",
    "copies a segment that it dropped",
    () =>
      doing(
        "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))",
        "",
        '(data $d "abc")',
      ),
    trapped("memory access out of bounds"),
  ),
  hostile(
    "X61",
    "reads at the end of the address space",
    () => doing("(drop (i64.load offset=4294967295 (i32.const -1)))"),
    trapped("memory access out of bounds"),
  ),
  hostile(
    "X62",
    "calls what is not in its table",
    () => doing("(call_indirect (type $t) (i32.const -1))", "", "(type $t (func)) (table 1 funcref)"),
    trapped("table index is out of bounds"),
  ),
  hostile(
    "X62",
    "calls what has another type",
    () =>
      doing(
        "(call_indirect (type $t) (i64.const 0) (i32.const 0))",
        "",
        "(type $t (func (param i64))) (table 1 funcref) (func $f) (elem (i32.const 0) $f)",
      ),
    trapped("null function or function signature mismatch"),
  ),
];
