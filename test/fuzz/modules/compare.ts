import { admit, examine, type Admitted } from "../../../host/engine/admission/index.ts";
import { readInstruction, type Instruction } from "../../../host/engine/admission/instruction.ts";
import { Reader } from "../../../host/engine/admission/reader.ts";
import { ABI, EXTISM } from "../../../host/engine/sandbox/abi.ts";
import { HOST, HOST_FUNCTIONS } from "../../../host/engine/sandbox/effects.ts";
import { Fault } from "../../../host/fault/index.ts";
import { LIMITS } from "../../../host/tenant/index.ts";
import { run, type Run } from "./run.ts";

/** What came of a module: refused and why, or run as it was and as it was rewritten. */
export interface Comparison {
  readonly verdict: string;
  /** Where the two differ, or what admission did that it must not. */
  readonly broken: readonly string[];
}

/** As much as the corpus needs: a loop of its modules that does not end burns it in a millisecond. */
const FUEL_GIVEN = 300_000n;
const OFFERS = { [EXTISM]: ABI, [HOST]: HOST_FUNCTIONS };
const CAPS = { memoryPages: LIMITS.memoryPages };

/** Admits a module, and holds what it does when it is metered against what it does as it came. */
export function compare(bytes: Uint8Array, seed: number): Comparison {
  let admitted: Admitted;
  try {
    admitted = admit(bytes, OFFERS, CAPS);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "ArtifactInvalid")
      return { verdict: `refused: ${alike(thrown.message)}`, broken: [] };
    return {
      verdict: "crash",
      broken: [`admission threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`],
    };
  }
  const broken: string[] = [];
  if (!WebAssembly.validate(bytes)) broken.push("admission took an invalid module");
  if (!WebAssembly.validate(admitted.bytes)) broken.push("the rewritten module is invalid");
  if (broken.length > 0) return { verdict: "accepted", broken };
  return compareRuns(bytes, admitted, seed);
}

function compareRuns(bytes: Uint8Array, { bytes: metered, decoded }: Admitted, seed: number): Comparison {
  const mine = run(metered, decoded, seed, FUEL_GIVEN);
  const again = run(metered, decoded, seed, FUEL_GIVEN);
  const broken = mine.ended === "stack" ? [] : differences(mine, again).map((one) => `run twice, ${one}`);
  if (mine.fuel !== again.fuel && mine.ended !== "stack")
    broken.push(`it burned ${mine.fuel}, then ${again.fuel}`);
  // What did not end with all its fuel would not end here either.
  if (mine.ended === "fuel" || mine.ended === "stack") {
    if (!mine.calls.some((one) => one.startsWith("start: ")))
      return { verdict: `accepted, ended by ${mine.ended}`, broken };
    const original = run(bytes, decoded, seed, FUEL_GIVEN, mine.finished);
    // Of the call that was under way there may be calls to the host; the original has not begun it.
    const same = mine.calls.slice(0, original.calls.length);
    const differing = same.findIndex((one, at) => one !== original.calls[at]);
    if (differing >= 0 && !seesNaN(bytes))
      broken.push(`call ${differing}: ${mine.calls[differing]}, and was ${original.calls[differing]}`);
    return { verdict: `accepted, ended by ${mine.ended}`, broken };
  }
  const found = differences(mine, run(bytes, decoded, seed, FUEL_GIVEN));
  if (found.length === 0)
    return {
      verdict: mine.ended === "start" ? "accepted, ended at its start" : "accepted, the same",
      broken,
    };
  // Bits of a NaN that a module makes itself can be seen in a hundred ways: from there on it is another program.
  return seesNaN(bytes)
    ? { verdict: "accepted, the same but for NaNs", broken }
    : { verdict: "accepted, different", broken: [...broken, ...found] };
}

/** In what two runs differ. */
export function differences(one: Run, other: Run): string[] {
  const found: string[] = [];
  if (one.ended !== other.ended)
    found.push(`it ended by ${one.ended || "itself"}, and by ${other.ended || "itself"}`);
  const call = one.calls.findIndex((said, at) => said !== other.calls[at]);
  if (call >= 0 || one.calls.length !== other.calls.length)
    found.push(`call ${call}: ${one.calls.at(call)}, and was ${other.calls.at(call)}`);
  if (one.globals.length !== other.globals.length)
    found.push(`globals: ${one.globals.length}, and were ${other.globals.length}`);
  const global = one.globals.findIndex((said, at) => said !== other.globals[at]);
  if (global >= 0) found.push(`global ${one.globals[global]}, and was ${other.globals[global]}`);
  const [memory = new Uint8Array(), was = new Uint8Array()] = [one.memory, other.memory];
  if (memory.length !== was.length) found.push(`memory of ${memory.length}, and was ${was.length}`);
  else if (Buffer.compare(memory, was) !== 0)
    found.push(`memory at ${memory.findIndex((byte, at) => byte !== was[at])} differs`);
  return found;
}

const instruction: Instruction = { op: 0, operand: 0, at: 0 };
/** Stores of floats, reinterpretations and copysign. */
const SHOWN: ReadonlySet<number> = new Set([0x38, 0x39, 0x98, 0xa6, 0xbc, 0xbd]);

/** Whether a module has an instruction that shows the bits of a NaN. */
function seesNaN(bytes: Uint8Array): boolean {
  return examine(bytes, OFFERS).bodies.some(({ codeAt, end }) => {
    const reader = new Reader(bytes, codeAt, end);
    while (!reader.done) {
      readInstruction(reader, instruction);
      if (SHOWN.has(instruction.op)) return true;
    }
    return false;
  });
}

/** A refusal without what is only this module's. */
const alike = (message: string) =>
  message
    .slice(message.indexOf(": ") + 2)
    .replace(/^(it (im|ex)ports) .*?(?=, which| as |, a |: that)/s, "$1 something")
    .replace(/ as [^,]*, and .*/s, " as something else")
    .replaceAll(/0x[0-9a-f]+|\d+/g, "#");
