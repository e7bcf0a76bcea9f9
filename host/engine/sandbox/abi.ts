import type { LogLine } from "../../knowledge/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import type { Offer } from "../admission/index.ts";
import { Blocks } from "./blocks.ts";
import { EffectRefused, NO_EFFECTS, Replay, type StepEffects } from "./effects.ts";
import type { Fuel } from "./fuel.ts";
import { trap } from "./trap.ts";

/** The guest answered more than it may. */
export class OutputTooLarge extends Error {}

/** What a call has left behind when it is over. */
export interface Exchange {
  readonly logs: readonly LogLine[];
  output(): Uint8Array | undefined;
  error(): Uint8Array | undefined;
  /** Why the host ended the call; it wins over whatever else the guest did. */
  ended(): Error | undefined;
  /** The effects that the step has had so far. */
  readonly replay: Replay;
  /** Fuel that was charged by length, besides what the module's own code was charged. */
  readonly fuel: Fuel;
  /** What the module may import as the Extism interface. */
  readonly functions: Functions;
  /** What it may import as ours. */
  readonly host: Functions;
}
type Functions = Record<string, (...given: never[]) => unknown>;

/** The name that modules import the interface by. */
export const EXTISM = "extism:host/env";

const decoder = new TextDecoder("utf-8");
const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** The host side of the Extism interface for one call. Nothing in it outlives the call. */
export function exchange(
  step: Step,
  input: Uint8Array,
  fuel: Fuel,
  effects: StepEffects = NO_EFFECTS,
): Exchange {
  const blocks = new Blocks(fuel);
  const replay = new Replay(effects, blocks);
  const log = new Log(step);
  let output: Uint8Array | undefined;
  let error: Uint8Array | undefined;
  let ended: Error | undefined;

  /** Remembers the first reason to end the call, so that a guest that goes on regardless cannot hide it. */
  const guarded = (work: (...given: never[]) => unknown) => {
    return (...given: never[]): unknown => {
      if (ended !== undefined) trap();
      try {
        return work(...given);
      } catch (thrown) {
        ended = thrown instanceof Error ? thrown : new Error(String(thrown));
        return trap();
      }
    };
  };
  const guardedAll = (all: Functions): Functions =>
    Object.fromEntries(Object.entries(all).map(([name, work]) => [name, guarded(work)]));
  const functions: Functions = {
    ...memory(blocks),
    ...reading(blocks, input),
    ...logging(blocks, log),
    ...replay.functions,
    ...WITHOUT_EFFECT,
    output_set: (address: bigint, length: bigint) => {
      if (length > BigInt(LIMITS.outputBytes))
        throw new OutputTooLarge(`it has ${length} bytes, more than ${LIMITS.outputBytes}`);
      output = length === 0n ? new Uint8Array() : blocks.read(address, length);
    },
    error_set: (address: bigint) => {
      error =
        address === 0n ? undefined : blocks.read(address, least(blocks.length(address), LIMITS.errorBytes));
    },
  };
  return {
    logs: log.lines,
    output: () => output,
    error: () => error,
    ended: () => ended,
    replay,
    fuel,
    functions: guardedAll(functions),
    host: guardedAll(replay.host),
  };
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
  return {
    input_offset: () => start,
    input_length: () => BigInt(input.length),
    input_load_u8: (at: bigint) => blocks.load8(start + within(at, input)),
    input_load_u64: (at: bigint) => blocks.load64(start + within(at, input)),
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

function within(at: bigint, input: Uint8Array): bigint {
  if (at < 0n || at >= BigInt(input.length))
    throw new RangeError(`the input has ${input.length} bytes, and byte ${at} was read`);
  return at;
}

const least = (one: bigint, other: number) => (one < BigInt(other) ? one : BigInt(other));

/** Lines of one call, bounded in number and size; the last one says if there were more. */
class Log {
  readonly lines: LogLine[] = [];
  #bytes = 0;
  #full = false;
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  add(level: LogLine["level"], bytes: Uint8Array): void {
    if (this.#full) return;
    const room = LIMITS.logBytes - this.#bytes;
    if (this.lines.length >= LIMITS.logLines - 1 || bytes.length > room) {
      this.#full = true;
      this.lines.push({
        step: this.#step,
        level: "warn",
        text: "further lines were dropped: the log of a step is full",
      });
      return;
    }
    this.#bytes += bytes.length;
    // Control characters would forge lines and move cursors wherever the log is read.
    this.lines.push({ step: this.#step, level, text: decoder.decode(bytes).replaceAll(/\p{Cc}+/gu, " ") });
  }
}

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
