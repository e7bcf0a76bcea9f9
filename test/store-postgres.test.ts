import { crc32 } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, pass } from "./store-bed.ts";
import { contract } from "./store-contract.ts";
import { placeOn, server } from "./store-servers.ts";

/** The tables as the first version made them. This text is history: it is never changed. */
const FIRST = `CREATE TABLE schema (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), version BIGINT NOT NULL);
  INSERT INTO schema VALUES (1, 1);
  CREATE TABLE policies (row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT NOT NULL, uid TEXT NOT NULL,
    number BIGINT NOT NULL, carry TEXT, checksum BIGINT NOT NULL, epoch BIGINT NOT NULL, floor BIGINT NOT NULL,
    lost INTEGER NOT NULL, UNIQUE (key, uid));
  CREATE TABLE iterations (row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy BIGINT NOT NULL REFERENCES policies (row) ON DELETE CASCADE, id TEXT NOT NULL, number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL, outcome TEXT NOT NULL, decided INTEGER NOT NULL, body TEXT NOT NULL, format INTEGER NOT NULL,
    base BIGINT, delta BYTEA, size BIGINT NOT NULL, checksum BIGINT NOT NULL, UNIQUE (policy, id));
  CREATE TABLE bodies (policy BIGINT NOT NULL REFERENCES policies (row) ON DELETE CASCADE, digest TEXT NOT NULL,
    number BIGINT NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (policy, digest));
  CREATE TABLE aside (row BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT NOT NULL, uid TEXT NOT NULL,
    record TEXT NOT NULL)`;

const started = await server();
afterAll(() => started?.stop());
const place = () => {
  if (started === undefined) throw new Error("there is no PostgreSQL here");
  return placeOn(started);
};

describe.skipIf(started === undefined)("knowledge on a server", () => {
  contract("PostgreSQL", place);

  test("has its tables made once by replicas that start at the same time, whose passes do not meet", async () => {
    await using here = await place();
    const replicas = await Promise.all([1, 2, 3, 4].map(() => here.open()));
    expect(await here.rows("SELECT version FROM schema")).toEqual([{ version: "1" }]);
    await Promise.all(
      replicas.map((one, at) => one.remember(policy({ key: `team/${at}` as never }), pass(at + 1))),
    );
    expect(await replicas[0]?.keys()).toEqual(["team/0", "team/1", "team/2", "team/3"]);
  });

  test("of the first version is read, with all that it knew", async () => {
    await using here = await place();
    await here.tamper(FIRST);
    const [body, at] = [JSON.stringify(pass(5)), Date.parse(pass(5).at)];
    const checksum = crc32(
      body,
      crc32(JSON.stringify(["team-a/clicks", "uid-1", "pass-5", 5, at, "Unchanged"])),
    );
    const owned = crc32(JSON.stringify(["team-a/clicks", "uid-1", 5, "{}"]));
    await here.tamper(`INSERT INTO policies (key, uid, number, carry, checksum, epoch, floor, lost)
        VALUES ('team-a/clicks', 'uid-1', 5, '{}', ${owned}, 0, 0, 0);
      INSERT INTO iterations (policy, id, number, at_ms, outcome, decided, body, format, size, checksum)
        VALUES (1, 'pass-5', 5, ${at}, 'Unchanged', 1, '${body}', 1, ${body.length}, ${checksum})`);
    const knowledge = await here.open();
    expect(await knowledge.recall(policy())).toMatchObject({ number: 5, carry: "{}" });
    await knowledge.remember(policy(), pass(6));
    expect(await knowledge.entries(policy().key, 10)).toStrictEqual([pass(6), pass(5)]);
  });

  test("of a later version is refused with one sentence, and left as it is", async () => {
    await using here = await place();
    await (await here.open()).close();
    await here.tamper("UPDATE schema SET version = 900");
    await expect(here.open()).rejects.toMatchObject({
      code: "StoreUnavailable",
      message: expect.stringContaining("900"),
    });
  });

  test("has at most four connections of a replica, however much is asked at once", async () => {
    await using here = await place();
    const knowledge = await here.open();
    const many = Array.from({ length: 400 }, (_, at) => policy({ key: `team/${at}` as never }));
    await Promise.all(many.map((of) => knowledge.remember(of, pass(1))));
    const [found] = await here.rows(
      `SELECT count(*)::int AS n FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'sluice'`,
    );
    expect(found?.["n"]).toBeGreaterThan(1);
    expect(found?.["n"]).toBeLessThanOrEqual(4);
  });

  test("that cannot be reached is said without the password", async () => {
    const url = "postgres://sluice:s3cret@127.0.0.1:1/knowledge";
    const thrown: unknown = await openStore({ url, clock }).catch((fault: unknown) => fault);
    expect(thrown).toMatchObject({ code: "StoreUnavailable", retry: true });
    expect(String(thrown)).toContain("127.0.0.1:1");
    expect(String(thrown)).not.toContain("s3cret");
  });
});
