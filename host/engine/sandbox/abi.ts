import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import type { Offer } from "../admission/index.ts";
import { Blocks } from "./blocks.ts";
import { EffectRefused, HOST, Replay, type StepEffects } from "./effects.ts";
import type { Fuel } from "./fuel.ts";
import { Log } from "./log.ts";
import { trap } from "./trap.ts";
import { Wasi, WASI } from "./wasi.ts";

/** The guest answered more than it may. */
export class OutputTooLarge extends Error {}

/** What a call is about, and what it may use. */
export interface Call {
  readonly step: Step;
  readonly input: Uint8Array;
  readonly fuel: Fuel;
  readonly effects: StepEffects;
  /** The iteration as JSON text: what the module's clock and chance follow from. */
  readonly iteration: string | undefined;
  /** The functions that the module imports. */
  readonly imports: readonly Imported[];
}
export interface Imported {
  readonly module: string;
  readonly name: string;
  /** How many it takes. */
  readonly parameters: number;
}

/** What a call has left behind when it is over. */
export interface Exchange {
  readonly log: Log;
  output(): Uint8Array | undefined;
  error(): Uint8Array | undefined;
  /** Why the host ended the call; it wins over whatever else the guest did. */
  ended(): Error | undefined;
  /** The effects that the step has had so far. */
  readonly replay: Replay;
  /** Fuel that was charged by length, besides what the module's own code was charged. */
  readonly fuel: Fuel;
  /** The functions that the module imports, in their order. */
  readonly works: readonly Work[];
  /** Tells the functions which memory addresses are of. */
  bind(memory: unknown): void;
  /** From here on the step runs; what happened before was the module's initialisation. */
  open(): void;
}
type Work = (...given: never[]) => unknown;
type Functions = Record<string, Work>;

/** The name that modules import the interface by. */
export const EXTISM = "extism:host/env";

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** The host side of one call. Nothing in it outlives the call. */
export function exchange(call: Call): Exchange {
  const { step, input, fuel, effects } = call;
  const blocks = new Blocks(fuel, input.length);
  const replay = new Replay(effects, blocks);
  const log = new Log(step);
  const wasi = call.imports.some(({ module }) => module === WASI)
    ? new Wasi({ ...worldOf(step, call.iteration), print: log.print.bind(log) }, fuel)
    : undefined;
  const answer = new Answer(blocks);
  const offered: Readonly<Record<string, Functions | undefined>> = {
    [EXTISM]: {
      ...memory(blocks),
      ...reading(blocks, input),
      ...logging(blocks, log),
      ...replay.functions,
      ...WITHOUT_EFFECT,
      ...answer.functions,
    },
    [HOST]: replay.host,
    [WASI]: wasi?.functions,
  };
  const end = new Ending();
  const works = call.imports.map(({ module, name, parameters }) =>
    end.guarded(offered[module]?.[name] ?? notOffered, parameters),
  );
  return {
    log,
    output: () => answer.output,
    error: () => answer.error,
    ended: () => end.reason,
    replay,
    fuel,
    works,
    bind: (given) => wasi?.bind(given),
    open: () => {
      replay.open();
      wasi?.open();
    },
  };
}

/** Stands for what admission has let nobody import. */
const notOffered = (): never => {
  throw new TypeError("a function was called that is not offered");
};

/** The first reason to end a call is remembered, so that a guest that goes on regardless cannot hide it. */
class Ending {
  reason: Error | undefined;

  guarded(work: Work, parameters: number): Work {
    // Not for any number of operands: that would make an array of each call's.
    const run = work as (one: unknown, two: unknown, three: unknown, four: unknown) => unknown;
    if (parameters > 4) return this.#guardedMany(work);
    return (one: never, two: never, three: never, four: never): unknown => {
      if (this.reason !== undefined) trap();
      try {
        return run(one, two, three, four);
      } catch (thrown) {
        return this.#end(thrown);
      }
    };
  }

  #guardedMany(work: Work): Work {
    return (...given: never[]): unknown => {
      if (this.reason !== undefined) trap();
      try {
        return work(...given);
      } catch (thrown) {
        return this.#end(thrown);
      }
    };
  }

  #end(thrown: unknown): never {
    this.reason = thrown instanceof Error ? thrown : new Error(String(thrown));
    return trap();
  }
}

/** What the guest says in the end: its output and its error. */
class Answer {
  output: Uint8Array | undefined;
  error: Uint8Array | undefined;
  readonly functions: Functions;

