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
  /** Whether it may be kept as the difference to an earlier pass: nothing changed, and nothing failed. */
  readonly compact: boolean;
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
      readonly epoch?: number;
    }
  | {
      readonly do: "remember";
      readonly owner: Owner;
      readonly keep: number;
      readonly entry: Entry;
      readonly epoch?: number;
    }
  | { readonly do: "entries"; readonly key: string; readonly limit: number }
  | { readonly do: "bodies"; readonly key: string; readonly digests: readonly string[] }
  | { readonly do: "forget"; readonly key: string }
  | { readonly do: "keys" }
  | { readonly do: "dump"; readonly key: string }
  | { readonly do: "load"; readonly key: string; readonly dump: Taken; readonly replace: boolean }
  | { readonly do: "close" };

/** What is known of a policy; `history` is the JSON text of an array, `open` that of an iteration, `memory` that of one. */
export interface Recalled {
  readonly number: number;
  readonly carry: string | undefined;
  readonly memory: string | undefined;
  /** Whether what was to be remembered could not be read; then `memory` is of an older pass. */
  readonly lost: boolean;
  readonly history: string;
  readonly open: string | undefined;
}

/** All that is known of a policy, as it is carried from one place to another; passes are oldest first. */
export interface Dump {
  readonly policy: Owner & {
    readonly number: number;
    readonly carry: string | null;
    readonly epoch: number;
    readonly lost: boolean;
  };
  /** What it takes where it is kept, besides the indexes. */
  readonly bytes: number;
  readonly passes: readonly Omit<Entry, "bodies" | "carry">[];
  readonly bodies: readonly {
    readonly digest: string;
    readonly number: number;
    readonly bytes: Uint8Array;
  }[];
  /** Corrupt records that were set aside: to be looked at, not to be put back. */
  readonly aside: readonly string[];
}

/** What is put back of it. */
export type Taken = Omit<Dump, "bytes" | "aside">;

/** Nothing, or the later term in which somebody else has written for the policy. */
export interface Remembered {
  readonly refusedBy?: number;
}

/** What each question is answered with. */
export interface Answers {
  readonly recall: Recalled;
  readonly remember: Remembered;
  readonly entries: readonly string[];
  readonly bodies: readonly Kept[];
  readonly forget: undefined;
  readonly keys: readonly string[];
  readonly dump: Dump | undefined;
  readonly load: boolean;
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

/** Where knowledge is kept: answers questions, each when what it wrote is on disk. Throws `StoreUnavailable`. */
export interface Backend {
  ask<Kind extends Question["do"]>(question: Question & { readonly do: Kind }): Promise<Answers[Kind]>;
}
