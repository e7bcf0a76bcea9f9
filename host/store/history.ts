import type { Iteration, PastEntry } from "../knowledge/index.ts";
import type { HistoryOffer } from "../policy/index.ts";
import { LIMITS } from "./limits.ts";
import type { Work } from "./statements.ts";

export interface Moment {
  readonly row: number;
  readonly atMs: number;
}

/**
 * The JSON text of what steps are offered of the past: newest first, at most one pass in every `everySeconds` (buckets
 * that begin at whole multiples of it, so that an entry that was offered once is offered again), cut to 256 KiB.
 * `read` answers a pass's JSON text, or undefined for one that cannot be used; then the bucket's next newest is taken.
 */
export function* offer(
  moments: readonly Moment[],
  { everySeconds }: HistoryOffer,
  read: (row: number) => Work<string | undefined>,
): Work<string> {
  const entries: string[] = [];
  let bytes = 2;
  let last: number | undefined;
  for (const { row, atMs } of moments) {
    const bucket = Math.floor(atMs / (everySeconds * 1_000));
    if (bucket === last) continue;
    const body = yield* read(row);
    const entry = body === undefined ? undefined : entryOf(restore(body));
    if (entry === undefined) continue;
    const text = JSON.stringify(entry);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > LIMITS.historyBytes) break;
    entries.push(text);
    last = bucket;
  }
  return `[${entries.join(",")}]`;
}

function entryOf({ at, decision, sources }: Iteration): PastEntry | undefined {
  if (decision === undefined) return undefined;
  const nodes = decision.verdicts.map(({ node, current, wanted, granted }) => {
    return [node, { parallelism: current, ...(wanted === undefined ? {} : { wanted }), granted }] as const;
  });
  return { at, nodes: Object.fromEntries(nodes), sources };
}

/** An iteration from its JSON text, which has no word for undefined: what is missing is put back. */
export function restore(body: string): Iteration {
  const kept = JSON.parse(body) as Iteration;
  const decision = kept.decision && {
    ...kept.decision,
    verdicts: kept.decision.verdicts.map((verdict) => ({ ...verdict, wanted: verdict.wanted })),
  };
  return { ...kept, topology: kept.topology, decision, fault: kept.fault, carry: kept.carry };
}
