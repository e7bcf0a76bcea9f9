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
import type { Backend, Dump, Entry, Owner, Taken } from "./messages.ts";
import { PostgresKnowledge } from "./postgres.ts";
import { StoreThread } from "./thread.ts";

export interface StoreOptions {
  /** The SQLite file that knowledge is kept in, or `:memory:`; its folder is created. Or the URL of a PostgreSQL database. */
  readonly file?: string;
  readonly url?: string;
  /** How long PostgreSQL may take to answer. Default: 10 s. */
  readonly answerMs?: number;
  readonly clock: Clock;
  /** Is told of every record that was found corrupt and set aside. Default: nobody is. */
  readonly report?: (fault: Fault) => void;
  /**
   * The term in which this replica may write for a policy. What is remembered in an earlier term than somebody else's is
   * refused as `NotLeader`; undefined, the default, is never refused.
   */
  readonly epoch?: (key: PolicyKey) => number | undefined;
}

/** The store of the loop, and what else is asked of knowledge. */
export type KnowledgeStore = Store & {
  /** The newest passes of the policy that has this name now, newest first, at most 1,000. */
  entries(key: PolicyKey, limit: number): Promise<readonly Iteration[]>;
  /** The longer bodies that a pass's journal names, those that are still kept. */
  bodies(key: PolicyKey, journal: Journal): Promise<JournalBodies>;
  /** The policies that anything is known of. */
  keys(): Promise<readonly PolicyKey[]>;
  /** All that is known of a policy, to be carried elsewhere. */
  dump(key: PolicyKey): Promise<Dump | undefined>;
  /** Puts back what was dumped; false, and nothing done, where the policy is known already and is not to be replaced. */
  load(dump: Taken, replace: boolean): Promise<boolean>;
  /** Drops everything that is known of a policy: for when it has been deleted. */
  forget(key: PolicyKey): Promise<void>;
  /** Finishes what was asked before, and ends the thread; later calls fail. */
  close(): Promise<void>;
};

/** The passes that count as successful: what they carry is given to the next one. */
const SUCCESSFUL: readonly IterationOutcome[] = ["Unchanged", "Scaled", "PartlyScaled", "DryRun"];

/** Opens knowledge in its SQLite file or PostgreSQL database. Throws `StoreUnavailable` if that cannot be used. */
export async function openStore(options: StoreOptions): Promise<KnowledgeStore> {
  const corrupt = (message: string) => options.report?.(new Fault("KnowledgeCorrupt", message));
  const { url, file = ":memory:", answerMs } = options;
  const backend =
    url === undefined
      ? new StoreThread(file, corrupt)
      : new PostgresKnowledge({ url, corrupt, ...(answerMs !== undefined && { answerMs }) });
  await backend.open();
  return storeOn(backend, options);
}

function storeOn(backend: Backend, { clock, epoch }: StoreOptions): KnowledgeStore {
  const term = (key: PolicyKey) => {
    const said = epoch?.(key);
    return said === undefined ? {} : { epoch: said };
  };
  return {
    async recall(policy): Promise<Past> {
      const { history } = policy.knowledge;
      const nowMs = clock.now().getTime();
      const known = await backend.ask({
        do: "recall",
        owner: ownerOf(policy),
        history,
        nowMs,
        ...term(policy.key),
      });
      return {
        number: known.number,
        carry: known.carry,
        history: JSON.parse(known.history) as Past["history"],
        open: known.open === undefined ? undefined : restore(known.open),
        ...(known.memory === undefined ? {} : { memory: JSON.parse(known.memory) as Memory }),
        ...(known.lost ? { memoryLost: true } : {}),
      };
    },
    async remember(policy, iteration) {
      const { keep } = policy.knowledge;
      const [owner, entry] = [ownerOf(policy), entryOf(iteration)];
      const { refusedBy } = await backend.ask({ do: "remember", owner, keep, entry, ...term(policy.key) });
      if (refusedBy !== undefined)
        throw new Fault(
          "NotLeader",
          `Knowledge of ${policy.key} was written in term ${refusedBy}, after this replica's`,
        );
    },
    async entries(key, limit) {
      return (await backend.ask({ do: "entries", key, limit })).map(restore);
    },
    async bodies(key, journal) {
      return new Map(await backend.ask({ do: "bodies", key, digests: digestsOf(journal) }));
    },
    keys: async () => (await backend.ask({ do: "keys" })) as readonly PolicyKey[],
    dump: async (key) => backend.ask({ do: "dump", key }),
    load: async (dump, replace) => backend.ask({ do: "load", key: dump.policy.key, dump, replace }),
    forget: async (key) => backend.ask({ do: "forget", key }),
    close: async () => backend.ask({ do: "close" }),
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
    compact: outcome === "Unchanged" && iteration.fault === undefined && decision?.changes.length === 0,
    body,
    bodies: [...(bodies ?? [])],
    carry: successful ? { text: carry } : undefined,
  };
}
