import type { Sql, TransactionSql } from "postgres";
import { laterVersion } from "./schema.ts";

/** Each text brings a database from its place in this list to the next; what has been released is never edited. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE policies (
     row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     key TEXT NOT NULL,
     uid TEXT NOT NULL,
     number BIGINT NOT NULL,
     carry TEXT,
     checksum BIGINT NOT NULL,
     epoch BIGINT NOT NULL,
     floor BIGINT NOT NULL,
     lost INTEGER NOT NULL,
     UNIQUE (key, uid)
   );
   CREATE TABLE iterations (
     row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     policy BIGINT NOT NULL REFERENCES policies (row) ON DELETE CASCADE,
     id TEXT NOT NULL,
     number BIGINT NOT NULL,
     at_ms BIGINT NOT NULL,
     outcome TEXT NOT NULL,
     decided INTEGER NOT NULL,
     body TEXT NOT NULL,
     format INTEGER NOT NULL,
     base BIGINT,
     delta BYTEA,
     size BIGINT NOT NULL,
     checksum BIGINT NOT NULL,
     UNIQUE (policy, id)
   );
   CREATE INDEX iterations_by_number ON iterations (policy, number, size);
   CREATE INDEX iterations_by_time ON iterations (policy, at_ms) WHERE decided = 1;
   CREATE INDEX iterations_open ON iterations (policy, number) WHERE outcome = 'Open';
   CREATE INDEX iterations_full ON iterations (policy, number) WHERE format = 1;
   CREATE INDEX iterations_by_base ON iterations (base) WHERE base IS NOT NULL;
   CREATE TABLE bodies (
     policy BIGINT NOT NULL REFERENCES policies (row) ON DELETE CASCADE,
     digest TEXT NOT NULL,
     number BIGINT NOT NULL,
     bytes BYTEA NOT NULL,
     PRIMARY KEY (policy, digest)
   );
   CREATE TABLE aside (
     row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     key TEXT NOT NULL,
     uid TEXT NOT NULL,
     record TEXT NOT NULL
   );
   CREATE INDEX aside_by_key ON aside (key, row)`,
];

/** Who brings the tables to a version holds this lock of the database: "sluice" in ASCII. */
const LOCK = "126943972910949";

/**
 * Brings the tables of a database to this version, in one transaction. Replicas that start at the same time do it once:
 * the others wait, and find it done. Throws if the database is of a later version.
 */
export async function migrate(sql: Sql): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction.unsafe("SET LOCAL statement_timeout = 0");
    await transaction.unsafe(`SELECT pg_advisory_xact_lock(${LOCK})`);
    const version = await versionOf(transaction);
    if (version > MIGRATIONS.length) throw laterVersion(version, MIGRATIONS.length);
    for (const step of MIGRATIONS.slice(version)) await transaction.unsafe(step);
    if (version < MIGRATIONS.length)
      await transaction.unsafe(`UPDATE schema SET version = ${MIGRATIONS.length}`);
  });
}

async function versionOf(transaction: TransactionSql): Promise<number> {
  // Asked first: a role that may not create tables can still use those that are there.
  const [there] = await transaction.unsafe("SELECT to_regclass('schema') IS NOT NULL AS there");
  if (there?.["there"] !== true)
    await transaction.unsafe(
      `CREATE TABLE schema (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), version BIGINT NOT NULL);
       INSERT INTO schema (only_one, version) VALUES (1, 0)`,
    );
  const [row] = await transaction.unsafe("SELECT version FROM schema");
  return Number(row?.["version"] ?? 0);
}
