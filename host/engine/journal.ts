import { createHash } from "node:crypto";
import { Fault } from "../fault/index.ts";
import type { Journal, JournalAnswer, JournalBodies, JournalBody, JournalEntry } from "../knowledge/index.ts";
import type { Step } from "../policy/index.ts";
import { LIMITS } from "../tenant/index.ts";

/** A pass's effects as they are kept: longer bodies stand beside the journal, which names them by their digests. */
export interface Recorded {
  readonly journal: Journal;
  readonly bodies: JournalBodies;
}

/** Takes the longer bodies out of a journal. */
export function record(journal: Journal): Recorded {
  const bodies = new Map<string, Uint8Array>();
  const keep = (body: JournalBody): JournalBody => {
    if (!("base64" in body)) return body;
    const bytes = Buffer.from(body.base64, "base64");
    if (bytes.length <= LIMITS.journalBodyBytes) return body;
    const digest = digestOf(bytes);
    bodies.set(digest, bytes);
    return { digest, bytes: bytes.length };
  };
  return { journal: withBodies(journal, keep), bodies };
}

/** Puts the longer bodies back. Throws `KnowledgeCorrupt` if one is missing or is not what its digest says. */
export function recall({ journal, bodies }: Recorded): Journal {
  return withBodies(journal, (body) => {
    if ("base64" in body) return body;
    const bytes = bodies.get(body.digest);
    if (bytes === undefined || digestOf(bytes) !== body.digest)
      throw new Fault("KnowledgeCorrupt", `The journal names ${body.digest}, which is not there`);
    return { base64: Buffer.from(bytes).toString("base64") };
  });
}

/** The part of a journal that steps which are still to run need; undefined if it is empty. */
export function journalOf(journal: Journal, steps: readonly Step[]): Journal | undefined {
  const entries = steps.flatMap((step) => {
    const held = journal[step] ?? [];
    return held.length === 0 ? [] : [[step, held] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function withBodies(journal: Journal, change: (body: JournalBody) => JournalBody): Journal {
  const changed = (answer: JournalAnswer): JournalAnswer => ({ ...answer, body: change(answer.body) });
  const entry = (one: JournalEntry): JournalEntry => ({ ...one, answers: one.answers.map(changed) });
  return Object.fromEntries(Object.entries(journal).map(([step, entries]) => [step, entries.map(entry)]));
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
