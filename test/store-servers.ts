// Places of knowledge in a real PostgreSQL server.
import postgresClient from "postgres";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { clock, type Place, type Wishes } from "./store-bed.ts";
import { NoPostgres, postgres, type Postgres } from "./world/postgres.ts";

/** A server; undefined where there is no PostgreSQL and none can be installed: on a builder that is a failure. */
export async function server(): Promise<Postgres | undefined> {
  try {
    return await postgres();
  } catch (thrown) {
    if (!(thrown instanceof NoPostgres) || process.env["CI"] === "true") throw thrown;
    process.stderr.write(`NOT TESTED: knowledge in PostgreSQL. ${thrown.message}\n`);
    return undefined;
  }
}

let databases = 0;
/** A new database of the server, and what opens stores on it. */
export async function placeOn(server: Postgres): Promise<Place & { readonly url: string }> {
  databases += 1;
  const url = await server.database(`knowledge_${databases}`);
  const opened: KnowledgeStore[] = [];
  const rows = async (sql: string) => {
    const client = postgresClient(url, { max: 1, onnotice: () => undefined });
    try {
      return [...(await client.unsafe(sql))];
    } finally {
      await client.end({ timeout: 1 });
    }
  };
  return {
    url,
    rows,
    open: async (wishes: Wishes = {}) => {
      const one = await openStore({ url, clock, ...wishes });
      opened.push(one);
      return one;
    },
    tamper: async (sql) => void (await rows(sql)),
    [Symbol.asyncDispose]: async () => void (await Promise.allSettled(opened.map((one) => one.close()))),
  };
}
