import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as artifact from "../host/artifact/index.ts";
import { tenantKey } from "../host/policy/index.ts";
import { HONEST, HONEST_BLOB, hostileRegistry, say } from "./hostile-registry.ts";
import { faultOf, sha256 } from "./modules.ts";

const A = tenantKey("team-a");
const B = tenantKey("team-b");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-cache-"));
});
afterAll(() => rm(folder, { recursive: true }));

const cache = (name: string, cacheBytes = 1_000, tenantCacheBytes = 1_000) =>
  new artifact.ModuleCache(join(folder, name), { cacheBytes, tenantCacheBytes });
const bytes = (figure: number) => Buffer.alloc(100, figure);
const digest = (figure: number) => artifact.digestOf(bytes(figure));
const held = async (one: artifact.ModuleCache, tenant: typeof A, figures: readonly number[]) => {
  const all = await Promise.all(
    figures.map(async (figure) => ((await one.get(tenant, digest(figure))) ? [figure] : [])),
  );
  return all.flat();
};

describe("the cache", () => {
  test("drops what was not used for the longest time when it is above its size, in the order of an earlier process too", async () => {
    const first = cache("lru", 300);
    for (const figure of [1, 2, 3]) await first.put(A, digest(figure), bytes(figure));
    expect(await held(first, A, [1])).toEqual([1]);
    const second = cache("lru", 300);
    await second.put(A, digest(4), bytes(4));
    expect(await held(second, A, [1, 2, 3, 4])).toEqual([1, 3, 4]);
  });

  test("takes a tenant's own modules first, so nobody pushes out what others run", async () => {
    const one = cache("shares", 1_000, 200);
    await one.put(B, digest(9), bytes(9));
    for (const figure of [1, 2, 3, 4]) await one.put(A, digest(figure), bytes(figure));
    expect([await held(one, B, [9]), await held(one, A, [1, 2, 3, 4])]).toEqual([[9], [3, 4]]);
  });

  test("gives out nothing that changed on the disk, and forgets it", async () => {
    const one = cache("changed");
    await one.put(A, digest(1), bytes(1));
    const files = await readdir(join(folder, "changed"), { recursive: true });
    const path = join(folder, "changed", files.find((name) => name.endsWith(digest(1).slice(7))) ?? "");
    await writeFile(path, bytes(2));
    expect(await one.get(A, digest(1))).toBeUndefined();
    await expect(readFile(path)).rejects.toThrow("ENOENT");
  });

  test("removes what a process left unfinished, and never takes it for a module", async () => {
    const path = join(folder, "torn", "0".repeat(32), "sha256");
    await mkdir(path, { recursive: true });
    await writeFile(join(path, ".unfinished-1"), bytes(1).subarray(0, 40));
    expect(await held(cache("torn"), A, [1])).toEqual([]);
    expect(await readdir(path)).toEqual([]);
  });

  test("keeps a tenant whose name is a path in its place", async () => {
    const one = cache("names");
    await one.put(tenantKey("../../escape"), digest(1), bytes(1));
    expect((await readdir(join(folder, "names"))).map((name) => /^[0-9a-f]{32}$/.test(name))).toEqual([true]);
  });
});

const resolveAll = async (
  name: string,
  asks: readonly [tenant: typeof A, repository: string][],
  wrong = false,
) => {
  await using registry = await hostileRegistry();
  if (wrong) registry.reply(HONEST_BLOB, say(200, {}, Buffer.alloc(HONEST.length)));
  let most = 0;
  let now = 0;
  registry.reply("*", (response) => {
    most = Math.max(most, (now += 1));
    setTimeout(() => {
      now -= 1;
      say(404)(response, response.req);
    }, 50);
  });
  const artifacts = artifact.registryArtifacts({
    directory: join(folder, name),
    insecure: [registry.host],
  });
  const answers = await Promise.allSettled(
    asks.map(([tenant, repository]) => artifacts.resolve(tenant, `oci://${registry.host}/${repository}`)),
  );
  await artifacts.close();
  return { answers, most, paths: registry.seen.map(({ path }) => path) };
};

describe("what is resolved through the cache", () => {
  test("is asked for once by a hundred policies of a tenant that start together", async () => {
    const { answers, paths } = await resolveAll(
      "single",
      Array.from({ length: 100 }, () => [A, "a:1"]),
    );
    expect(answers.every((one) => one.status === "fulfilled" && one.value.digest === sha256(HONEST))).toBe(
      true,
    );
    expect(paths).toEqual(["/v2/a/manifests/1", `/v2/a/${HONEST_BLOB}`]);
  });

  test("travels again for another tenant, and for the same one not", async () => {
    await using registry = await hostileRegistry();
    const options = { directory: join(folder, "again"), insecure: [registry.host] };
    for (const tenant of [A, A, B]) {
      const artifacts = artifact.registryArtifacts(options);
      await artifacts.resolve(tenant, `oci://${registry.host}/a:1`);
      await artifacts.close();
    }
    const asked = registry.seen.map(({ path }) => path.split("/")[3]);
    expect(asked).toEqual(["manifests", "blobs", "manifests", "manifests", "blobs"]);
  });

  test("is at most two pulls at a time of one tenant, whatever it asks for", async () => {
    const asks = Array.from({ length: 8 }, (_, at): [typeof A, string] => [A, `b/${at}:1`]);
    expect((await resolveAll("lanes", asks)).most).toBe(2);
    expect((await resolveAll("lanes", [...asks, [B, "b/8:1"], [B, "b/9:1"]])).most).toBe(4);
  });

  test("leaves no file behind when it was not what it should be", async () => {
    const { answers } = await resolveAll("wrong", [[A, "a:1"]], true);
    expect(answers).toMatchObject([{ reason: { code: "DigestMismatch" } }]);
    expect(await readdir(join(folder, "wrong"), { recursive: true })).toEqual([]);
  });

  test("is a fault of the cache when its disk fails, and works again when the disk does", async () => {
    await writeFile(join(folder, "disk"), "not a directory");
    await using registry = await hostileRegistry();
    const artifacts = artifact.registryArtifacts({
      directory: join(folder, "disk"),
      insecure: [registry.host],
    });
    const fault = await faultOf(artifacts.resolve(A, `oci://${registry.host}/a:1`));
    expect(fault).toMatchObject({
      code: "ArtifactUnavailable",
      message: `${sha256(HONEST)}: the cache failed (EEXIST)`,
      retry: true,
    });
    await rm(join(folder, "disk"));
    expect((await artifacts.resolve(A, `oci://${registry.host}/a:1`)).digest).toBe(sha256(HONEST));
    await artifacts.close();
  });
});
