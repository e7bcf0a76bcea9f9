import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { HistoryOffer } from "../policy/index.ts";
import { offer, type Moment } from "./history.ts";
import { LIMITS } from "./limits.ts";
import type { Entry, Kept, Owner, Recalled } from "./messages.ts";
import { migrate } from "./schema.ts";

const SQL = {
  policy: "SELECT row, key, uid, number, carry, checksum FROM policies WHERE key = ? AND uid = ?",
  newestPolicy: "SELECT row, uid FROM policies WHERE key = ? ORDER BY row DESC LIMIT 1",
  savePolicy: `INSERT INTO policies (key, uid, number, carry, checksum) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key, uid) DO UPDATE SET number = excluded.number, carry = excluded.carry, checksum = excluded.checksum
    RETURNING row`,
  dropOthers: "DELETE FROM policies WHERE key = ? AND uid <> ?",
  dropAll: "DELETE FROM policies WHERE key = ?",
  saveEntry: `INSERT INTO iterations (policy, id, number, at_ms, outcome, decided, body, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (policy, id) DO UPDATE SET number = excluded.number, at_ms = excluded.at_ms, outcome = excluded.outcome,
      decided = excluded.decided, body = excluded.body, checksum = excluded.checksum`,
  dropOld: "DELETE FROM iterations WHERE policy = ? AND number <= ?",
  saveBody: `INSERT INTO bodies (policy, digest, number, bytes) VALUES (?, ?, ?, ?)
    ON CONFLICT (policy, digest) DO UPDATE SET number = max(number, excluded.number)`,
  dropOldBodies: "DELETE FROM bodies WHERE policy = ? AND number <= ?",
  body: "SELECT bytes FROM bodies WHERE policy = ? AND digest = ?",
  dropEntry: "DELETE FROM iterations WHERE row = ?",
  entry: "SELECT id, number, at_ms, outcome, body, checksum FROM iterations WHERE row = ?",
  lastNumber: "SELECT max(number) AS number FROM iterations WHERE policy = ?",
  open: "SELECT row FROM iterations WHERE policy = ? AND outcome = 'Open' ORDER BY number DESC LIMIT 1",
  newest: "SELECT row FROM iterations WHERE policy = ? ORDER BY number DESC LIMIT ?",
  moments: `SELECT row, at_ms AS atMs FROM iterations
    WHERE policy = ? AND decided = 1 AND at_ms > ? AND at_ms <= ? ORDER BY at_ms DESC`,
} as const;
type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** More corrupt records in a row than this are the volume's trouble, not one record's. */
const NEWEST = 3;

interface PolicyRow extends Owner {
  readonly row: number;
  readonly number: number;
  readonly carry: string | null;
  readonly checksum: number;
}
interface EntryRow {
  readonly id: string;
  readonly number: number;
  readonly at_ms: number;
  readonly outcome: string;
  readonly body: string;
  readonly checksum: number;
}

/**
 * Knowledge in one SQLite file. Every record has a checksum; one that does not match is dropped, and reported once.
 * Synchronous, which is why it lives in a thread of its own.
 */
export class KnowledgeFile {
  readonly #database: DatabaseSync;
  readonly #sql: Statements;
  readonly #corrupt: (message: string) => void;

