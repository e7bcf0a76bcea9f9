import { LIMITS } from "../../tenant/index.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
interface Source {
  readonly source?: string;
}
/** What this version of the language has and its types do not know yet: a number's own spelling. */
const json = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: Source) => unknown): unknown;
  rawJSON(text: string): object;
};

/** An answer that was understood, and the text that it was. */
export interface ReadAnswer {
  readonly text: string;
  /** The value of its `carry`, every number spelled as it was; undefined if it has none. */
  readonly carry: string | undefined;
}

/** Reads a step's answer: UTF-8, one JSON object, not too deep. Throws a `SyntaxError` that says what it is not. */
export function readAnswer(bytes: Uint8Array): ReadAnswer {
  const text = decode(bytes);
  if (depthOf(text) > LIMITS.outputDepth)
    throw new SyntaxError(`it is nested more than ${LIMITS.outputDepth} deep`);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new SyntaxError("it is not JSON");
  }
  if (typeof answer !== "object" || answer === null || Array.isArray(answer))
    throw new SyntaxError("it is not a JSON object");
  return { text, carry: Object.hasOwn(answer, "carry") ? carryOf(text) : undefined };
}

function carryOf(text: string): string {
  const spelled = json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? json.rawJSON(source) : value,
  );
  const carry = JSON.stringify((spelled as { carry: unknown }).carry);
  if (Buffer.byteLength(carry) > LIMITS.carryBytes)
    throw new SyntaxError(`its carry is longer than ${LIMITS.carryBytes} bytes`);
  return carry;
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SyntaxError("it is not UTF-8");
  }
}

/** How deep the brackets nest; counted before parsing, because readers further on may recurse. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, (depth += 1));
    else if (character === "}" || character === "]") depth -= 1;
  }
  return deepest;
}