  constructor(blocks: Blocks) {
    this.functions = {
      output_set: (address: bigint, length: bigint) => {
        if (length > BigInt(LIMITS.outputBytes))
          throw new OutputTooLarge(`it has ${length} bytes, more than ${LIMITS.outputBytes}`);
        this.output = length === 0n ? new Uint8Array() : blocks.read(address, length);
      },
      error_set: (address: bigint) => {
        this.error =
          address === 0n ? undefined : blocks.read(address, least(blocks.length(address), LIMITS.errorBytes));
      },
    };
  }
}

/** What a module's clock and chance follow from: the iteration, and which step this is. */
function worldOf(step: Step, iteration: string | undefined): { timeMs: number; seed: string } {
  const { id = "", time = "" } = JSON.parse(iteration ?? "{}") as { id?: string; time?: string };
  const timeMs = Date.parse(time);
  return { timeMs: Number.isNaN(timeMs) ? 0 : timeMs, seed: `${id} ${step}` };
}

const memory = (blocks: Blocks): Functions => ({
  alloc: (size: bigint) => blocks.alloc(size),
  free: (address: bigint) => blocks.free(address),
  length: (address: bigint) => blocks.length(address),
  length_unsafe: (address: bigint) => blocks.length(address),
  load_u8: blocks.load8,
  load_u64: blocks.load64,
  store_u8: blocks.store8,
  store_u64: blocks.store64,
});

function reading(blocks: Blocks, input: Uint8Array): Functions {
  const start = blocks.store(input);
  const first = Number(start);
  return {
    input_offset: () => start,
    input_length: () => BigInt(input.length),
    input_load_u8: (at: bigint) => blocks.load8(first + within(at, input)),
    input_load_u64: (at: bigint) => blocks.load64(first + within(at, input)),
  };
}

function logging(blocks: Blocks, log: Log): Functions {
  const levels = LEVELS.map((level) => {
    const add = (address: bigint) => {
      log.add(level, blocks.read(address));
      blocks.free(address);
    };
    return [`log_${level}`, add] as const;
  });
  return { ...Object.fromEntries(levels), get_log_level: () => 0 };
}

const refuse = (what: string) => (): never => {
  throw new EffectRefused(what);
};

/** What would reach out of the call, or outlive it. A policy's config is part of the input. */
const WITHOUT_EFFECT: Functions = {
  error_get: () => 0n,
  config_get: () => 0n,
  var_get: () => 0n,
  var_set: refuse("it tried to keep a variable: what is to be remembered is returned as carry"),
};

/** As a number: arithmetic with bigints would take longer than all else that a load does. */
function within(at: bigint, input: Uint8Array): number {
  const byte = Number(at);
  if (byte >= 0 && byte < input.length) return byte;
  throw new RangeError(`the input has ${input.length} bytes, and byte ${at} was read`);
}

const least = (one: bigint, other: number) => (one < BigInt(other) ? one : BigInt(other));

/**
 * What a call costs, besides what it moves. Each takes less than a quarter of a microsecond, about a hundred times as long as
 * an instruction; making a block takes longest.
 */
const CALL_FUEL = 80;
const BLOCK_FUEL = 400;
const offer = (signature: string, fuel = CALL_FUEL): Offer => ({ signature, fuel });
const LOG = offer("i64 ->", BLOCK_FUEL);

/** The Extism interface, as modules import it. */
export const ABI: Readonly<Record<string, Offer>> = {
  alloc: offer("i64 -> i64", BLOCK_FUEL),
  free: offer("i64 ->", BLOCK_FUEL),
  length: offer("i64 -> i64"),
  length_unsafe: offer("i64 -> i64"),
  load_u8: offer("i64 -> i32"),
  load_u64: offer("i64 -> i64"),
  store_u8: offer("i64 i32 ->"),
  store_u64: offer("i64 i64 ->"),
  input_offset: offer("-> i64"),
  input_length: offer("-> i64"),
  input_load_u8: offer("i64 -> i32"),
  input_load_u64: offer("i64 -> i64"),
  output_set: offer("i64 i64 ->", BLOCK_FUEL),
  error_set: offer("i64 ->", BLOCK_FUEL),
  error_get: offer("-> i64"),
  config_get: offer("i64 -> i64"),
  var_get: offer("i64 -> i64"),
  var_set: offer("i64 i64 ->"),
  http_request: offer("i64 i64 -> i64", BLOCK_FUEL),
  http_status_code: offer("-> i32"),
  http_headers: offer("-> i64", BLOCK_FUEL),
  log_trace: LOG,
  log_debug: LOG,
  log_info: LOG,
  log_warn: LOG,
  log_error: LOG,
  get_log_level: offer("-> i32"),
};
