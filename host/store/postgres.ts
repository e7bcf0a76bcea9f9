import { crc32 } from "node:zlib";
import type { Sql, TransactionSql } from "postgres";
import { Fault } from "../fault/index.ts";
import { LIMITS } from "./limits.ts";
import type { Answers, Backend, Question } from "./messages.ts";
import { workOf } from "./perform.ts";
import { migrate } from "./schema-postgres.ts";
import { LOCKING, SQL, type StatementName, type Value, type Work } from "./statements.ts";
import { unavailable } from "./thread.ts";

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with `sslmode` where TLS is to be used. */
  readonly url: string;
  readonly corrupt: (message: string) => void;
  /** How long an answer may take before the connections are given up. Default: 10 s. */
  readonly answerMs?: number;
}

interface Waiting {
  readonly question: Asked;
  readonly resolve: (answer: never) => void;
  readonly reject: (fault: Fault) => void;
}
type Asked = Exclude<Question, { readonly do: "close" }>;
type Answer = Answers[keyof Answers];

/** What is done for a policy is done in its order, beside what is done for others. */
interface Lane {
  readonly waiting: Waiting[];
  running: Promise<void> | undefined;
}

/**
 * Knowledge in PostgreSQL, where several replicas may share it. What waits when a transaction begins is one transaction:
 * one flush for all. A server that is gone, or does not answer, is `StoreUnavailable`, and is tried again by the next call.
 */
export class PostgresKnowledge implements Backend {
  readonly #options: PostgresOptions;
  readonly #lanes: readonly Lane[] = Array.from({ length: LIMITS.connections }, () => ({
    waiting: [],
    running: undefined,
  }));
  #sql: Sql | undefined;
  #waiting = 0;
  #closed = false;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** Connects, and brings the tables to this version. Throws `StoreUnavailable`. */
  async open(): Promise<void> {
    try {
      await this.#within(LIMITS.migrationMs, async (sql) => migrate(sql));
    } catch (thrown) {
      await this.#drop();
      throw faultOf(thrown);
    }
  }

  async ask<Kind extends Question["do"]>(question: Question & { readonly do: Kind }): Promise<Answers[Kind]> {
    if (this.#closed) throw unavailable("it is closed", false);
    if (question.do === "close") return this.#close() as Promise<Answers[Kind]>;
    if (this.#waiting >= LIMITS.waitingCalls)
      throw unavailable(`${LIMITS.waitingCalls} calls are waiting already`);
    const asked = question as Asked;
    const lane = this.#lanes[crc32(keyOf(asked)) % this.#lanes.length] as Lane;
    this.#waiting += 1;
    return new Promise<Answers[Kind]>((resolve, reject) => {
      lane.waiting.push({ question: asked, resolve, reject });
      lane.running ??= this.#run(lane);
    }).finally(() => (this.#waiting -= 1));
  }

  async #run(lane: Lane): Promise<void> {
    // Whoever asks in the same turn is of the same transaction.
    await new Promise(setImmediate);
    while (lane.waiting.length > 0) await this.#serve(lane.waiting.splice(0, LIMITS.groupCalls));
    lane.running = undefined;
  }

  /** All of the group in one transaction; where one of them breaks it, each in its own. */
  async #serve(group: readonly Waiting[]): Promise<void> {
    try {
      const corrupt: string[] = [];
      const answers = await this.#within(this.#options.answerMs ?? LIMITS.answerMs, async (sql) =>
        sql.begin((transaction) => performAll(transaction, group, (message) => corrupt.push(message))),
      );
      corrupt.forEach(this.#options.corrupt);
      group.forEach(({ resolve }, at) => resolve(answers[at] as never));
    } catch (thrown) {
      if (group.length > 1 && isOneStatements(thrown)) for (const one of group) await this.#serve([one]);
      else for (const { reject } of group) reject(faultOf(thrown));
    }
  }

  /** The work, or a failure after so long: the connections are given up then, since a server that hangs ends nothing. */
  async #within<T>(limitMs: number, work: (sql: Sql) => Promise<T>): Promise<T> {
    const sql = await this.#connections();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        void this.#drop(sql);
        reject(unavailable(`the server did not answer within ${limitMs} ms`));
      }, limitMs);
    });
    const working = work(sql);
    working.catch(() => undefined);
    try {
      return await Promise.race([working, late]);
    } catch (thrown) {
      // What lost one connection has lost them all: the next call must not meet one that has not noticed yet.
      if (CONNECTION.test(codeOf(thrown) ?? "")) await this.#drop(sql);
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  async #connections(): Promise<Sql> {
    if (this.#sql !== undefined) return this.#sql;
    const { default: postgres } = await import("postgres");
    return (this.#sql ??= postgres(this.#options.url, {
      max: LIMITS.connections,
      connect_timeout: LIMITS.connectSeconds,
      idle_timeout: LIMITS.idleSeconds,
      fetch_types: false,
      // A server that was away is tried again by whoever asks next, without a pause of the driver's own.
      backoff: false,
      onnotice: () => undefined,
      // Everything that is kept as a number is far below 2^53.
      types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
      connection: {
        application_name: "sluice",
        statement_timeout: LIMITS.statementMs,
        idle_in_transaction_session_timeout: LIMITS.statementMs,
      },
    }) as unknown as Sql);
  }

  async #drop(sql = this.#sql): Promise<void> {
    if (this.#sql === sql) this.#sql = undefined;
    await sql?.end({ timeout: 0 }).catch(() => undefined);
  }

  async #close(): Promise<undefined> {
    this.#closed = true;
    for (const lane of this.#lanes) await lane.running;
    await this.#sql?.end({ timeout: LIMITS.connectSeconds }).catch(() => undefined);
    return undefined;
  }
}

