import type { HistoryOffer } from "../policy/index.ts";

/** One policy object: a name that is deleted and created again has another uid, and starts afresh. */
export interface Owner {
  readonly key: string;
  readonly uid: string;
}

/** An iteration as it is kept: its JSON text, and beside it what the file has to know without reading the text. */
export interface Entry {
  readonly id: string;
  readonly number: number;
  readonly atMs: number;
  readonly outcome: string;
  /** Whether the pass came to a decision: only such a pass is offered as history. */
  readonly decided: boolean;
  readonly body: string;
  /** Longer bodies that its journal names, by their digests. */
  readonly bodies: readonly Kept[];
  /** JSON text for the next pass, where this pass succeeded; undefined leaves what is known. */
  readonly carry: { readonly text: string | undefined } | undefined;
}

/** A digest and what has it. */
export type Kept = readonly [digest: string, bytes: Uint8Array];

export type Question =
  | {
      readonly do: "recall";
      readonly owner: Owner;
      readonly history: HistoryOffer | undefined;
      readonly nowMs: number;
    }
  | { readonly do: "remember"; readonly owner: Owner; readonly keep: number; readonly entry: Entry }
  | { readonly do: "entries"; readonly key: string; readonly limit: number }
  | { readonly do: "bodies"; readonly key: string; readonly digests: readonly string[] }
  | { readonly do: "forget"; readonly key: string }
  | { readonly do: "close" };

/** What is known of a policy; `history` is the JSON text of an array, `open` that of an iteration, `memory` that of one. */
export interface Recalled {
  readonly number: number;
  readonly carry: string | undefined;
  readonly memory: string | undefined;
  readonly history: string;
  readonly open: string | undefined;
}

/** What each question is answered with. */
export interface Answers {
  readonly recall: Recalled;
  readonly remember: undefined;
  readonly entries: readonly string[];
  readonly bodies: readonly Kept[];
  readonly forget: undefined;
  readonly close: undefined;
}

export interface Call {
  readonly call: number;
  readonly question: Question;
}

export type Reply =
  | { readonly call: number; readonly answer: Answers[keyof Answers] }
  | { readonly call: number; readonly failed: string };

/** What the thread says: once that the file is open, then the replies to each group of calls. */
export type Said =
  { readonly opened: true } | { readonly replies: readonly Reply[]; readonly corrupt: readonly string[] };
