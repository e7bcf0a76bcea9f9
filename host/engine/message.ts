import { FAULTS, type FaultCode } from "../fault/index.ts";
import type { Step } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";

/** A step and the module that makes it. */
export interface StepModule {
  readonly step: Step;
  readonly digest: string;
}

/** The walls of the kernel that stand around every sandbox on this machine; those of Node and of WebAssembly always do. */
export interface Walls {
  /** It has a network of its own, in which there is nothing. */
  readonly network: boolean;
  /** It runs as a user of its own: it can signal nobody, and opens what everybody may. */
  readonly user: boolean;
}

/** How long a step may take: processor time first, wall time as a far back-stop. */
export interface StepLimits {
  readonly cpuMs: number;
  readonly wallMs: Readonly<Record<Step, number>>;
  /** What each run of a step may burn. Default: in proportion to `cpuMs`. */
  readonly fuel?: number;
  /** What a module's memory may grow to. Default 256 pages of 64 KiB. */
  readonly memoryPages?: number;
  /** What is left to a step that has run before and waited for an effect. */
  readonly left?: { readonly step: Step } & StretchUse;
}

/** The time that a stretch of work takes. */
export interface StretchUse {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** What is asked of a sandbox. Texts travel in the body, one after the other, with their names and lengths in `parts`. */
export type Work =
  | {
      readonly do: "pass";
      readonly steps: readonly StepModule[];
      /** Besides what steps are shown: the answers of earlier steps, and the journal of those that are to run. */
      readonly parts: Parts;
      readonly limits: StepLimits;
      /** Whether a step may ask for an effect that its journal does not hold. */
      readonly effects: boolean;
    }
  | ({ readonly do: "inspect" } & Looked)
  | ({ readonly do: "config"; readonly parts: Parts } & Looked);
/** A module that is looked at under the limits that it is to run under. */
interface Looked {
  readonly digest: string;
  readonly memoryPages?: number | undefined;
}
export type Parts = readonly (readonly [name: string, bytes: number])[];

/**
 * What a sandbox says of its work: that a stretch begins whose time counts, and in the end what came of it. The steps begin
 * without a word where nothing has to be compiled first.
 */
export type Stretch = "steps" | "compile" | "config";
export type Answer = Started | Ended;
export interface Started {
  readonly started: Stretch;
}
/** Texts in the body, or a fault: what a header holds is small, whatever a guest wrote. */
export type Ended =
  | { readonly done: Parts }
  /** A step waits for an effect: the texts are those of the steps before it, and what it asks for. */
  | { readonly suspended: Parts }
  /** A step ended the pass: the texts are those of the steps before it, and what it logged and burned itself. */
  | { readonly fault: Trouble; readonly parts: Parts };

/** A fault on its way between processes. */
export interface Trouble {
  readonly code: FaultCode;
  readonly message: string;
  readonly retry?: boolean;
}

/** What a module says of itself, before any of it has run. */
export interface Inspection {
  readonly bytes: number;
  /** `module.name` of every import. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** The steps that it can make. */
  readonly steps: readonly Step[];
  /** The `sluice.algorithm` section, if there is one. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

/** What the memory of a module may grow to in this work. */
export const memoryPagesOf = (work: Work): number =>
  (work.do === "pass" ? work.limits : work).memoryPages ?? LIMITS.memoryPages;

/** What the operator asks of the supervisor: a piece of work for a tenant, under a number that the answer carries. */
export interface Order {
  readonly id: number;
  readonly tenant: string;
  readonly work: Work;
  /** Work that nobody is to wait for: it is done where a sandbox is to spare, and given up where one is needed. */
  readonly spare?: boolean | undefined;
}

/** Several texts as one body. */
export function joinParts(texts: Readonly<Record<string, string>>): { parts: Parts; body: Uint8Array } {
  const encoded = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, "utf8")] as const);
  return {
    parts: encoded.map(([name, bytes]) => [name, bytes.length]),
    body: Buffer.concat(encoded.map(([, bytes]) => bytes)),
  };
}

/** The texts of a body. Throws a `RangeError` if the lengths do not add up to it. */
export function splitParts(parts: Parts, body: Uint8Array): Record<string, string> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const texts: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  for (const [name, length] of parts) {
    texts[name] = bytes.toString("utf8", at, at + length);
    at += length;
  }
  if (at !== bytes.length) throw new RangeError("the parts of a body do not add up to it");
  return texts;
}

const STRETCHES: ReadonlySet<unknown> = new Set(["steps", "compile", "config"]);
/** A sandbox's own messages are sentences; an algorithm's error in one may be 4 KiB. */
const MESSAGE_CHARACTERS = 8 * 1_024;

/**
 * What came from a sandbox, as an answer. A guest may have taken it over, so nothing in it is believed: throws a `TypeError`
 * for everything that a sandbox of ours would not say.
 */
export function readAnswer(header: Readonly<Record<string, unknown>>, body: Uint8Array): Answer {
  const { started, done, suspended, fault, parts } = header;
  if (STRETCHES.has(started)) return { started: started as Stretch };
  if (areParts(done, body)) return { done };
  if (areParts(suspended, body)) return { suspended };
  if (typeof fault === "object" && fault !== null && areParts(parts, body)) {
    const { code, message, retry } = fault as Readonly<Record<string, unknown>>;
    if (typeof code === "string" && Object.hasOwn(FAULTS, code) && typeof message === "string") {
      return {
        fault: {
          code: code as FaultCode,
          message: message.slice(0, MESSAGE_CHARACTERS),
          retry: retry === true,
        },
        parts,
      };
    }
  }
  throw new TypeError("a sandbox said something that is no answer");
}

const areParts = (parts: unknown, body: Uint8Array): parts is Parts =>
  Array.isArray(parts) &&
  parts.every(isPart) &&
  (parts as Parts).reduce((all, [, bytes]) => all + bytes, 0) === body.length;
const isPart = (part: unknown): boolean =>
  Array.isArray(part) &&
  part.length === 2 &&
  typeof part[0] === "string" &&
  Number.isSafeInteger(part[1]) &&
  Number(part[1]) >= 0;
