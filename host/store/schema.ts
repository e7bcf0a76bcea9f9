import type { DatabaseSync } from "node:sqlite";

/** Each text brings a file from its place in this list to the next; what has been released is never edited. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE policies (
     row INTEGER PRIMARY KEY,
     key TEXT NOT NULL,
     uid TEXT NOT NULL,
     number INTEGER NOT NULL,
     carry TEXT,
     checksum INTEGER NOT NULL,
     UNIQUE (key, uid)
   ) STRICT;
   CREATE TABLE iterations (
     row INTEGER PRIMARY KEY,
     policy INTEGER NOT NULL REFERENCES policies (row) ON DELETE CASCADE,
     id TEXT NOT NULL,
     number INTEGER NOT NULL,
     at_ms INTEGER NOT NULL,
     outcome TEXT NOT NULL,
     decided INTEGER NOT NULL,
     body TEXT NOT NULL,
     checksum INTEGER NOT NULL,
     UNIQUE (policy, id)
   ) STRICT;
   CREATE INDEX iterations_by_number ON iterations (policy, number);
   CREATE INDEX iterations_by_time ON iterations (policy, at_ms) WHERE decided = 1;
   CREATE INDEX iterations_open ON iterations (policy, number) WHERE outcome = 'Open';`,
  // What passes were answered by services, once for all of a policy's passes that name it; number is the newest of them.
  `CREATE TABLE bodies (
     policy INTEGER NOT NULL REFERENCES policies (row) ON DELETE CASCADE,
     digest TEXT NOT NULL,
     number INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (policy, digest)
   ) STRICT, WITHOUT ROWID;`,
  // Terms, a floor below which nothing is kept, passes as differences to an earlier one, and records that are set aside.
  `ALTER TABLE policies ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE policies ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE policies ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE iterations ADD COLUMN format INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE iterations ADD COLUMN base INTEGER;
   ALTER TABLE iterations ADD COLUMN delta BLOB;
   ALTER TABLE iterations ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
   UPDATE iterations SET size = octet_length(body);
   DROP INDEX iterations_by_number;
   CREATE INDEX iterations_by_number ON iterations (policy, number, size);
   CREATE INDEX iterations_full ON iterations (policy, number) WHERE format = 1;
   CREATE INDEX iterations_by_base ON iterations (base) WHERE base IS NOT NULL;
   CREATE TABLE aside (row INTEGER PRIMARY KEY, key TEXT NOT NULL, uid TEXT NOT NULL, record TEXT NOT NULL) STRICT;
   CREATE INDEX aside_by_key ON aside (key, row);`,
];

/**
 * Brings the tables of a knowledge file to this version, each step in a transaction of its own. Throws if the file is of
 * a later version: an older host would not understand what it reads.
 */
export function migrate(database: DatabaseSync): void {
  database.exec(
    `CREATE TABLE IF NOT EXISTS schema (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL) STRICT;
     INSERT OR IGNORE INTO schema (only, version) VALUES (1, 0);`,
  );
  const version = versionOf(database);
  if (version > MIGRATIONS.length) throw laterVersion(version, MIGRATIONS.length);
  MIGRATIONS.slice(version).forEach((step, at) => {
    database.exec(`BEGIN IMMEDIATE; ${step}; UPDATE schema SET version = ${version + at + 1}; COMMIT`);
  });
}

/** Knowledge was written by a later version than this one knows. */
export const laterVersion = (found: number, known: number) =>
  new Error(`its schema version is ${found} and this host knows ${known}: run a newer host`);

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("SELECT version FROM schema").get()?.["version"] ?? 0);
}
