/** What a statement takes and gives: SQLite and PostgreSQL have these kinds of values in common. */
export type Value = string | number | null | Uint8Array;
export type Row = Readonly<Record<string, unknown>>;

/** One statement to be performed; its rows are what the work goes on with. */
export interface Ask {
  readonly name: StatementName;
  readonly values: readonly Value[];
}
/** Work on knowledge that knows nothing of how statements are performed: at once, or over a network. */
export type Work<T> = Generator<Ask, T, readonly Row[]>;

const ENTRY = `SELECT e.row, e.id, e.number, e.at_ms, e.outcome, e.decided, e.body, e.format, e.delta, e.checksum, b.body AS base
  FROM iterations e LEFT JOIN iterations b ON b.row = e.base`;

/** Every statement that is made on knowledge, in the SQL that SQLite and PostgreSQL share. */
export const SQL = {
  policy:
    "SELECT row, key, uid, number, carry, checksum, epoch, floor, lost FROM policies WHERE key = ? AND uid = ?",
  // PostgreSQL holds the row until the end of the transaction: see LOCKING.
  lockPolicy:
    "SELECT row, key, uid, number, carry, checksum, epoch, floor, lost FROM policies WHERE key = ? AND uid = ?",
  newestPolicy:
    "SELECT row, uid, number, carry, epoch, floor FROM policies WHERE key = ? ORDER BY row DESC LIMIT 1",
  keys: "SELECT DISTINCT key FROM policies ORDER BY key",
  epoch: "SELECT max(epoch) AS epoch FROM policies WHERE key = ?",
  savePolicy: `INSERT INTO policies (key, uid, number, carry, checksum, epoch, floor, lost) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, uid) DO UPDATE SET number = excluded.number, carry = excluded.carry, checksum = excluded.checksum,
      epoch = excluded.epoch, floor = excluded.floor, lost = excluded.lost
    WHERE policies.epoch <= excluded.epoch RETURNING row`,
  // Below whatever epoch stands in a row that is corrupt.
  mendPolicy:
    "UPDATE policies SET number = ?, carry = NULL, checksum = ?, epoch = 0, floor = 0, lost = 1 WHERE row = ?",
  raiseFloor: "UPDATE policies SET floor = ? WHERE row = ?",
  markLost: "UPDATE policies SET lost = 1 WHERE row = ? AND number <= ?",
  dropOthers: "DELETE FROM policies WHERE key = ? AND uid <> ? AND epoch <= ?",
  dropAll: "DELETE FROM policies WHERE key = ?",
  dropAllAside: "DELETE FROM aside WHERE key = ?",

  known: "SELECT row, format FROM iterations WHERE policy = ? AND id = ?",
  dependents: `${ENTRY} WHERE e.policy = ? AND e.base = ?`,
  makeFull: "UPDATE iterations SET body = ?, format = 1, base = NULL, delta = NULL, size = ? WHERE row = ?",
  base: `${ENTRY} WHERE e.policy = ? AND e.format = 1 AND e.outcome <> 'Open' AND e.number < ?
    ORDER BY e.number DESC LIMIT 1`,
  saveEntry: `INSERT INTO iterations
      (policy, id, number, at_ms, outcome, decided, body, format, base, delta, size, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (policy, id) DO UPDATE SET number = excluded.number, at_ms = excluded.at_ms, outcome = excluded.outcome,
      decided = excluded.decided, body = excluded.body, format = excluded.format, base = excluded.base,
      delta = excluded.delta, size = excluded.size, checksum = excluded.checksum`,
  // What a kept pass is the difference to stays for as long as that one does.
  dropOld: `DELETE FROM iterations WHERE policy = ? AND number <= ?
    AND NOT EXISTS (SELECT 1 FROM iterations d WHERE d.base = iterations.row AND d.number > ?)`,
  dropEntry: "DELETE FROM iterations WHERE row = ?",
  entry: `${ENTRY} WHERE e.row = ?`,
  lastNumber: "SELECT max(number) AS number FROM iterations WHERE policy = ?",
  open: `${ENTRY} WHERE e.policy = ? AND e.outcome = 'Open' ORDER BY e.number DESC LIMIT 1`,
  newest: `${ENTRY} WHERE e.policy = ? AND e.number > ? ORDER BY e.number DESC LIMIT ?`,
  moments: `SELECT row, at_ms FROM iterations
    WHERE policy = ? AND decided = 1 AND number > ? AND at_ms > ? AND at_ms <= ? ORDER BY at_ms DESC`,

  size: `SELECT CAST(coalesce((SELECT sum(size) FROM iterations WHERE policy = ?), 0)
    + coalesce((SELECT sum(octet_length(bytes)) FROM bodies WHERE policy = ?), 0) AS BIGINT) AS size`,
  sizes: `SELECT number, size FROM iterations WHERE policy = ?
    UNION ALL SELECT number, octet_length(bytes) AS size FROM bodies WHERE policy = ? ORDER BY number DESC`,
  saveBody: `INSERT INTO bodies (policy, digest, number, bytes) VALUES (?, ?, ?, ?)
    ON CONFLICT (policy, digest) DO UPDATE
    SET number = CASE WHEN excluded.number > bodies.number THEN excluded.number ELSE bodies.number END`,
  dropOldBodies: "DELETE FROM bodies WHERE policy = ? AND number <= ?",
  body: "SELECT bytes FROM bodies WHERE policy = ? AND digest = ?",
  allBodies:
    "SELECT digest, number, bytes FROM bodies WHERE policy = ? AND number > ? ORDER BY number, digest",

  setAside: "INSERT INTO aside (key, uid, record) VALUES (?, ?, ?)",
  dropOldAside: `DELETE FROM aside WHERE key = ?
    AND row NOT IN (SELECT row FROM aside WHERE key = ? ORDER BY row DESC LIMIT ?)`,
  aside: "SELECT record FROM aside WHERE key = ? ORDER BY row DESC",
} as const;
export type StatementName = keyof typeof SQL;

/** Has one statement performed; answers its rows. */
export function* ask(name: StatementName, ...values: readonly Value[]): Work<readonly Row[]> {
  return yield { name, values };
}

/** The first row of a statement's answer. */
export function* askOne(name: StatementName, ...values: readonly Value[]): Work<Row | undefined> {
  return (yield { name, values })[0];
}

/** Statements that hold the rows which they read, where the server lets others write at the same time. */
export const LOCKING: readonly StatementName[] = ["lockPolicy"];
