import type { FaultCode } from "../../host/fault/index.ts";
import type { RunOptions } from "../engine/bed.ts";

/** A module that means ill, and what has to become of it. */
export interface Hostile {
  /** Its number in the catalogue of threats; X for one that was thought of later. */
  readonly id: string;
  readonly does: string;
  /** Made when it is needed: some have four megabytes. */
  readonly module: () => Uint8Array;
  /** A fault by its code and words of its message, or the answer that it gets away with. */
  readonly verdict: readonly [code: FaultCode, words: string] | { readonly answer: string };
  readonly options?: RunOptions;
}

/** `a case with the id`: one line for each, in the order of the table. */
export const hostile = (
  id: string,
  does: string,
  module: () => Uint8Array,
  verdict: Hostile["verdict"],
  options?: RunOptions,
): Hostile => ({ id, does, module, verdict, ...(options === undefined ? {} : { options }) });

export const FUEL = ["FuelExhausted", "plan burned more than its 50000000 units of fuel"] as const;
export const STACK = ["StackExceeded", "until the stack was full"] as const;
export const BLOCKS = ["MemoryExceeded", "Extism blocks"] as const;
export const INVALID = ["ArtifactInvalid", "not valid WebAssembly"] as const;
export const refused = (words: string) => ["ArtifactInvalid", words] as const;
export const trapped = (words: string) => ["GuestTrapped", words] as const;
export const unusable = (words: string) => ["OutputInvalid", words] as const;
