import { Fault } from "../fault/index.ts";
import type {
  Iteration,
  IterationOutcome,
  Journal,
  JournalBodies,
  Memory,
  Past,
} from "../knowledge/index.ts";
import type { Clock, Store } from "../loop/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import { restore } from "./history.ts";
import { LIMITS } from "./limits.ts";
import type { Entry, Owner } from "./messages.ts";
import { StoreThread } from "./thread.ts";

export interface StoreOptions {
  /** Where knowledge is kept, or `:memory:`. Its folder is created. */
  readonly file: string;
  readonly clock: Clock;
  /** Is told of every record that was found corrupt and dropped. Default: nobody is. */
  readonly report?: (fault: Fault) => void;
}

/** The store of the loop, and what else is asked of knowledge. */
export type KnowledgeStore = Store & {
  /** The newest passes of the policy that has this name now, newest first, at most 1,000. */
  entries(key: PolicyKey, limit: number): Promise<readonly Iteration[]>;
  /** The longer bodies that a pass's journal names, those that are still kept. */
  bodies(key: PolicyKey, journal: Journal): Promise<JournalBodies>;
  /** Drops everything that is known of a policy: for when it has been deleted. */
  forget(key: PolicyKey): Promise<void>;
  /** Finishes what was asked before, and ends the thread; later calls fail. */
  close(): Promise<void>;
};

/** The passes that count as successful: what they carry is given to the next one. */
const SUCCESSFUL: readonly IterationOutcome[] = ["Unchanged", "Scaled", "PartlyScaled", "DryRun"];

/** Opens knowledge in a SQLite file, in a thread of its own. Throws `StoreUnavailable` if the file cannot be used. */
export async function openStore({ file, clock, report }: StoreOptions): Promise<KnowledgeStore> {
  const thread = new StoreThread(file, (message) => report?.(new Fault("KnowledgeCorrupt", message)));
  await thread.open();
  return {
    async recall(policy): Promise<Past> {
      const { history } = policy.knowledge;
      const nowMs = clock.now().getTime();
      const known = await thread.ask({ do: "recall", owner: ownerOf(policy), history, nowMs });
      return {
        number: known.number,
        carry: known.carry,
        history: JSON.parse(known.history) as Past["history"],
        open: known.open === undefined ? undefined : restore(known.open),
        ...(known.memory === undefined ? {} : { memory: JSON.parse(known.memory) as Memory }),
      };
    },
    async remember(policy, iteration) {
      const entry = entryOf(iteration);
      await thread.ask({ do: "remember", owner: ownerOf(policy), keep: policy.knowledge.keep, entry });
    },
    async entries(key, limit) {
      return (await thread.ask({ do: "entries", key, limit })).map(restore);
    },
    async bodies(key, journal) {
      return new Map(await thread.ask({ do: "bodies", key, digests: digestsOf(journal) }));
    },
    forget: async (key) => thread.ask({ do: "forget", key }),
    close: async () => thread.ask({ do: "close" }),
  };
}

/** The digests that a journal names. */
const digestsOf = (journal: Journal): string[] =>
  Object.values(journal)
    .flatMap((entries) => entries.flatMap(({ answers }) => answers))
    .flatMap(({ body }) => ("digest" in body ? [body.digest] : []));

const ownerOf = ({ key, uid }: Policy): Owner => ({ key, uid });

function entryOf(iteration: Iteration): Entry {
  const { bodies, ...kept } = iteration;
  const { id, number, at, outcome, decision, carry } = kept;
  const body = JSON.stringify(kept);
  if (body.length > LIMITS.bodyCharacters) {
    const found = `Pass ${number} is ${body.length} characters and at most ${LIMITS.bodyCharacters} are kept`;
    throw new Fault("StoreUnavailable", found, {
      remedy: "Offer the algorithm less, or let it answer less.",
    });
  }
  const successful = SUCCESSFUL.includes(outcome);
  return {
    id,
    number,
    atMs: Date.parse(at),
    outcome,
    decided: decision !== undefined,
    body,
    bodies: [...(bodies ?? [])],
    carry: successful ? { text: carry } : undefined,
  };
}
