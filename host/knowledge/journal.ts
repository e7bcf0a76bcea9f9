/** The journal of a pass: the effects that each step had, in the order in which it asked for them. */
export type Journal = Readonly<Partial<Record<"monitor" | "analyze" | "plan", readonly JournalEntry[]>>>;

/** One position of a journal: what a step asked for, byte for byte, and what it was answered. */
export interface JournalEntry {
  /** One request, or a list of them that were made beside each other. */
  readonly kind: EffectKind;
  /** The request's JSON, in base64. */
  readonly request: string;
  /** The request's body, in base64. */
  readonly body: string;
  /** As many as there were requests, in their order. */
  readonly answers: readonly JournalAnswer[];
}
export type EffectKind = "http" | "batch";

/** What a request came to. A status of 0 and an empty body say that there was no answer. */
export interface JournalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JournalBody;
}
/** The bytes in base64, or the digest that a longer body is kept by. */
export type JournalBody = { readonly base64: string } | { readonly digest: string; readonly bytes: number };

/** The longer bodies of a journal by their digests. */
export type JournalBodies = ReadonlyMap<string, Uint8Array>;