  /** Opens or creates the file, with its folder, readable by its owner alone. Throws what SQLite says. */
  constructor(path: string, corrupt: (message: string) => void) {
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

  /** What is known of this policy. What an earlier policy of the same name left behind is dropped. */
  recall(owner: Owner, history: HistoryOffer | undefined, nowMs: number): Recalled {
    this.#sql.dropOthers.run(owner.key, owner.uid);
    const policy = this.#policy(owner);
    if (policy === undefined)
      return { number: 0, carry: undefined, memory: undefined, history: "[]", open: undefined };
    const open = this.#sql.open.get(policy.row)?.["row"];
    return {
      number: policy.number,
      carry: policy.carry ?? undefined,
      memory: this.#memory(owner, policy.row),
      history: history === undefined ? "[]" : this.#history(owner, policy.row, history, nowMs),
      open: open === undefined ? undefined : this.#body(owner, Number(open)),
    };
  }

  /** Adds a pass, or replaces the one of the same id, and drops all but the newest `keep`. */
  remember(owner: Owner, keep: number, entry: Entry): void {
    const known = this.#policy(owner);
    const number = Math.max(known?.number ?? 0, entry.number);
    const carry = entry.carry === undefined ? (known?.carry ?? null) : (entry.carry.text ?? null);
    const row = this.#savePolicy({ ...owner, number, carry });
    const { id, atMs, outcome, decided, body } = entry;
    const checksum = entryChecksum(owner, { id, number: entry.number, at_ms: atMs, outcome, body });
    this.#sql.saveEntry.run(row, id, entry.number, atMs, outcome, Number(decided), body, checksum);
    for (const [digest, bytes] of entry.bodies) this.#sql.saveBody.run(row, digest, entry.number, bytes);
    this.#sql.dropOld.run(row, number - keep);
    this.#sql.dropOldBodies.run(row, number - keep);
  }

  /** The newest passes of whoever has this name now, newest first. */
  entries(key: string, limit: number): string[] {
    const policy = this.#sql.newestPolicy.get(key) as { row: number; uid: string } | undefined;
    if (policy === undefined) return [];
    const owner = { key, uid: policy.uid };
    const rows = this.#sql.newest.all(policy.row, Math.min(limit, LIMITS.entries));
    return rows.map((one) => this.#body(owner, Number(one["row"]))).filter((body) => body !== undefined);
  }

  /** Those of these bodies that are kept for whoever has this name now. */
  bodies(key: string, digests: readonly string[]): Kept[] {
    const policy = this.#sql.newestPolicy.get(key) as { row: number } | undefined;
    if (policy === undefined) return [];
    return digests.flatMap((digest) => {
      const bytes = this.#sql.body.get(policy.row, digest)?.["bytes"];
      return bytes instanceof Uint8Array ? [[digest, bytes] as const] : [];
    });
  }

  forget(key: string): void {
    this.#sql.dropAll.run(key);
  }

  close(): void {
    this.#database.close();
  }

  #policy(owner: Owner): PolicyRow | undefined {
    const found = this.#sql.policy.get(owner.key, owner.uid) as PolicyRow | undefined;
    if (found === undefined || found.checksum === policyChecksum(found)) return found;
    this.#corrupt(`what ${owner.key} carries from pass to pass does not match its checksum`);
    const last = Number(this.#sql.lastNumber.get(found.row)?.["number"] ?? 0);
    this.#savePolicy({ ...owner, number: last, carry: null });
    return { ...found, number: last, carry: null };
  }

  #savePolicy(policy: Pick<PolicyRow, "key" | "uid" | "number" | "carry">): number {
    const { key, uid, number, carry } = policy;
    return Number(this.#sql.savePolicy.get(key, uid, number, carry, policyChecksum(policy))?.["row"]);
  }

  #history(owner: Owner, policy: number, history: HistoryOffer, nowMs: number): string {
    const found = this.#sql.moments.all(policy, nowMs - history.spanSeconds * 1_000, nowMs);
    return offer(found as unknown as Moment[], history, (row) => this.#body(owner, row));
  }

  /** What the newest pass that can be read says is to be remembered: every pass hands it on. */
  #memory(owner: Owner, policy: number): string | undefined {
    for (const { row } of this.#sql.newest.all(policy, NEWEST)) {
      const body = this.#body(owner, Number(row));
      if (body === undefined) continue;
      if (!body.includes('"memory":')) return undefined;
      const { memory } = JSON.parse(body) as { memory?: unknown };
      return memory === undefined ? undefined : JSON.stringify(memory);
    }
    return undefined;
  }

  /** A pass's JSON text, or undefined if it is not what was written. */
  #body(owner: Owner, row: number): string | undefined {
    const found = this.#sql.entry.get(row) as EntryRow | undefined;
    if (found === undefined) return undefined;
    if (found.checksum === entryChecksum(owner, found)) return found.body;
    this.#corrupt(`a pass of ${owner.key} (record ${row}) does not match its checksum`);
    this.#sql.dropEntry.run(row);
    return undefined;
  }
}

function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its log the mode of the file.
  closeSync(openSync(path, "a", 0o600));
}

const policyChecksum = ({ key, uid, number, carry }: Pick<PolicyRow, "key" | "uid" | "number" | "carry">) =>
  crc32(JSON.stringify([key, uid, number, carry]));

/** Covers whose record it is as well, so that a record in the wrong place is as corrupt as a changed one. */
const entryChecksum = (owner: Owner, { id, number, at_ms, outcome, body }: Omit<EntryRow, "checksum">) =>
  crc32(body, crc32(JSON.stringify([owner.key, owner.uid, id, number, at_ms, outcome])));
