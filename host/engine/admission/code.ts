import { LIMITS } from "../../tenant/index.ts";
import { costOf } from "./cost.ts";
import { OP, readInstruction, type Instruction } from "./instruction.ts";
import { readValueType, SECTION, type Decoded } from "./module.ts";
import { Reader } from "./reader.ts";
import { refuse } from "./refusal.ts";

/** The code of one function. */
export interface Body {
  /** Its parameters and locals together. */
  readonly locals: number;
  /** How many groups its locals are written in, and where the first begins. */
  readonly groups: number;
  readonly groupsAt: number;
  readonly codeAt: number;
  readonly end: number;
  /** Fuel of entering it. */
  readonly entry: number;
  /** Fuel of entering it and of all its instructions, each once; calls at the price of a call. */
  readonly cost: number;
  /** Neither loops nor calls a function of the module: it costs at most `cost`. */
  readonly straight: boolean;
  /** Whether it can change something besides memory and globals: a table, or which segments there still are. */
  readonly lasting: boolean;
}

/** Reads the code of every function. Refuses what is too much, and every instruction that is not offered. */
export function readCode(decoded: Decoded): Body[] {
  const section = decoded.sections.find(({ id }) => id === SECTION.code);
  if (section === undefined) return [];
  const reader = new Reader(decoded.bytes, section.from, section.to);
  const count = reader.u32();
  if (count !== decoded.functions.length) refuse("it has not as many bodies as functions");
  let locals = 0;
  return decoded.functions.map((type, index) => {
    const parameters = decoded.types[type]?.parameters.length ?? 0;
    const body = readBody(reader.part(reader.u32()), parameters, decoded.imports.length, index);
    locals += body.locals;
    if (locals > LIMITS.allLocals) refuse(`its functions have more than ${LIMITS.allLocals} locals together`);
    return body;
  });
}

function readBody(reader: Reader, parameters: number, imported: number, index: number): Body {
  const bytes = reader.end - reader.at;
  if (bytes > LIMITS.functionBytes)
    refuse(`function ${imported + index} has ${bytes} bytes, more than ${LIMITS.functionBytes}`);
  const groups = reader.count();
  const groupsAt = reader.at;
  let locals = parameters;
  for (let left = groups; left > 0; left -= 1) {
    locals += reader.u32();
    readValueType(reader);
  }
  if (locals > LIMITS.locals)
    refuse(`function ${imported + index} has ${locals} locals, more than ${LIMITS.locals}`);
  const codeAt = reader.at;
  const { cost, straight, lasting } = readInstructions(reader, imported);
  const entry = entryFuel(locals - parameters);
  return { locals, groups, groupsAt, codeAt, end: reader.end, entry, cost: entry + cost, straight, lasting };
}

/** What changes tables, and what drops segments. */
const LASTING: ReadonlySet<number> = new Set([
  OP.tableSet,
  OP.dataDrop,
  OP.tableInit,
  OP.elemDrop,
  OP.tableCopy,
  OP.tableGrow,
  OP.tableFill,
]);

const instruction: Instruction = { op: 0, operand: 0, at: 0 };

/** Each local is set to zero when a function begins: four of them in the time of an instruction. */
const entryFuel = (locals: number): number => 1 + (locals >> 2);

function readInstructions(reader: Reader, imported: number): Pick<Body, "cost" | "straight" | "lasting"> {
  let cost = 0;
  let straight = true;
  let lasting = false;
  let depth = 1;
  while (!reader.done) {
    readInstruction(reader, instruction);
    const { op, operand } = instruction;
    cost += costOf(op);
    if (LASTING.has(op)) lasting = true;
    if (op === OP.end) depth -= 1;
    else if (op >= OP.block && op <= OP.if) depth += 1;
    if (depth > LIMITS.nesting) refuse(`a function in it nests deeper than ${LIMITS.nesting} blocks`);
    if (op === OP.loop || op === OP.callIndirect || (op === OP.call && operand >= imported)) straight = false;
    // What is charged by length has to be charged where it stands.
    if (op === OP.memoryGrow || (op > 0xfc07 && op < 0xfd00)) straight = false;
  }
  return { cost, straight, lasting };
}
