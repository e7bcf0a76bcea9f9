import type { FaultCode, Problem } from "../fault/index.ts";
import type { LogLine } from "../knowledge/index.ts";
import type { Step } from "../policy/index.ts";

/** A step and the module that makes it. */
export interface StepModule {
  readonly step: Step;
  readonly digest: string;
}

/** How long a step may take: processor time first, wall time as a far back-stop. */
export interface StepLimits {
  readonly cpuMs: number;
  readonly wallMs: Readonly<Record<Step, number>>;
}

/** What is asked of a sandbox. Texts travel in the body, one after the other, with their names and lengths in `parts`. */
export type Work =
  | {
      readonly do: "pass";
      readonly steps: readonly StepModule[];
      readonly parts: Parts;
      readonly limits: StepLimits;
    }
  | { readonly do: "inspect"; readonly digest: string }
  | { readonly do: "config"; readonly digest: string; readonly parts: Parts };
export type Parts = readonly (readonly [name: string, bytes: number])[];

/** What a sandbox says of its work: that a stretch begins whose time counts, and in the end what came of it. */
export type Stretch = Step | "compile" | "config";
export type Answer =
  | { readonly started: Stretch }
  | { readonly done: "pass"; readonly parts: Parts; readonly logs: readonly LogLine[] }
  | { readonly done: "inspect"; readonly inspection: Inspection }
  | { readonly done: "config"; readonly problems: readonly Problem[] }
  | { readonly fault: Trouble };

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
