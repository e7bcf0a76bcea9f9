import { Fault, type Problem } from "../fault/index.ts";
import type { LogLine } from "../knowledge/index.ts";
import type { Step } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";
import { KINDS, type Asked } from "./effects.ts";
import type { Inspection } from "./message.ts";

// What a sandbox says is read here and nowhere else. A guest may have taken the sandbox over: what is not as it should be is
// left out or refused, and never believed.

const STEPS: ReadonlySet<unknown> = new Set(["monitor", "analyze", "plan"]);
const LEVELS: ReadonlySet<unknown> = new Set(["trace", "debug", "info", "warn", "error"]);
const NAMES = 200;
const NAME_CHARACTERS = 256;

/** The lines that steps logged. */
export const readLogs = (text: string | undefined): LogLine[] =>
  listOf(text, LIMITS.logLines * STEPS.size).flatMap((line) => {
    const { step, level, text: said } = fieldsOf(line);
    if (!STEPS.has(step) || !LEVELS.has(level) || typeof said !== "string") return [];
    return [{ step: step as Step, level: level as LogLine["level"], text: said.slice(0, LIMITS.logBytes) }];
  });

/** What each step burned. */
export function readFuel(text: string | undefined): Partial<Record<Step, number>> {
  const fuel = Object.entries(fieldsOf(parse(text ?? "{}")));
  return Object.fromEntries(fuel.filter(([step, one]) => STEPS.has(step) && Number.isSafeInteger(one)));
}

/** What is wrong with a config. */
export const readProblems = (text: string | undefined): Problem[] =>
  listOf(text, NAMES).map((problem) => {
    const { field, message } = fieldsOf(problem);
    return { field: nameOf(field), message: nameOf(message) };
  });

/** What a module says of itself. */
export function readInspection(text: string | undefined): Inspection {
  const { bytes, imports, exports, steps, metadata } = fieldsOf(parse(text));
  return {
    bytes: typeof bytes === "number" ? bytes : 0,
    imports: namesOf(imports),
    exports: namesOf(exports),
    steps: Array.isArray(steps) ? (steps.filter((step) => STEPS.has(step)) as Step[]) : [],
    metadata: metadata === undefined ? undefined : fieldsOf(metadata),
  };
}

/** What a step waits for. */
export function readEffect(text: string | undefined): Asked & { readonly step: Step } {
  const { step, kind, request, body } = fieldsOf(parse(text));
  if (!STEPS.has(step) || !KINDS.has(kind)) throw lost();
  const bytes = [request, body].map((one) => Buffer.from(typeof one === "string" ? one : "", "base64"));
  const [asked, sent] = bytes.map((one) => one.toString("base64"));
  if (asked === undefined || sent === undefined || Buffer.concat(bytes).length > LIMITS.effectRequestBytes)
    throw lost();
  return { step: step as Step, kind: kind as Asked["kind"], request: asked, body: sent };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    throw lost();
  }
}

/** A sandbox that cannot be believed is as good as none. */
export const lost = (): Fault =>
  new Fault("SandboxLost", "The sandbox answered something else than it was asked", { retry: true });

function listOf(text: string | undefined, most: number): unknown[] {
  const list = parse(text);
  return Array.isArray(list) ? list.slice(0, most) : [];
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const nameOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, NAME_CHARACTERS) : "");
const namesOf = (value: unknown): string[] => (Array.isArray(value) ? value.slice(0, NAMES).map(nameOf) : []);
