import type { Iteration } from "../host/knowledge/index.ts";
import type { HistoryOffer, PolicyKey } from "../host/policy/index.ts";
import type { KnowledgeStore, StoreOptions } from "../host/store/index.ts";
import { node, policy, topology } from "./builders.ts";

const NOON = Date.parse("2026-03-01T12:00:00.000Z");
export const clock = { now: () => new Date(NOON) };
export const keeping = (keep: number, history?: HistoryOffer) => policy({ knowledge: { keep, history } });

/** Pass `number`, decided `secondsAgo` before noon, that granted `split` its own number. */
export const pass = (number: number, secondsAgo = 0, rest: Partial<Iteration> = {}): Iteration => ({
  id: `pass-${number}`,
  number,
  at: new Date(NOON - secondsAgo * 1_000).toISOString(),
  topology: topology(node("split", number)),
  sources: {},
  answers: { plan: '{"nodes":{"split":{"parallelism":12345678901234567890}}}' },
  decision: {
    verdicts: [{ node: "split", current: 1, wanted: undefined, granted: number, reasons: [] }],
    changes: [],
  },
  outcome: "Unchanged",
  changes: [],
  fault: undefined,
  carry: undefined,
  ...rest,
});

/** What a test asks of a store beside what every store has. */
export type Wishes = Pick<StoreOptions, "report" | "epoch">;

/** One place where knowledge is kept, empty at first. */
export interface Place extends AsyncDisposable {
  /** Opens it, once more if it is open: as another replica would, or the same one after a restart. */
  open(wishes?: Wishes): Promise<KnowledgeStore>;
  /** Changes behind the store's back what is written there. */
  tamper(sql: string): Promise<void>;
  /** Answers the rows that stand there. */
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

let used: Place | undefined;
/** The place that the running test has. */
export function place(): Place {
  if (used === undefined) throw new Error("no place of knowledge was made");
  return used;
}
export const use = (next: Place): void => void (used = next);
export const store = (wishes?: Wishes) => place().open(wishes);

/** The numbers of the passes that are kept of a policy, newest first. */
export const numbersIn = async (knowledge: KnowledgeStore, key: string) =>
  (await knowledge.entries(key as PolicyKey, 1_000)).map((one) => one.number);
export const numbers = (knowledge: KnowledgeStore) => numbersIn(knowledge, policy().key);
