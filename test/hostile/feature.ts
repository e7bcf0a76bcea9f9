import { join, moduleOf, running, times } from "./bytes.ts";
import { hostile, refused, unusable, type Hostile } from "./hostile.ts";
import { wasm } from "./wat.ts";

const STEP = '(func (export "plan") (result i32) (i32.const 0))';
const having = (what: string, features: Readonly<Record<string, boolean>> = {}) =>
  wasm(`(module ${what} ${STEP})`, features);
const one = (type: string, code: string) => having(`(func (result ${type}) ${code})`, { simd: true });
/** Types 0 and 1 as always, then as many of `() -> ()` that any small number is one. */
const MANY_TYPES = join([0x40, 0x60, 0, 1, 0x7f], times(0x3f, [0x60, 0, 0]));
/** `loop`, of the type 1, and a branch to it: for ever. */
const LOOP = [0x03, 0x01, 0x0c, 0x00, 0x0b];

/** Parts of the language that are not offered: each is refused by its name. */
export const FEATURE: readonly Hostile[] = [
  hostile(
    "H19",
    "waits for a shared memory",
    () =>
      having(
        "(memory 1 1 shared) (func (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))",
        { threads: true },
      ),
    refused("it uses threads"),
  ),
  hostile(
    "H19",
    "adds to an unshared memory atomically",
    () =>
      having("(memory 1) (func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))", { threads: true }),
    refused("it uses threads"),
  ),
  hostile(
    "X50",
    "has a memory of 64 bits",
    () => having("(memory i64 1)", { memory64: true }),
    refused("it uses memory64"),
  ),
  hostile(
    "X50",
    "has two memories",
    () => having("(memory 1) (memory 1)", { multi_memory: true }),
    refused("it has 2 memories, more than 1"),
  ),
  hostile("X50", "uses relaxed SIMD", () => running([0xfd, 0x80, 0x02]), refused("relaxed SIMD")),
  hostile(
    "X50",
    "adds vectors of floats",
    () => one("v128", "(f64x2.add (v128.const i64x2 0 0) (v128.const i64x2 0 0))"),
    refused("SIMD with floats"),
  ),
  hostile(
    "X50",
    "makes a vector of a float",
    () => one("v128", "(f32x4.splat (f32.const nan))"),
    refused("SIMD with floats"),
  ),
  hostile(
    "X50",
    "throws",
    () => having("(tag $t) (func (throw $t))", { exceptions: true }),
    refused("it uses exceptions"),
  ),
  hostile(
    "X50",
    "catches everything, in the old way",
    () => having("(func (try (do nop) (catch_all nop)))", { exceptions: true }),
    refused("it uses exceptions"),
  ),
  hostile(
    "X50",
    "catches everything, in the new way",
    () => running([0x1f, 0x40, 1, 2, 0, 0x0b]),
    refused("it uses exceptions"),
  ),
  hostile(
    "X50",
    "calls itself at its end",
    () => having("(func $f (return_call $f))", { tail_call: true }),
    refused("it uses tail calls"),
  ),
  hostile("X50", "makes an object", () => running([0xfb, 0, 1, 0x1a]), refused("it uses garbage collection")),
  hostile(
    "X50",
    "has a type of an object",
    () => moduleOf({ types: [2, 0x60, 0, 1, 0x7f, 0x5f, 0] }),
    refused("types of garbage collection"),
  ),
  hostile(
    "X50",
    "has types that name each other",
    () => moduleOf({ types: [1, 0x4e, 2, 0x60, 0, 1, 0x7f, 0x60, 0, 0] }),
    refused("types of garbage collection"),
  ),
  hostile(
    "X50",
    "calls a typed reference",
    () => running([0xd2, 0, 0x14, 0, 0x1a]),
    refused("typed function references"),
  ),
  hostile(
    "X50",
    "has a local of a typed reference",
    () => running([], [1, 1, 0x63, 0]),
    refused("a type of value, 0x63, that is not offered"),
  ),
  hostile(
    "X50",
    "adds numbers of 128 bits",
    () => running([0xfc, 19]),
    refused("0xfc13, which is not known"),
  ),
  hostile(
    "X51",
    "hides a loop behind a block of a typed reference",
    () =>
      // Read as if the type had one byte, `0x20` is `local.get`, and the loop behind it its operand.
      running(join([0x02, 0x63, 0x20], LOOP, [0xd0, 0x20, 0x0b, 0x1a]), [0], { types: MANY_TYPES }),
    refused("typed function references"),
  ),
  hostile(
    "X51",
    "hides a loop behind a choice between typed references",
    () =>
      running(join([0xd0, 0x20, 0xd0, 0x20, 0x41, 0, 0x1c, 1, 0x63, 0x20], LOOP, [0x1a]), [0], {
        types: MANY_TYPES,
      }),
    refused("typed function references"),
  ),
  hostile(
    "X52",
    "leaves a block with a thousand values",
    () => {
      const type = join([3, 0x60, 0, 1, 0x7f, 0x60, 0, 0, 0x60, 0], [0xe8, 0x07], times(1_000, [0x7f]));
      return running(join([0x02, 2], times(1_000, [0x41, 0]), [0x0b], times(1_000, [0x1a])), [0], {
        types: type,
      });
    },
    unusable("it gave no answer"),
  ),
];
