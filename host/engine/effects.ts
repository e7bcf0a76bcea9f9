import { Fault } from "../fault/index.ts";
import type { EffectKind, JournalAnswer, JournalEntry } from "../knowledge/index.ts";
import { LIMITS } from "../tenant/index.ts";

/** One HTTP request of a step. */
export interface EffectRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The name of the credential that the host is to add. */
  readonly credential?: string;
}

/** What a request came to: what the other side answered, or a code that says why it did not. */
export type EffectAnswer =
  | {
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    }
  | { readonly error: string };

/**
 * Makes one request for a policy. Throws `EffectDenied` for what is not granted, and the pass ends; everything else that can
 * go wrong is an answer, which the algorithm sees.
 */
export type Perform = (request: EffectRequest, signal: AbortSignal) => Promise<EffectAnswer>;

/** What a sandbox says that a step asks for, its bytes in base64. */
export type Asked = Pick<JournalEntry, "kind" | "request" | "body">;

/** Reads what a step asks for. Throws `EffectDenied` for what is no request. */
export function readRequests({ kind, request, body }: Asked): EffectRequest[] {
  const parsed = parse(Buffer.from(request, "base64"));
  if (kind === "http") return [readRequest(parsed, Buffer.from(body, "base64"))];
  if (!Array.isArray(parsed) || parsed.length === 0) throw denied("A batch is not a list of requests");
  return parsed.map((one: unknown) => readRequest(one, Buffer.from(fieldOf(one, "body") ?? "", "utf8")));
}

/** Makes the requests beside each other and returns the entry for the journal. The first that is denied ends the others. */
export async function perform(
  asked: Asked,
  requests: readonly EffectRequest[],
  make: Perform,
  signal: AbortSignal,
): Promise<JournalEntry> {
  const denial = new AbortController();
  const ended = AbortSignal.any([signal, denial.signal]);
  try {
    const answers = await Promise.all(requests.map((request) => make(request, ended)));
    return { ...asked, answers: answers.map(journaled) };
  } finally {
    denial.abort();
  }
}

/** An answer as the journal has it: where there was none, the status is 0, the body empty, and a header has the code. */
function journaled(answer: EffectAnswer): JournalAnswer {
  if ("error" in answer) return unanswered(answer.error);
  const { status, headers, body } = answer;
  if (body.length > LIMITS.effectAnswerBytes) return unanswered("TooLarge");
  return { status, headers, body: { base64: Buffer.from(body).toString("base64") } };
}

/** The header that says why there was no answer. */
const ERROR_HEADER = "sluice-error";
const unanswered = (error: string): JournalAnswer => ({
  status: 0,
  headers: { [ERROR_HEADER]: error },
  body: { base64: "" },
});

function readRequest(parsed: unknown, body: Uint8Array): EffectRequest {
  const url = fieldOf(parsed, "url");
  if (url === undefined) throw denied("A request has no url");
  const credential = fieldOf(parsed, "credential");
  return {
    method: fieldOf(parsed, "method") ?? "GET",
    url,
    headers: readHeaders((parsed as { headers?: unknown }).headers ?? {}),
    body,
    ...(credential === undefined ? {} : { credential }),
  };
}

function readHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers))
    throw denied("The headers of a request are not names and values");
  for (const value of Object.values(headers))
    if (typeof value !== "string") throw denied("A header of a request is not text");
  return headers as Record<string, string>;
}

/** A text of a request; undefined if it is missing or null. */
function fieldOf(parsed: unknown, name: "url" | "method" | "credential" | "body"): string | undefined {
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw denied("A request is not a JSON object");
  const value: unknown = Object.hasOwn(parsed, name) ? (parsed as Record<string, unknown>)[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw denied(`The ${name} of a request is not text`);
  return value;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw denied("A request is not JSON");
  }
}

const denied = (message: string) => new Fault("EffectDenied", message);
export const KINDS: ReadonlySet<unknown> = new Set<EffectKind>(["http", "batch"]);
