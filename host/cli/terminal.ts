import { CommanderError, Option } from "commander";
import { asFault, FAULTS, type Fault, type FaultCode } from "../fault/index.ts";

/** What a command sees of the world it was started in. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: AsyncIterable<Uint8Array | string>;
  /** A line for whoever, or whatever, reads the answer. */
  print(text: string): void;
  /** A line on what went wrong. */
  complain(text: string): void;
}

export const EXIT = { done: 0, failed: 1, misunderstood: 2 } as const;

/** Words on the command line that cannot be meant. */
export class Misunderstood extends Error {
  readonly field: string;
  readonly remedy: string;

  constructor(field: string, message: string, remedy: string) {
    super(message);
    this.field = field;
    this.remedy = remedy;
  }
}

/** `--output`, which every command that answers has. */
export const outputOption = (): Option =>
  new Option("-o, --output <form>", "how to answer").choices(["text", "json"]).default("text");

export type Output = "text" | "json";

/** Prints an answer: as its lines, or whole as one JSON document. */
export function answer(terminal: Terminal, output: Output, value: object, lines: readonly string[]): void {
  terminal.print(output === "json" ? JSON.stringify(value, null, 2) : lines.join("\n"));
}

interface Complaint {
  readonly code: string;
  readonly field: string | undefined;
  readonly message: string;
  readonly remedy: string;
}

/** What went wrong in one line (or one JSON document), and the exit code it means. */
export function complaint(thrown: unknown, json: boolean): { text: string; code: number } {
  const { exit, ...said } = read(thrown);
  if (json) return { text: JSON.stringify({ error: said }), code: exit };
  const field = said.field === undefined ? "" : ` ${said.field}`;
  const sentence = `sluice: ${said.code}${field}: ${said.message.replace(/\.?$/, ".")} ${said.remedy}`;
  return { text: printable(sentence), code: exit };
}

function read(thrown: unknown): Complaint & { readonly exit: number } {
  if (thrown instanceof Misunderstood) {
    const { field, message, remedy } = thrown;
    return { code: "Usage", field, message, remedy, exit: EXIT.misunderstood };
  }
  if (thrown instanceof CommanderError) {
    const message = thrown.message.replace(/^error: /, "");
    return {
      code: "Usage",
      field: undefined,
      message,
      remedy: "`sluice --help` has the commands.",
      exit: EXIT.misunderstood,
    };
  }
  const fault = asFault(thrown);
  return {
    code: fault.code,
    field: fault.field,
    message: fault.message,
    remedy: remedyOf(fault),
    exit: EXIT.failed,
  };
}

/** The general remedies speak to whoever wrote a policy; these to whoever typed a command. */
const TYPED: Partial<Record<FaultCode, string>> = {
  ArtifactNotFound: "Push the algorithm first, or correct the reference.",
  ArtifactDenied:
    "Give --username and --password-stdin, or log in so that the docker configuration has this registry.",
  ArtifactUnavailable: "Check that the registry runs and can be reached, and try again.",
  ArtifactInvalid: "Correct what the message names, and build the module again.",
};

const remedyOf = ({ code, remedy }: Fault): string =>
  remedy === FAULTS[code].remedy ? (TYPED[code] ?? remedy) : remedy;

/** Names and messages may come from anywhere; nothing of them steers a terminal or starts a line of its own. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
