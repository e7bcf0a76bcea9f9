import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Corrupt } from "./knowledge.ts";
import { LIMITS } from "./limits.ts";
import type { Answers, Question } from "./messages.ts";
import { workOf } from "./perform.ts";
import { migrate } from "./schema.ts";
import { SQL, type StatementName, type Work } from "./statements.ts";

type Statements = Readonly<Record<StatementName, StatementSync>>;

/** Knowledge in one SQLite file. Synchronous, which is why it lives in a thread of its own. */
export class KnowledgeFile {
  readonly #database: DatabaseSync;
  readonly #sql: Statements;
  readonly #corrupt: Corrupt;

  /** Opens or creates the file, with its folder, readable by its owner alone. Throws what SQLite says. */
  constructor(path: string, corrupt: Corrupt) {
    if (path !== ":memory:") create(path);
    this.#corrupt = corrupt;
    this.#database = new DatabaseSync(path, { timeout: LIMITS.busyMs });
    // FULL: an answer means that the disk has it, so that the loss of the machine does not lose a decision either. The
    // price is one flush a group, not one a call; NORMAL, which flushes nothing, was measured 1.4 times as fast in
    // groups of 100 and eight times alone, and survives no more than the end of the process.
    this.#database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
       PRAGMA journal_size_limit = ${LIMITS.logBytes}`,
    );
    migrate(this.#database);
    const prepared = Object.entries(SQL).map(([name, text]) => [name, this.#database.prepare(text)] as const);
    this.#sql = Object.fromEntries(prepared) as unknown as Statements;
  }

  /** All of the work or nothing of it, on disk when this returns. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (failure) {
      // SQLite may have rolled back by itself, as when the disk is full.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw failure;
    }
  }

  /** One part of a transaction, undone alone if it throws. */
  part<T>(work: () => T): T {
    this.#database.exec("SAVEPOINT part");
    try {
      const result = work();
      this.#database.exec("RELEASE part");
      return result;
    } catch (failure) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK TO part; RELEASE part");
      throw failure;
    }
  }

  perform(question: Exclude<Question, { readonly do: "close" }>): Answers[keyof Answers] {
    return this.#run(workOf(question, this.#corrupt));
  }

  close(): void {
    this.#database.close();
  }

  #run<T>(work: Work<T>): T {
    let next = work.next();
    while (next.done !== true) {
      const { name, values } = next.value;
      next = work.next(this.#sql[name].all(...values));
    }
    return next.value;
  }
}

function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its log the mode of the file.
  closeSync(openSync(path, "a", 0o600));
}
