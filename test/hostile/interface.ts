import { BLOCKS, FUEL, hostile, trapped, unusable, type Hostile } from "./hostile.ts";
import { doing, imported } from "./wat.ts";

const I64 = "(param i64)";
const TYPES: Readonly<Record<string, string>> = {
  alloc: `${I64} (result i64)`,
  free: I64,
  length: `${I64} (result i64)`,
  load_u8: `${I64} (result i32)`,
  load_u64: `${I64} (result i64)`,
  store_u8: "(param i64 i32)",
  store_u64: "(param i64 i64)",
  input_offset: "(result i64)",
  input_length: "(result i64)",
  input_load_u8: `${I64} (result i32)`,
  input_load_u64: `${I64} (result i64)`,
  output_set: "(param i64 i64)",
  error_set: I64,
  config_get: `${I64} (result i64)`,
  var_get: `${I64} (result i64)`,
  var_set: "(param i64 i64)",
  http_request: "(param i64 i64) (result i64)",
  http_headers: "(result i64)",
  http_status_code: "(result i32)",
  log_info: I64,
};
const BATCH = '(import "sluice:host" "http_batch" (func $http_batch (param i64) (result i64)))';
/** A module whose step calls the host so; what it calls is imported. */
const calling = (code: string, more = "") => {
  const used = Object.keys(TYPES).filter(
    (name) => `${code} ${more}`.includes(`$${name} `) || `${code} ${more}`.includes(`$${name})`),
  );
  const imports = used.map((name) => imported(name, TYPES[name] ?? "")).join(" ");
  return doing(`(local $b i64) ${code}`, imports + (code.includes("$http_batch") ? BATCH : ""), more);
};
const asks = (id: string, does: string, code: string, verdict: Hostile["verdict"], more?: string) =>
  hostile(id, does, () => calling(code, more), verdict);

const NO_ANSWER = unusable("it gave no answer");
const NOWHERE = trapped("there is no block at");
const OUTSIDE = trapped("outside the bounds");
const denied = (words: string) => ["EffectDenied", words] as const;
const BLOCK = "(local.set $b (call $alloc (i64.const 8)))";
const MOST = "9223372036854775807";

