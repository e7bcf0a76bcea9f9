import { Fault } from "../../fault/index.ts";
import type { LogLine } from "../../knowledge/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import { START } from "../admission/index.ts";
import { exchange, OutputTooLarge, type Exchange } from "./abi.ts";
import { LimitExceeded } from "./blocks.ts";
import { Fuel, FuelSpent } from "./fuel.ts";
import { Diverged, EffectRefused, NO_EFFECTS, Suspended, type StepEffects } from "./effects.ts";
import { keep, take, type Guest, type Runnable } from "./guest.ts";
import { readAnswer, type ReadAnswer } from "./json.ts";
import { Exited } from "./wasi.ts";

export interface StepResult extends ReadAnswer {
  readonly logs: readonly LogLine[];
  /** What the step has burned: the same for the same input, on every machine. */
  readonly fuel: number;
}

/** A step that came to no answer: why, and what it had logged and burned by then. */
export class StepEnded extends Fault {
  readonly logs: readonly LogLine[];
  /** Undefined where it is not the same every time: how deep a stack goes depends on the machine. */
  readonly fuel: number | undefined;

  constructor(fault: Fault, logs: readonly LogLine[], fuel: number) {
    super(fault.code, fault.message, { retry: fault.retry, cause: fault });
    this.logs = logs;
    this.fuel = fault.code === "StackExceeded" ? undefined : fuel;
  }
}

/** What runs before a step: what the module would have started by itself, then what toolchains want to be called first. */
const INITIALIZERS = [START, "_initialize", "hs_init"];
/** What the runtime says when a memory is larger from the start than this process may have. */
const NO_ROOM = /out of memory|could not allocate memory|larger than implementation limit/i;
const encoder = new TextEncoder();
const STACK = /call stack/i;

/** What a step is asked. */
export interface StepOrder {
  readonly step: Step;
  /** JSON text. */
  readonly input: string;
  /** The iteration as JSON text, for modules that ask for a clock or for chance. */
  readonly iteration?: string | undefined;
  readonly fuel: number;
  /** Default: none. */
  readonly effects?: StepEffects;
}

/**
 * Runs one step in an instance that nobody has used, or that cannot be told from such a one. Throws `StepEnded`, a fault if it
 * was not begun, or `Suspended` if the step has to be run again with a longer journal.
 */
export function runStep(runnable: Runnable, order: StepOrder): StepResult {
  const { step, iteration, fuel: fuelLimit, effects = NO_EFFECTS } = order;
  const input = encoder.encode(order.input);
  if (input.length > LIMITS.inputBytes) {
    throw new Fault(
      "InputTooLarge",
      `The input of ${step} has ${input.length} bytes, more than ${LIMITS.inputBytes}`,
    );
  }
  const { imports } = runnable;
  const call = exchange({ step, input, fuel: new Fuel(fuelLimit), effects, iteration, imports });
  let guest: Guest | undefined;
  try {
    guest = instantiate(runnable, step, call);
    const result = answerOf(guest, runnable, step, call);
    keep(runnable, guest);
    return result;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    call.log.end();
    throw new StepEnded(thrown, call.log.lines, guest === undefined ? call.fuel.moved : burned(guest, call));
  }
}

/** Runs the step and judges what it left behind. */
function answerOf(guest: Guest, { memoryPages }: Runnable, step: Step, call: Exchange): StepResult {
  const code = enter(guest, memoryPages, step, call);
  if (call.ended() !== undefined) throw trapped(step, call, call.ended());
  const fuel = burned(guest, call);
  if (fuel > call.fuel.limit) throw exhausted(step, call);
  const said = call.error();
  if (said !== undefined) throw new Fault("GuestFailed", `${step}: ${textOf(said)}`);
  if (code !== undefined && code !== 0)
    throw new Fault("GuestFailed", `${step} returned ${String(code)} and no error`);
  const output = call.output();
  if (output === undefined) throw invalid(step, "it gave no answer");
  const answer = understood(step, output);
  if (call.replay.left > 0)
    throw diverged(step, `it did not ask for ${call.replay.left} of its earlier requests`);
  call.log.end();
  return { ...answer, logs: call.log.lines, fuel };
}

