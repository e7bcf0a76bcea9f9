import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import postgresClient from "postgres";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { readFlags } from "../host/flags.ts";
import { openStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, numbers, pass } from "./store-bed.ts";
import { server } from "./store-servers.ts";

const ROOT = resolve(import.meta.dirname, "..");
const page = await readFile(join(ROOT, "docs/how-to/keep-knowledge-in-postgresql.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map((found) => found[1] ?? "");

const started = await server();
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-page-"));
});
afterEach(() => rm(folder, { recursive: true }));
afterAll(() => started?.stop());

describe.skipIf(started === undefined)("the page on knowledge in PostgreSQL", () => {
  test("says how to make the database, take knowledge along, and start the operator", async () => {
    const port = String(started?.port);
    const admin = postgresClient(`postgres://postgres@127.0.0.1:${port}/postgres`, { max: 1 });
    for (const statement of (blocks("sql")[0] ?? "").trim().split("\n")) await admin.unsafe(statement);
    await admin.end();
    // The server of a test has no certificate.
    const url =
      (blocks("text")[0] ?? "").replace("postgres.example:5432", `127.0.0.1:${port}`).split("?")[0] ?? "";
    await writeFile(join(folder, "url"), `${url}\n`);
    const before = await openStore({ file: join(folder, "state/knowledge.db"), clock });
    await before.remember(policy(), pass(7));
    await before.close();

    const [take = "", put = "", operate = ""] = blocks("sh").flatMap((block) => block.trim().split("\n"));
    const here = (command: string) =>
      command
        .replace("/var/lib/sluice", join(folder, "state"))
        .replace("/etc/sluice/knowledge-url", join(folder, "url"))
        .replace("knowledge.ndjson", join(folder, "knowledge.ndjson"));
    const run = (command: string) => promisify(execFile)("sh", ["-c", here(command)], { cwd: ROOT });
    expect((await run(take)).stdout).toContain("exported");
    expect((await run(put)).stdout).toContain("imported  1 policies");
    const after = await openStore({ url, clock });
    expect(await numbers(after)).toEqual([7]);

    const flags = here(operate).replace("npm run operator -- ", "").split(" ");
    expect(readFlags(["operator", ...flags]).knowledgeUrlFile).toBe(join(folder, "url"));
    const words = ["--no-warnings", "host/main.ts", "standalone", "--port", "0", "--for", "5", ...flags];
    await promisify(execFile)(process.execPath, [...words, "--state", folder], { cwd: ROOT });
    expect(await after.keys()).toHaveLength(2);
    await after.close();
  }, 60_000);
});
