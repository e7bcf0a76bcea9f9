import { hostile, unusable, type Hostile } from "./hostile.ts";
import { answering, doing, imported } from "./wat.ts";

const IMPORTS = `${imported("alloc", "(param i64) (result i64)")} ${imported("store_u8", "(param i64 i32)")} ${imported("output_set", "(param i64 i64)")}`;
const says = (does: string, plan: string, verdict: Hostile["verdict"], id: string) =>
  hostile(id, does, () => answering({ plan }), verdict);
const passes = (id: string, does: string, plan: string) => says(does, plan, { answer: plan }, id);

/** A module that answers these bytes, whatever text they are. */
function bytes(...given: readonly number[]): Uint8Array {
  const stores = given.map(
    (byte, at) => `(call $store_u8 (i64.add (local.get $b) (i64.const ${at})) (i32.const ${byte}))`,
  );
  return doing(
    `(local $b i64) (local.set $b (call $alloc (i64.const ${given.length}))) ${stores.join(" ")} (call $output_set (local.get $b) (i64.const ${given.length}))`,
    IMPORTS,
  );
}
/** A module that answers `{"bits":"<16 hexadecimal digits>"}`: the bits of a number. */
const showing = (number: string) =>
  doing(
    `(local $b i64) (local $n i64) (local $at i64) (local.set $n ${number}) (local.set $b (call $alloc (i64.const 27)))
    ${[...'{"bits":"'].map((one, at) => `(call $put (i64.add (local.get $b) (i64.const ${at})) (i32.const ${one.charCodeAt(0)}))`).join(" ")}
    (loop $next
      (call $put (i64.add (local.get $b) (i64.add (local.get $at) (i64.const 9)))
        (call $digit (i32.wrap_i64 (i64.and (i64.shr_u (local.get $n) (i64.sub (i64.const 60) (i64.shl (local.get $at) (i64.const 2)))) (i64.const 15)))))
      (br_if $next (i64.lt_u (local.tee $at (i64.add (local.get $at) (i64.const 1))) (i64.const 16))))
    (call $put (i64.add (local.get $b) (i64.const 25)) (i32.const 34)) (call $put (i64.add (local.get $b) (i64.const 26)) (i32.const 125))
    (call $output_set (local.get $b) (i64.const 27))`,
    IMPORTS.replace("$store_u8", "$put"),
    `(func $digit (param i32) (result i32) (i32.add (local.get 0) (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get 0) (i32.const 10)))))
     (global $counter (mut i64) (i64.const 0))`,
  );
const shows = (id: string, does: string, number: string, bits: string) =>
  hostile(id, does, () => showing(number), { answer: `{"bits":"${bits}"}` });
const NAN = "7ff8000000000000";