function understood(step: Step, output: Uint8Array): ReadAnswer {
  try {
    return readAnswer(output);
  } catch (thrown) {
    throw invalid(step, messageOf(thrown));
  }
}

/**
 * An instance with what is offered and nothing else, its fuel filled; nothing of the module has run yet. The Extism SDK is
 * not used for it: it puts its own HTTP client, which really asks, in the place of a host function of that name (2.0.0-rc13).
 * A test holds our answers against its.
 */
function instantiate(runnable: Runnable, step: Step, call: Exchange): Guest {
  try {
    const guest = take(runnable);
    guest.begin(call);
    return guest;
  } catch (thrown) {
    throw trapped(step, call, thrown, NO_ROOM.test(messageOf(thrown)) ? runnable.memoryPages : undefined);
  }
}

/** Calls what is to run before the step, then the step; what that returns. */
function enter(guest: Guest, memoryPages: number, step: Step, call: Exchange): unknown {
  try {
    for (const name of INITIALIZERS) guest.function(name)?.();
    call.open();
    return guest.function(step)?.();
  } catch (thrown) {
    if (call.ended() === undefined && burned(guest, call) > call.fuel.limit) throw exhausted(step, call);
    // A guest that is refused memory gives up by a trap, sooner or later.
    throw trapped(step, call, thrown, guest.wasRefused ? memoryPages : undefined);
  }
}

/**
 * Why a call ended early; what the host itself ended it for comes first, then a memory that was refused more, which
 * `fullPages` has the limit of, then what the guest says, then the trap.
 */
function trapped(step: Step, call: Exchange, thrown: unknown, fullPages?: number): Fault | Suspended {
  const reason = call.ended() ?? thrown;
  if (reason instanceof Suspended) return reason;
  if (reason instanceof Diverged) return diverged(step, reason.message);
  if (reason instanceof EffectRefused) return new Fault("EffectDenied", `${step}: ${reason.message}`);
  if (reason instanceof FuelSpent) return exhausted(step, call);
  if (reason instanceof RangeError && STACK.test(reason.message)) {
    return new Fault("StackExceeded", `${step} called functions inside functions until the stack was full`);
  }
  if (reason instanceof LimitExceeded)
    return new Fault("MemoryExceeded", `${step} asked for ${reason.message}`);
  if (reason instanceof OutputTooLarge) return invalid(step, reason.message);
  if (fullPages !== undefined) {
    const limit = `the ${fullPages * 64} KiB of memory that it may have`;
    return new Fault("MemoryExceeded", `${step} needs more than ${limit}`);
  }
  if (reason instanceof Exited) return new Fault("GuestTrapped", `${step}: ${reason.message}`);
  const said = call.error();
  if (said !== undefined) return new Fault("GuestFailed", `${step}: ${textOf(said)}`);
  return new Fault("GuestTrapped", `${step} trapped: ${messageOf(reason)}`);
}

/** The fuel of a call: what the module counted itself, and what was charged by length. */
const burned = (guest: Guest, { fuel }: Exchange): number => fuel.limit - guest.fuelLeft + fuel.moved;

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(/\p{Cc}+/gu, " ");
const messageOf = (thrown: unknown) =>
  (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 512);
const exhausted = (step: Step, { fuel }: Exchange) =>
  new Fault("FuelExhausted", `${step} burned more than its ${fuel.limit} units of fuel`);
const diverged = (step: Step, message: string) =>
  new Fault("Nondeterministic", `${step} is not the same every time it runs: ${message}`);
const invalid = (step: Step, message: string) =>
  new Fault("OutputInvalid", `The answer of ${step} cannot be used: ${message}`);
