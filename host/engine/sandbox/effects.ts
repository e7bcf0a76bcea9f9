import type { EffectKind, Journal, JournalBody, JournalEntry } from "../../knowledge/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import type { Offer } from "../admission/index.ts";
import type { Blocks } from "./blocks.ts";

/** The guest tried what it has no grant for; the call ends, whatever the guest makes of it. */
export class EffectRefused extends Error {}
/** The guest asked for something else than its journal holds. */
export class Diverged extends Error {}
/** The journal is at its end and the guest asks on: its instance is dropped, and it runs again when the answer is there. */
export class Suspended extends Error {
  readonly effect: AskedEffect;

  constructor(effect: AskedEffect) {
    super("the step waits for an effect");
    this.effect = effect;
  }
}

/** What a guest asks for, byte for byte. */
export interface AskedEffect {
  readonly kind: EffectKind;
  readonly request: Uint8Array;
  readonly body: Uint8Array;
}
/** A position of the journal, ready to be replayed. */
export interface ReplayedEffect extends AskedEffect {
  readonly answers: readonly ReplayedAnswer[];
}
export interface ReplayedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a step may ask of the world: nothing, or what its journal holds and one effect more. */
export interface StepEffects {
  readonly granted: boolean;
  readonly journal: readonly ReplayedEffect[];
}
export const NO_EFFECTS: StepEffects = { granted: false, journal: [] };

/** The journals of the steps that are to run; the operator writes them with every body inside. */
export function readJournals(text: string | undefined): Partial<Record<Step, ReplayedEffect[]>> {
  const journal = JSON.parse(text ?? "{}") as Journal;
  return Object.fromEntries(Object.entries(journal).map(([step, entries]) => [step, entries.map(replayed)]));
}

function replayed({ kind, request, body, answers }: JournalEntry): ReplayedEffect {
  return {
    kind,
    request: Buffer.from(request, "base64"),
    body: Buffer.from(body, "base64"),
    answers: answers.map((answer) => ({ ...answer, body: bytesOf(answer.body) })),
  };
}

/** What a step waits for, as the operator reads it. */
export const effectText = (step: Step, { kind, request, body }: AskedEffect): string =>
  JSON.stringify({ step, kind, request: base64(request), body: base64(body) });

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const bytesOf = (body: JournalBody) => Buffer.from("base64" in body ? body.base64 : "", "base64");

/** The name that modules import our own functions by. */
export const HOST = "sluice:host";
/** Our own functions, as modules import them. */
export const HOST_FUNCTIONS: Readonly<Record<string, Offer>> = {
  http_batch: { signature: "i64 -> i64", fuel: 400 },
};

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The effects of one call: answered from the journal for as long as the guest asks for what stands there. */
export class Replay {
  readonly #effects: StepEffects;
  readonly #blocks: Blocks;
  #open = false;
  #position = 0;
  #last: ReplayedAnswer | undefined;

  constructor(effects: StepEffects, blocks: Blocks) {
    this.#effects = effects;
    this.#blocks = blocks;
  }

  /** From here on the step runs; what happened before was the module's initialisation. */
  open(): void {
    this.#open = true;
  }

  /** How many entries nobody asked for. */
  get left(): number {
    return this.#effects.journal.length - this.#position;
  }

  /** The functions of the Extism interface that reach out. */
  readonly functions = {
    http_request: (request: bigint, body: bigint): bigint => {
      const { answers } = this.#next("http", request, body);
      return this.#blocks.give(answers[0]?.body ?? new Uint8Array());
    },
    http_status_code: (): number => this.#last?.status ?? 0,
    http_headers: (): bigint =>
      this.#last === undefined ? 0n : this.#blocks.give(encoder.encode(JSON.stringify(this.#last.headers))),
  };

  /** Our own: a list of requests, answered by a list in the same order. */
  readonly host = {
    http_batch: (requests: bigint): bigint => {
      const { answers } = this.#next("batch", requests, 0n);
      return this.#blocks.give(encoder.encode(JSON.stringify(answers.map(shown))));
    },
  };

  #next(kind: EffectKind, request: bigint, body: bigint): ReplayedEffect {
    if (!this.#open) throw new EffectRefused("it tried to reach the network while it was initialised");
    if (!this.#effects.granted) throw new EffectRefused("it tried to make an HTTP request");
    const bytes = this.#blocks.length(request) + this.#blocks.length(body);
    if (bytes > BigInt(LIMITS.effectRequestBytes))
      throw new EffectRefused(`a request has ${bytes} bytes, more than ${LIMITS.effectRequestBytes}`);
    const asked = {
      kind,
      request: this.#blocks.read(request),
      body: body === 0n ? new Uint8Array() : this.#blocks.read(body),
    };
    const entry = this.#effects.journal[this.#position];
    if (entry === undefined) throw new Suspended(asked);
    if (!isSame(entry, asked))
      throw new Diverged(`its request ${this.#position + 1} is another one than before`);
    this.#position += 1;
    this.#last = entry.answers.at(-1);
    return entry;
  }
}

const isSame = (entry: AskedEffect, asked: AskedEffect): boolean =>
  entry.kind === asked.kind &&
  Buffer.compare(entry.request, asked.request) === 0 &&
  Buffer.compare(entry.body, asked.body) === 0;

/** An answer of a batch: its body as text, or in base64 if it is none. */
function shown({ status, headers, body }: ReplayedAnswer): object {
  try {
    return { status, headers, body: strict.decode(body) };
  } catch {
    return { status, headers, bodyBase64: base64(body) };
  }
}
