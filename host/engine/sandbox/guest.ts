import { FUEL, globalName, MEMORY, REFUSED } from "../admission/index.ts";
import type { Exchange, Imported } from "./abi.ts";

/** A module that may be run, and what is known of it. */
export interface Runnable {
  readonly module: WebAssembly.Module;
  /** The functions that it imports. */
  readonly imports: readonly Imported[];
  /** How many globals can change, if they and its memory are all that a call can change; undefined if there is more. */
  readonly rewindable: number | undefined;
  /** What its memory may grow to. */
  readonly memoryPages: number;
}

/** Whoever a guest speaks with in one call. */
type Works = Exchange["works"];
type Function4 = (one: never, two: never, three: never, four: never) => unknown;

/** Larger memories take longer to put back than a new instance takes to make. */
const MOST_BYTES = 4 * 1_024 * 1_024;
/** Instances that are kept at the same time. Each holds its memory, and its image. */
const MOST_KEPT = 16;

/**
 * An instance of a module. A call gets one that nobody has used, or one that cannot be told from it: its memory and its
 * globals are put back to what they were before anything of the module ran, and there is nothing else that could differ.
 */
export class Guest {
  readonly #instance: WebAssembly.Instance;
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #startBytes: number;
  /** The memory up to its last byte that is not zero. */
  readonly #image: Uint8Array | undefined;
  readonly #globals: readonly (readonly [WebAssembly.Global, unknown])[];
  #works: Works = [];

  /** Throws what the runtime throws for a module that has no room, or a segment out of range. */
  constructor({ module, imports, rewindable }: Runnable) {
    this.#instance = new WebAssembly.Instance(module, this.#dispatching(imports));
    const memory = this.#instance.exports[MEMORY];
    this.#memory = memory instanceof WebAssembly.Memory ? memory : undefined;
    const bytes = this.memoryBytes;
    const isKept = rewindable !== undefined && bytes <= MOST_BYTES && !growing.has(module);
    this.#startBytes = bytes;
    this.#image = isKept ? imageOf(this.#view()) : undefined;
    this.#globals = Array.from({ length: isKept ? rewindable : 0 }, (_, at) => {
      const global = this.#instance.exports[globalName(at)] as WebAssembly.Global;
      return [global, global.value] as const;
    });
  }

  /** Fills the fuel and says with whom the next call speaks. */
  begin(call: Exchange): void {
    this.#works = call.works;
    this.#fuel.value = BigInt(call.fuel.limit);
    this.#refused.value = 0;
    call.bind(this.#memory);
  }

  /** The fuel that is left; below zero it is used up. */
  get fuelLeft(): number {
    return Number(this.#fuel.value);
  }

  /** Whether it asked for more memory than it may have. */
  get wasRefused(): boolean {
    return this.#refused.value !== 0;
  }

  get memoryBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** A function that the module exports under this name. */
  function(name: string): (() => unknown) | undefined {
    const found = this.#instance.exports[name];
    return typeof found === "function" ? (found as () => unknown) : undefined;
  }

  /** Whether it was made to be put back. */
  get isKept(): boolean {
    return this.#image !== undefined;
  }

  get hasGrown(): boolean {
    return this.memoryBytes !== this.#startBytes;
  }

  /** Puts everything back to what it was before anything of the module ran. */
  rewind(): void {
    const memory = this.#view();
    memory.set(this.#image ?? []);
    memory.fill(0, this.#image?.length ?? 0);
    for (const [global, value] of this.#globals) global.value = value;
  }

  get #fuel(): WebAssembly.Global & { value: bigint } {
    return this.#instance.exports[FUEL] as WebAssembly.Global & { value: bigint };
  }

  get #refused(): WebAssembly.Global & { value: number } {
    return this.#instance.exports[REFUSED] as WebAssembly.Global & { value: number };
  }

  #view(): Uint8Array {
    return new Uint8Array(this.#memory?.buffer ?? NO_MEMORY);
  }

  /** What the instance imports for as long as it lives: each function hands on to that of the call under way. */
  #dispatching(imports: readonly Imported[]): Record<string, Record<string, unknown>> {
    const all: Record<string, Record<string, unknown>> = {};
    for (const [at, { module, name, parameters }] of imports.entries()) {
      const hand: Function4 = (one, two, three, four) =>
        (this.#works[at] as Function4)(one, two, three, four);
      const handAll = (...given: never[]) => (this.#works[at] as (...all: never[]) => unknown)(...given);
      (all[module] ??= {})[name] = parameters > 4 ? handAll : hand;
    }
    return all;
  }
}

const NO_MEMORY = new ArrayBuffer(0);

function imageOf(memory: Uint8Array): Uint8Array {
  let end = memory.length;
  while (end > 0 && memory[end - 1] === 0) end -= 1;
  return memory.slice(0, end);
}

/** Modules whose memory grows in a call: it cannot shrink again, so what would be kept is of no use. */
const growing = new WeakSet<WebAssembly.Module>();

/** Instances that have ended a call well, until their module is run again. */
const kept = new Map<Runnable, Guest>();

/** An instance for one call: one that is left over, put back, or a new one. */
export function take(runnable: Runnable): Guest {
  const guest = kept.get(runnable);
  kept.delete(runnable);
  if (guest === undefined) return new Guest(runnable);
  guest.rewind();
  return guest;
}

/** Keeps an instance that ended its call well; one that trapped is not kept. */
export function keep(runnable: Runnable, guest: Guest): void {
  if (!guest.isKept) return;
  if (guest.hasGrown) return void growing.add(runnable.module);
  kept.set(runnable, guest);
  if (kept.size <= MOST_KEPT) return;
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}
