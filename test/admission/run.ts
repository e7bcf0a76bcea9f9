import { admit, checkSteps, FUEL, START, type Offers } from "../../host/engine/admission/index.ts";
import { ABI, EXTISM } from "../../host/engine/sandbox/abi.ts";

const OFFERS: Offers = { [EXTISM]: ABI };
const CAPS = { memoryPages: 4 };

/** The module as it would run, with a memory of at most four pages. */
export function admitted(bytes: Uint8Array): Uint8Array {
  const { bytes: rewritten, decoded } = admit(bytes, OFFERS, CAPS);
  checkSteps(decoded, ["monitor", "analyze", "plan"]);
  return rewritten;
}

export interface Run {
  /** What the function returned; undefined if it trapped. */
  readonly result: unknown;
  readonly trap: string | undefined;
  readonly fuel: number;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Runs a function of an admitted module in a new instance. */
export function run(bytes: Uint8Array, name: string, given: readonly unknown[] = [], fuel = 1_000_000): Run {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(admitted(bytes)), { [EXTISM]: {} });
  const left = instance.exports[FUEL] as WebAssembly.Global & { value: bigint };
  left.value = BigInt(fuel);
  const outcome = { result: undefined as unknown, trap: undefined as string | undefined };
  try {
    (instance.exports[START] as (() => void) | undefined)?.();
    outcome.result = (instance.exports[name] as (...all: readonly unknown[]) => unknown)(...given);
  } catch (thrown) {
    outcome.trap = thrown instanceof Error ? thrown.message : String(thrown);
  }
  return { ...outcome, fuel: fuel - Number(left.value), exports: instance.exports };
}
