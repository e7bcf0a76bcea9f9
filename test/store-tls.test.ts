import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";
import { clock, pass } from "./store-bed.ts";
import { server } from "./store-servers.ts";
import { sharedCluster } from "./world/index.ts";

const COMMAND = resolve(import.meta.dirname, "../host/cli/main.ts");

const started = await server();
let folder = "";
let keys = "";
let url = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-tls-"));
  // The test cluster's authority signs for 127.0.0.1, and no machine knows it.
  keys = dirname((await sharedCluster()).kubeconfig);
  if (started === undefined) return;
  url = await started.database("tls");
  await started.onlyTls(join(keys, "apiserver.crt"), join(keys, "apiserver.key"));
  await started.kill();
  await started.start();
  const store = await openStore({ file: join(folder, "knowledge.db"), clock });
  await store.remember(policy(), pass(1));
  await store.close();
  await knowledge(["export", join(folder, "knowledge.ndjson"), "--state", folder]);
});
afterAll(async () => {
  await started?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function knowledge(words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { ...process.env, ...environment };
  const flags = ["--no-warnings", COMMAND, "knowledge", ...words];
  return promisify(execFile)(process.execPath, flags, { env }).then(
    ({ stdout }) => stdout,
    (thrown: unknown) => (thrown as { stderr: string }).stderr,
  );
}

/** What an import says that reaches the server so. */
async function imported(mode: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const file = join(folder, `url-${mode}`);
  await writeFile(file, mode === "" ? url : `${url}?sslmode=${mode}`);
  const words = ["import", join(folder, "knowledge.ndjson"), "--replace", "--knowledge-url-file", file];
  return knowledge(words, environment);
}

describe.skipIf(started === undefined)("PostgreSQL that is reached over TLS alone", () => {
  test("takes what is sent over TLS, checked against an authority that the machine was given", async () => {
    const known = { NODE_EXTRA_CA_CERTS: join(keys, "ca.crt") };
    expect(await imported("verify-full", known)).toContain("imported  1 polic");
    expect(await imported("require")).toContain("imported  1 polic");
  });

  test("is not spoken to under a name that nobody vouches for, nor without TLS", async () => {
    expect(await imported("verify-full")).toMatch(/StoreUnavailable.*unable to verify/s);
    expect(await imported("")).toMatch(/StoreUnavailable/);
  });
});
