import { LIMITS } from "../../tenant/index.ts";
import { readCode, type Body } from "./code.ts";
import { checkImports, type Offers } from "./interface.ts";
import { decode, type Decoded } from "./module.ts";
import { refuse } from "./refusal.ts";
import { rewrite, type Caps } from "./rewrite.ts";

/** A module that is valid, uses only what is offered and is no larger than it may be. */
export interface Examined {
  readonly decoded: Decoded;
  readonly bodies: readonly Body[];
  /** Fuel of a call to each import. */
  readonly importFuel: readonly number[];
}
export interface Admitted {
  readonly decoded: Decoded;
  /** The module as it may be run: limited and metered. */
  readonly bytes: Uint8Array;
  /** How many globals can change, if they and the memory are all that a call can change; undefined if there is more. */
  readonly rewindable: number | undefined;
}

/**
 * Examines a module and rewrites it so that its limits hold. Throws `ArtifactInvalid` for everything that is not offered, by
 * name. The same bytes and caps give the same result everywhere.
 */
export function admit(bytes: Uint8Array, offers: Offers, caps: Caps): Admitted {
  const { decoded, bodies, importFuel } = examine(bytes, offers);
  const needed = decoded.memories.find(({ min }) => min > caps.memoryPages);
  if (needed !== undefined)
    refuse(`its memory is ${needed.min} pages from the start, more than ${caps.memoryPages}`);
  const rewritten = rewrite(decoded, bodies, importFuel, caps);
  return { decoded, bytes: rewritten, rewindable: rewindableBy(decoded, bodies) };
}

/** i32, i64, f32 and f64: what JavaScript can read from a global and write into it. */
const NUMBERS: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c]);

function rewindableBy({ globals }: Decoded, bodies: readonly Body[]): number | undefined {
  const changing = globals.filter(({ mutable }) => mutable);
  const isKnown = changing.every(({ type }) => NUMBERS.has(type)) && !bodies.some(({ lasting }) => lasting);
  return isKnown ? changing.length : undefined;
}

/**
 * Reads a module from its first byte to its last, refusing what is too much as soon as it is seen: a compiler bomb is known
 * by its counts. What is left has to be valid as it came: what a rewriter adds could make it so.
 */
export function examine(bytes: Uint8Array, offers: Offers): Examined {
  checkHead(bytes);
  const decoded = decode(bytes);
  const large = decoded.tables.find(({ min }) => min > LIMITS.tableElements);
  if (large !== undefined) refuse(`a table has ${large.min} elements, more than ${LIMITS.tableElements}`);
  const importFuel = checkImports(decoded, offers);
  const bodies = readCode(decoded);
  if (!WebAssembly.validate(bytes)) refuse("it is not valid WebAssembly");
  return { decoded, bodies, importFuel };
}

function checkHead(bytes: Uint8Array): void {
  if (bytes.length > LIMITS.moduleBytes)
    refuse(`it has ${bytes.length} bytes, more than ${LIMITS.moduleBytes}`);
  const isWasm =
    bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
  if (!isWasm) refuse("it is not WebAssembly");
  if (bytes[6] === 1) refuse("it is a component: build a core module");
  if (bytes[4] !== 1 || bytes[5] !== 0 || bytes[7] !== 0)
    refuse("it is of a version of WebAssembly that is not known");
}