/** Whoever answers what is no answer, or what should not be the same every time and is. */
export const OUTPUT: readonly Hostile[] = [
  hostile(
    "H11",
    "counts in a global: each pass begins at nothing",
    () =>
      showing("(global.set $counter (i64.add (global.get $counter) (i64.const 1))) (global.get $counter)"),
    { answer: '{"bits":"0000000000000001"}' },
  ),
  passes(
    "H24",
    "names what every object has",
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"nodes":{}}',
  ),
  says(
    "carries a prototype that is too long",
    `{"carry":{"__proto__":"${"x".repeat(17_000)}"}}`,
    unusable("its carry is longer than 16384 bytes"),
    "H24",
  ),
  says(
    "nests two hundred thousand lists",
    `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    unusable("nested more than 32 deep"),
    "H25",
  ),
  says(
    "nests 33 deep",
    `${'{"a":'.repeat(33)}1${"}".repeat(33)}`,
    unusable("nested more than 32 deep"),
    "H25",
  ),
  says("opens two hundred thousand lists", "[".repeat(200_000), unusable("nested more than 32 deep"), "H25"),
  passes(
    "H26",
    "says a thing twice: what it means is decided where plans are read",
    '{"replicas":3,"replicas":3000}',
  ),
  passes("H26", "has half a character, escaped", '{"reason":"\\ud800"}'),
  hostile(
    "H26",
    "begins with a byte order mark",
    () => bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d),
    unusable("it is not JSON"),
  ),
  hostile("H26", "is no UTF-8", () => bytes(0x7b, 0x22, 0xff, 0x22, 0x7d), unusable("it is not UTF-8")),
  hostile(
    "H26",
    "has half a character, as bytes",
    () => bytes(0x22, 0xed, 0xa0, 0x80, 0x22),
    unusable("it is not UTF-8"),
  ),
  hostile(
    "H26",
    "writes its letters longer than they have to be",
    () => bytes(0xc1, 0xbb, 0x7d),
    unusable("it is not UTF-8"),
  ),
  hostile("H26", "ends with a zero", () => bytes(0x7b, 0x7d, 0), unusable("it is not JSON")),
  says("says NaN", '{"nodes":NaN}', unusable("it is not JSON"), "H27"),
  says("says Infinity", '{"nodes":-Infinity}', unusable("it is not JSON"), "H27"),
  says("is a list", "[]", unusable("it is not a JSON object"), "H27"),
  says("is null", "null", unusable("it is not a JSON object"), "H27"),
  says("is a number", "5", unusable("it is not a JSON object"), "H27"),
  says("is a text", '"5 replicas"', unusable("it is not a JSON object"), "H27"),
  says("is a function call", "eval('1')", unusable("it is not JSON"), "H27"),
  passes(
    "H27",
    "says 1e400 and -0: refused where plans are read",
    '{"nodes":{"a":{"parallelism":1e400},"b":{"parallelism":-0}}}',
  ),
  passes("H28", "says 2^53+1, and it is spelled as it was", '{"nodes":{},"carry":9007199254740993}'),
  hostile(
    "H08",
    "answers half a mebibyte",
    () => doing("(call $output_set (call $alloc (i64.const 524288)) (i64.const 524288))", IMPORTS),
    unusable("it has 524288 bytes, more than 262144"),
  ),
  hostile(
    "H08",
    "answers 256 KiB of zeros",
    () => doing("(call $output_set (call $alloc (i64.const 262144)) (i64.const 262144))", IMPORTS),
    unusable("it is not JSON"),
  ),
  says(
    "carries a hundred thousand numbers",
    `{"carry":[${"1,".repeat(100_000)}1]}`,
    unusable("its carry is longer than 16384 bytes"),
    "X80",
  ),
  passes(
    "X80",
    "has twenty thousand names",
    `{${Array.from({ length: 20_000 }, (_, at) => `"${at.toString(36)}":0`).join(",")}}`,
  ),
  shows(
    "X81",
    "adds two numbers that are none",
    "(i64.reinterpret_f64 (f64.add (f64.reinterpret_i64 (i64.const 0x7ff4000000000001)) (f64.reinterpret_i64 (i64.const 0xfff8000000000007))))",
    NAN,
  ),
  shows("X81", "divides zero by zero", "(i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0)))", NAN),
  shows(
    "X81",
    "turns the sign of what is no number",
    "(i64.reinterpret_f64 (f64.neg (f64.const nan:0x123)))",
    NAN,
  ),
  shows(
    "X81",
    "copies the sign of what is no number",
    "(i64.reinterpret_f64 (f64.copysign (f64.const 1) (f64.neg (f64.const nan))))",
    "3ff0000000000000",
  ),
  shows(
    "X81",
    "stores what is no number",
    "(f64.store (i32.const 0) (f64.sqrt (f64.const -1))) (i64.load (i32.const 0))",
    NAN,
  ),
  shows(
    "X81",
    "stores what is no short number, byte by byte",
    "(f32.store (i32.const 0) (f32.neg (f32.const nan:0x1))) (i64.load (i32.const 0))",
    "000000007fc00000",
  ),
  shows(
    "X81",
    "lengthens what is no short number",
    "(i64.reinterpret_f64 (f64.promote_f32 (f32.const nan:0x1)))",
    NAN,
  ),
  shows(
    "X81",
    "puts what is no number through a vector",
    "(i64x2.extract_lane 0 (v128.load (i32.const 0)))",
    "0000000000000000",
  ),
];