/** Whoever gives the host arguments that mean nothing, or more than it can take. */
export const INTERFACE: readonly Hostile[] = [
  asks(
    "H08",
    "answers with 64 MiB",
    "(call $output_set (i64.const 16) (i64.const 67108864))",
    unusable("it has 67108864 bytes, more than 262144"),
  ),
  asks(
    "H08",
    "answers with 5 bytes more than the block has",
    `${BLOCK} (call $output_set (local.get $b) (i64.const 13))`,
    trapped("has 8 bytes, not 13"),
  ),
  asks(
    "H08",
    "answers with a negative length",
    `${BLOCK} (call $output_set (local.get $b) (i64.const -1))`,
    trapped("has 8 bytes, not -1"),
  ),
  asks(
    "H12",
    "logs 100 KB lines for ever",
    "(local $l i64) (loop $more (local.set $b (call $alloc (i64.const 100000))) (call $log_info (local.get $b)) (br $more))",
    BLOCKS,
  ),
  asks(
    "H12",
    "logs empty lines for ever",
    "(loop $more (call $log_info (call $alloc (i64.const 1))) (br $more))",
    FUEL,
  ),
  asks("H13", "logs a block that is not there", "(call $log_info (i64.const 4096))", NOWHERE),
  asks(
    "H13",
    "logs a block twice",
    `${BLOCK} (call $log_info (local.get $b)) (call $log_info (local.get $b))`,
    NOWHERE,
  ),
  hostile("H34", "returns 7 and reports nothing", () => doing("(return (i32.const 7))"), [
    "GuestFailed",
    "plan returned 7 and no error",
  ]),
  hostile(
    "H34",
    "returns -1 after it has answered",
    () => calling(`${BLOCK} (call $output_set (local.get $b) (i64.const 2)) (return (i32.const -1))`),
    ["GuestFailed", "plan returned -1 and no error"],
  ),
  asks("H34", "reports an error and returns 0", `${BLOCK} (call $error_set (local.get $b))`, [
    "GuestFailed",
    "plan: ",
  ]),
  asks(
    "H34",
    "takes its error back",
    `${BLOCK} (call $error_set (local.get $b)) (call $error_set (i64.const 0))`,
    NO_ANSWER,
  ),
  asks(
    "H35",
    "answers with a block that it gave back",
    `${BLOCK} (call $free (local.get $b)) (call $output_set (local.get $b) (i64.const 8))`,
    NOWHERE,
  ),
  asks(
    "H35",
    "answers with the middle of a block",
    `${BLOCK} (call $output_set (i64.add (local.get $b) (i64.const 1)) (i64.const 1))`,
    NOWHERE,
  ),
  asks("H35", "answers with a negative address", "(call $output_set (i64.const -16) (i64.const 1))", NOWHERE),
  asks(
    "H35",
    "answers with an address above 2^53",
    `(call $output_set (i64.const ${MOST}) (i64.const 1))`,
    NOWHERE,
  ),
  asks(
    "H35",
    "answers with nothing at all",
    "(call $output_set (i64.const 0) (i64.const 0))",
    unusable("it is not JSON"),
  ),
  asks("H35", "reports what is not there", "(call $error_set (i64.const 77))", NOWHERE),
  asks(
    "H35",
    "gives a block back twice and answers",
    `${BLOCK} (call $free (local.get $b)) (call $free (local.get $b)) (call $output_set (local.get $b) (i64.const 0))`,
    unusable("it is not JSON"),
  ),
  asks(
    "H35",
    "gives back its own input and reads it",
    "(call $free (call $input_offset)) (drop (call $input_load_u8 (i64.const 0)))",
    NO_ANSWER,
  ),
  hostile(
    "H35",
    "answers with its input",
    () => calling("(call $output_set (call $input_offset) (call $input_length))"),
    { answer: '{"api":"sluice/v1","step":"plan","topology":{"nodes":[]}}' },
    { texts: { topology: '{"nodes":[]}' } },
  ),
  asks(
    "H35",
    "asks for the lengths of what is not there",
    `(drop (call $length (i64.const -1))) (drop (call $length (i64.const ${MOST})))`,
    NO_ANSWER,
  ),
  asks("X70", "reads at a negative address", "(drop (call $load_u8 (i64.const -1)))", OUTSIDE),
  asks("X70", "reads at the largest address", `(drop (call $load_u64 (i64.const ${MOST})))`, OUTSIDE),
  asks("X70", "writes at a negative address", "(call $store_u64 (i64.const -8) (i64.const 1))", OUTSIDE),
  asks("X70", "writes behind the last block", "(call $store_u8 (i64.const 4194304) (i32.const 1))", OUTSIDE),
  asks("X70", "writes to address 0", "(call $store_u64 (i64.const 0) (i64.const -1))", NO_ANSWER),
  asks(
    "X70",
    "writes everywhere until the end of the blocks",
    "(loop $more (call $store_u8 (local.get $b) (i32.const 255)) (local.set $b (i64.add (local.get $b) (i64.const 1))) (br $more))",
    OUTSIDE,
  ),
  asks(
    "X70",
    "reads behind its input",
    "(drop (call $input_load_u8 (call $input_length)))",
    trapped("the input has"),
  ),
  asks(
    "X70",
    "reads before its input",
    "(drop (call $input_load_u64 (i64.const -1)))",
    trapped("the input has"),
  ),
  asks(
    "X70",
    "overwrites its input and reads it again",
    "(call $store_u64 (call $input_offset) (i64.const 0)) (drop (call $input_load_u64 (i64.const 0)))",
    NO_ANSWER,
  ),
  asks(
    "X71",
    "keeps a variable",
    "(call $var_set (i64.const 0) (i64.const 0))",
    denied("what is to be remembered is returned as carry"),
  ),
  asks(
    "X71",
    "keeps a variable and goes on",
    `(call $var_set (i64.const 0) (i64.const 0)) ${BLOCK} (call $output_set (local.get $b) (i64.const 2))`,
    denied("keep a variable"),
  ),
  asks(
    "X71",
    "asks for variables and configuration that are not there",
    "(drop (call $var_get (i64.const 0))) (drop (call $config_get (i64.const -1)))",
    NO_ANSWER,
  ),
  asks(
    "X72",
    "asks over HTTP without a grant",
    `${BLOCK} (drop (call $http_request (local.get $b) (i64.const 0)))`,
    denied("it tried to make an HTTP request"),
  ),
  asks(
    "X72",
    "asks over HTTP what is not there",
    "(drop (call $http_request (i64.const 0) (i64.const 0)))",
    denied("it tried to make an HTTP request"),
  ),
  asks(
    "X72",
    "asks over HTTP before it begins",
    "",
    denied("while it was initialised"),
    `(func $s (drop (call $http_request (i64.const 0) (i64.const 0)))) (start $s)`,
  ),
  asks(
    "X72",
    "asks over HTTP in _initialize",
    "",
    denied("while it was initialised"),
    `(func (export "_initialize") (drop (call $http_request (i64.const 0) (i64.const 0))))`,
  ),
  asks(
    "X72",
    "asks for many things at once without a grant",
    "(drop (call $http_batch (i64.const 0)))",
    denied("it tried to make an HTTP request"),
  ),
  asks(
    "X72",
    "reads the answer to nothing",
    "(drop (call $http_status_code)) (drop (call $http_headers))",
    NO_ANSWER,
  ),
  asks(
    "X73",
    "runs into its fuel in a function that the host calls first",
    "",
    FUEL,
    '(func (export "hs_init") (loop $more (drop (call $input_length)) (br $more)))',
  ),
];
const granted = { effects: async () => ({ status: 200, headers: {}, body: new Uint8Array() }) };
/** The same with a grant to ask over HTTP. */
export const GRANTED: readonly Hostile[] = [
  hostile(
    "H44",
    "asks with 64 KiB and one byte",
    () => calling("(drop (call $http_request (call $alloc (i64.const 65537)) (i64.const 0)))"),
    denied("a request has 65537 bytes, more than 65536"),
    granted,
  ),
  hostile(
    "H44",
    "asks with a body of 64 KiB and one byte",
    () => calling("(drop (call $http_request (call $alloc (i64.const 1)) (call $alloc (i64.const 65536))))"),
    denied("a request has 65537 bytes"),
    granted,
  ),
  hostile(
    "H44",
    "asks with 64 KiB of nothing",
    () => calling("(drop (call $http_request (call $alloc (i64.const 65536)) (i64.const 0)))"),
    denied("A request is not JSON"),
    granted,
  ),
  hostile(
    "H44",
    "asks with a block that is not there",
    () => calling("(drop (call $http_request (i64.const -1) (i64.const 99)))"),
    NOWHERE,
    granted,
  ),
  hostile(
    "H44",
    "asks for many things in no list",
    () => calling("(drop (call $http_batch (call $alloc (i64.const 2))))"),
    denied("A request is not JSON"),
    granted,
  ),
];
