import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, keeping, pass } from "./store-bed.ts";

/** The tables as released versions made them. These texts are history: they are never changed. */
const FIRST = `
  CREATE TABLE schema (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL) STRICT;
  INSERT INTO schema (only, version) VALUES (1, 1);
  CREATE TABLE policies (row INTEGER PRIMARY KEY, key TEXT NOT NULL, uid TEXT NOT NULL, number INTEGER NOT NULL,
    carry TEXT, checksum INTEGER NOT NULL, UNIQUE (key, uid)) STRICT;
  CREATE TABLE iterations (row INTEGER PRIMARY KEY,
    policy INTEGER NOT NULL REFERENCES policies (row) ON DELETE CASCADE, id TEXT NOT NULL, number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, outcome TEXT NOT NULL, decided INTEGER NOT NULL, body TEXT NOT NULL,
    checksum INTEGER NOT NULL, UNIQUE (policy, id)) STRICT;
  CREATE INDEX iterations_by_number ON iterations (policy, number);
  CREATE INDEX iterations_by_time ON iterations (policy, at_ms) WHERE decided = 1;
  CREATE INDEX iterations_open ON iterations (policy, number) WHERE outcome = 'Open';`;
const SECOND = `${FIRST}
  CREATE TABLE bodies (policy INTEGER NOT NULL REFERENCES policies (row) ON DELETE CASCADE, digest TEXT NOT NULL,
    number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (policy, digest)) STRICT, WITHOUT ROWID;
  UPDATE schema SET version = 2;`;

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-schema-"));
  file = join(folder, "knowledge.db");
});
afterEach(() => rm(folder, { recursive: true }));

/** A file of an earlier version, with pass 5 of the policy as that version wrote it. */
async function written(schema: string, rest = ""): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const database = new DatabaseSync(file);
  database.exec(schema);
  const [body, at] = [JSON.stringify(pass(5)), Date.parse(pass(5).at)];
  const owned = ["team-a/clicks", "uid-1"];
  database
    .prepare("INSERT INTO policies VALUES (1, ?, ?, 5, ?, ?)")
    .run(...owned, '{"level":1.0}', crc32(JSON.stringify([...owned, 5, '{"level":1.0}'])));
  database
    .prepare("INSERT INTO iterations VALUES (1, 1, 'pass-5', 5, ?, 'Unchanged', 1, ?, ?)")
    .run(at, body, crc32(body, crc32(JSON.stringify([...owned, "pass-5", 5, at, "Unchanged"]))));
  database.exec(rest);
  database.close();
}

test.each([
  ["first", FIRST, ""],
  ["second", SECOND, "INSERT INTO bodies VALUES (1, 'sha256:1', 5, x'0102')"],
])("a file of the %s version is brought to this one, with all that it knew", async (_, schema, rest) => {
  await written(schema, rest);
  const faults: unknown[] = [];
  const store = await openStore({ file, clock, report: (fault) => faults.push(fault) });
  const past = await store.recall(policy());
  expect([past.number, past.carry, past.memoryLost]).toEqual([5, '{"level":1.0}', undefined]);
  expect(await store.entries(policy().key, 10)).toStrictEqual([pass(5)]);
  const answered = { status: 200, headers: {}, body: { digest: "sha256:1", bytes: 2 } };
  const journal = { plan: [{ kind: "http", request: "", body: "", answers: [answered] }] } as const;
  const bodies = new Map([["sha256:1", new Uint8Array([1, 2])]]);
  expect(await store.bodies(policy().key, journal)).toEqual(rest === "" ? new Map() : bodies);
  await store.remember(policy(), pass(6, 0, { journal, bodies }));
  expect(await store.bodies(policy().key, journal)).toEqual(bodies);
  for (const number of [7, 8]) await store.remember(keeping(2), pass(number));
  expect(await store.entries(policy().key, 10)).toStrictEqual([pass(8), pass(7)]);
  expect(faults).toEqual([]);
  await store.close();
});
