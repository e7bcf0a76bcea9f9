import { FUEL, START, type Decoded } from "../../../host/engine/admission/index.ts";
import { Random } from "../random.ts";

/** What a module did: every call with what it gave back, and what was left when all were over. */
export interface Run {
  /** One for every call, until the fuel or the stack was full. */
  readonly calls: readonly string[];
  readonly memory: Uint8Array | undefined;
  readonly globals: readonly string[];
  /** Calls from outside that came to their end. */
  readonly finished: number;
  /** Why there are no more calls. */
  readonly ended: "" | "fuel" | "stack" | "start";
  readonly fuel: bigint;
}

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const CALLS_MOST = 12;

/** Runs a module's exports one after the other, in their order, with arguments that depend on the seed alone. */
export function run(
  bytes: Uint8Array,
  decoded: Decoded,
  seed: number,
  fuel: bigint,
  callsMost = CALLS_MOST,
): Run {
  const random = new Random(seed);
  const calls: string[] = [];
  const left = () =>
    (instance?.exports[FUEL] as (WebAssembly.Global & { value: bigint }) | undefined)?.value ?? 1n;
  let instance: WebAssembly.Instance | undefined;
  let ended: Run["ended"] = "";
  let finished = -1;
  const call = (what: string, work: () => unknown) => {
    try {
      calls.push(`${what}: ${shown(work())}`);
      finished += 1;
    } catch (thrown) {
      if (left() < 0n) ended = "fuel";
      else if (thrown instanceof RangeError && /call stack/i.test(thrown.message)) ended = "stack";
      else {
        calls.push(`${what}: ${trapOf(thrown)}`);
        finished += 1;
      }
    }
  };
  call("start", () => {
    instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), importsOf(decoded, calls));
    const tank = instance.exports[FUEL] as (WebAssembly.Global & { value: bigint }) | undefined;
    if (tank !== undefined) tank.value = fuel;
    (instance.exports[START] as (() => void) | undefined)?.();
  });
  if (calls.at(-1) !== "start: " || instance === undefined) ended ||= "start";
  for (const { name, kind, index } of decoded.exports) {
    if (kind !== 0 || ended !== "" || finished >= callsMost) continue;
    const given = parametersOf(decoded, index).map((type) => argument(random, type));
    const entry = instance?.exports[name] as ((...given: unknown[]) => unknown) | undefined;
    call(name, () => entry?.(...given));
  }
  // One that did not start has nothing to show; the runtime gives back nothing of what it was.
  if (ended === "start")
    return { calls, finished, globals: [], ended, fuel: fuel - left(), memory: undefined };
  const exported = decoded.exports.map(({ name }) => [name, instance?.exports[name]] as const);
  const memory = exported.find(([, one]) => one instanceof WebAssembly.Memory)?.[1] as
    WebAssembly.Memory | undefined;
  const globals = exported.flatMap(([name, one]) =>
    one instanceof WebAssembly.Global ? [`${name}: ${valueOf(one)}`] : [],
  );
  return {
    calls,
    finished,
    globals,
    ended,
    fuel: fuel - left(),
    memory: memory && new Uint8Array(memory.buffer),
  };
}

/** Imported functions that answer by their turn; that they are called, and with what, is part of what a module does. */
function importsOf({ imports, types }: Decoded, calls: string[]) {
  const offered: Record<string, Record<string, unknown>> = {};
  let turn = 0;
  for (const { module, name, type } of imports) {
    const [result] = types[type]?.results ?? [];
    (offered[module] ??= {})[name] = (...given: unknown[]) => {
      turn += 1;
      if (calls.length < 400) calls.push(`calls ${name}(${given.map(shown).join()})`);
      return result === undefined ? undefined : result === I64 ? BigInt(turn * 7919) : turn * 7919;
    };
  }
  return offered;
}

function parametersOf({ imports, functions, types }: Decoded, index: number): readonly number[] {
  const type = imports[index]?.type ?? functions[index - imports.length];
  return (type === undefined ? undefined : types[type])?.parameters ?? [];
}

function argument(random: Random, type: number): unknown {
  if (type === I32) return random.pick([0, 1, -1, 7, 255, 65_535, 2 ** 31 - 1, -(2 ** 31), random.word()]);
  if (type === I64)
    return random.pick([0n, 1n, -1n, 8n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(random.word())]);
  if (type === F32 || type === F64)
    return random.pick([0, -0, 1, -1.5, Infinity, 1e-40, 3e38, random.word() / 97]);
  return null;
}

/** What a value is, NaN's bits and the identity of references aside. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.map(shown).join(" ");
  if (value === undefined) return "";
  return Object.is(value, -0) ? "-0" : typeof value === "function" ? "function" : String(value);
}

function valueOf(global: WebAssembly.Global): string {
  try {
    return shown(global.value);
  } catch {
    return "a vector";
  }
}

/** The runtime's own word for a trap, without the numbers in it: where a function stands is not the same in both. */
const trapOf = (thrown: unknown) =>
  thrown instanceof Error ? `${thrown.name}: ${thrown.message.replaceAll(/[#@]?\d+/g, "#")}` : String(thrown);
