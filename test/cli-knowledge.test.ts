import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, pass } from "./store-bed.ts";

const COMMAND = resolve(import.meta.dirname, "../host/cli/main.ts");
const answered = { status: 200, headers: {}, body: { digest: "sha256:1", bytes: 3 } };
const journal = { plan: [{ kind: "http", request: "", body: "", answers: [answered] }] } as const;
const bodies = new Map([["sha256:1", new Uint8Array([1, 2, 255])]]);
const neighbour = policy({ key: "team-b/clicks" as never });

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-export-"));
  file = join(folder, "knowledge.ndjson");
});
afterEach(() => rm(folder, { recursive: true }));

const open = (state: string) => openStore({ file: join(folder, state, "knowledge.db"), clock });
async function knowledge(...words: string[]): Promise<string> {
  const flags = ["--no-warnings", COMMAND, "knowledge", ...words];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder });
  return stdout;
}
const refused = (...words: string[]): Promise<unknown> =>
  knowledge(...words).then(
    () => "it was taken",
    (thrown: unknown) => (thrown as { stderr: string }).stderr,
  );

/** Three passes of one policy, one of them a difference, with a body; and one pass of another. */
async function filled(state: string): Promise<void> {
  const store = await open(state);
  await store.remember(policy(), pass(1, 30, { carry: '{"level":1.0}', journal, bodies }));
  await store.remember(policy(), pass(2, 15));
  await store.remember(policy(), pass(3, 0, { outcome: "Open" }));
  await store.remember(neighbour, pass(8));
  await store.close();
}

describe("sluice knowledge", () => {
  test("exports what is known, and imports it elsewhere as it was", async () => {
    await filled("from");
    expect(await knowledge("export", file, "--state", "from")).toBe(`exported  ${file} (9 lines)\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await knowledge("import", file, "--state", "to")).toContain("imported  2 policies");
    const [from, to] = [await open("from"), await open("to")];
    for (const of of [policy(), neighbour]) {
      expect(await to.recall(of)).toStrictEqual(await from.recall(of));
      expect(await to.entries(of.key, 10)).toStrictEqual(await from.entries(of.key, 10));
    }
    expect((await to.recall(policy())).open?.id).toBe("pass-3");
    expect(await to.bodies(policy().key, journal)).toEqual(bodies);
    await Promise.all([from.close(), to.close()]);
  });

  test("exports one policy alone, and leaves what is known already unless it is told to replace it", async () => {
    await filled("from");
    await knowledge("export", file, "--state", "from", "--policy", "team-a/clicks");
    const store = await open("to");
    await store.remember(policy(), pass(70));
    await store.close();
    expect(await knowledge("import", file, "--state", "to")).toBe(
      "imported  0 policies\nleft      1 that were known already\n",
    );
    const replaced = await knowledge("import", file, "--state", "to", "--replace", "--output", "json");
    expect(JSON.parse(replaced)).toMatchObject({ imported: 1, known: 0 });
    const after = await open("to");
    expect((await after.recall(policy())).number).toBe(3);
    expect(await after.keys()).toEqual(["team-a/clicks"]);
    await after.close();
  });

  test("imports nothing of a file that was changed, or cut off, and says which line", async () => {
    await filled("from");
    await knowledge("export", file, "--state", "from");
    const whole = await readFile(file, "utf8");
    await writeFile(file, whole.replace('"number":8', '"number":9'));
    expect(await refused("import", file, "--state", "to")).toContain(
      "Line 7 of the export is not what was written",
    );
    await writeFile(file, whole.split("\n").slice(0, 5).join("\n"));
    expect(await refused("import", file, "--state", "to")).toContain("Line 6 of the export is missing");
    await expect(stat(join(folder, "to"))).rejects.toThrow("ENOENT");
  });

  test("names what is not there, or no database", async () => {
    expect(await refused("export", file, "--state", "nowhere")).toMatch(
      /--state: nowhere\/knowledge.db is not there/,
    );
    await writeFile(join(folder, "url"), "https://example.test\n");
    const said = await refused("export", file, "--knowledge-url-file", join(folder, "url"));
    expect(said).toContain("has no URL of a PostgreSQL database");
  });
});