const keyOf = (question: Asked): string => {
  if ("owner" in question) return question.owner.key;
  return "key" in question ? question.key : "";
};

/** Of one policy one after the other, of several beside each other: their statements share the connection's round trips. */
async function performAll(
  transaction: TransactionSql,
  group: readonly Waiting[],
  corrupt: (message: string) => void,
): Promise<readonly Answer[]> {
  const tails = new Map<string, Promise<unknown>>();
  const settled = await Promise.allSettled(
    group.map(({ question }) => {
      const key = keyOf(question);
      const before = tails.get(key) ?? Promise.resolve();
      const next = before.then(() => perform(transaction, workOf(question, corrupt)));
      tails.set(key, next);
      return next;
    }),
  );
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

async function perform<T>(transaction: TransactionSql, work: Work<T>): Promise<T> {
  let next = work.next();
  while (next.done !== true) {
    const { name, values } = next.value;
    next = work.next(await transaction.unsafe(STATEMENTS[name], values as Value[], { prepare: true }));
  }
  return next.value;
}

/** The statements with PostgreSQL's own placeholders. */
const STATEMENTS = Object.fromEntries(
  Object.entries(SQL).map(([name, text]) => {
    let places = 0;
    const numbered = text.replaceAll("?", () => `$${(places += 1)}`);
    return [name, LOCKING.includes(name as StatementName) ? `${numbered} FOR UPDATE` : numbered];
  }),
) as Readonly<Record<StatementName, string>>;

/** Classes of codes that say something of the server, and not of what was asked: connection, resources, operator, system. */
const SERVER = /^(08|53|57|58|XX)/;
/** A connection that is lost: the server ends it, or it ended. */
const CONNECTION = /^(08|57P|CONNECTION_|ECONN|EPIPE)/;
const codeOf = (thrown: unknown) =>
  thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
const isOneStatements = (thrown: unknown) => {
  const code = codeOf(thrown);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !SERVER.test(code);
};

/** The driver's message may name host and port, never the password. */
function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const code = codeOf(thrown);
  const message = thrown instanceof Error && thrown.message !== "" ? thrown.message : String(code);
  return unavailable(
    `PostgreSQL: ${message}${code === undefined || message.includes(code) ? "" : ` (${code})`}`,
  );
}
