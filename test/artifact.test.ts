import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as artifact from "../host/artifact/index.ts";
import { tenantKey } from "../host/policy/index.ts";
import { credentials, faultOf, sha256, wasm } from "./modules.ts";
import { registry } from "./world/index.ts";

type World = Awaited<ReturnType<typeof registry>>;
const A = tenantKey("team-a");
const B = tenantKey("team-b");

let folder = "";
let open: World;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-artifact-"));
  open = await registry();
});
afterAll(async () => {
  await open.stop();
  await rm(folder, { recursive: true });
});
const client = (world: World, rest: artifact.RegistryOptions = {}) =>
  new artifact.Registry({ insecure: [world.host], ...rest });
const at = (world: World, rest: string) => artifact.parseReference(`oci://${world.host}/${rest}`);

describe("a push and a pull against a real registry", () => {
  test("bring back the same bytes, by tag and by digest", async () => {
    const registry = client(open);
    const pushed = await registry.push(at(open, "algorithms/one:1.0"), wasm("one"));
    expect(pushed.digest).toBe(sha256(wasm("one")));
    for (const selector of ["one:1.0", `one@${pushed.manifestDigest}`, `one:1.0@${pushed.manifestDigest}`]) {
      const pulled = await registry.pull(at(open, `algorithms/${selector}`));
      expect(pulled).toEqual({ ...pushed, bytes: wasm("one") });
    }
  });

  test("write the CNCF layout, and the same bytes give the same digest again", async () => {
    const registry = client(open);
    const metadata = { title: "threshold", version: "1.2.3" };
    const one = await registry.push(at(open, "layout/a:1"), wasm("same"), { metadata });
    const two = await registry.push(at(open, "layout/b:2"), wasm("same"), { metadata });
    expect(two).toEqual(one);
    const manifest = await (
      await fetch(`${open.url}/v2/layout/a/manifests/1`, {
        headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      })
    ).json();
    const { config } = manifest as { config: { digest: string } };
    expect(manifest).toEqual({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.wasm.config.v0+json", digest: config.digest, size: 161 },
      layers: [
        {
          mediaType: "application/wasm",
          digest: one.digest,
          size: 16,
          annotations: { "org.opencontainers.image.title": "threshold.wasm" },
        },
      ],
      annotations: {
        "org.opencontainers.image.title": "threshold",
        "org.opencontainers.image.version": "1.2.3",
      },
    });
    expect(await (await fetch(`${open.url}/v2/layout/a/blobs/${config.digest}`)).json()).toEqual({
      created: "1970-01-01T00:00:00Z",
      architecture: "wasm",
      os: "wasip1",
      layerDigests: [one.digest],
    });
  });

  test("work with a module of 4 MiB, the largest that is allowed unless the limit is raised", async () => {
    const registry = client(open);
    const most = Buffer.alloc(4_194_304);
    wasm("").copy(most, 0, 0, 8);
    await registry.push(at(open, "sizes/most:1"), most);
    expect((await registry.pull(at(open, "sizes/most:1"))).bytes.length).toBe(4_194_304);
    const more = Buffer.concat([most, Buffer.alloc(1)]);
    await registry.push(at(open, "sizes/more:1"), more);
    const fault = await faultOf(registry.pull(at(open, "sizes/more:1")));
    expect(fault).toMatchObject({ code: "ArtifactInvalid", retry: false });
    expect(fault.message).toBe(`oci://${open.host}/sizes/more:1 is 4194305 bytes long; 4194304 are allowed`);
    expect((await registry.pull(at(open, "sizes/more:1"), { moduleBytes: 5_000_000 })).bytes.length).toBe(
      4_194_305,
    );
  });

  test("refuse what is no module before anything is sent", async () => {
    const registry = client(open);
    const push = (bytes: Uint8Array) => faultOf(registry.push(at(open, "nonsense:1"), bytes));
    expect((await push(Buffer.from("#!/bin/sh"))).message).toContain("is not WebAssembly");
    expect(await push(Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]))).toMatchObject({
      code: "ArtifactInvalid",
      remedy: "Build a core module (wasip1 or freestanding) instead of a component.",
    });
    expect(await faultOf(registry.pull(at(open, "nonsense:1")))).toMatchObject({
      code: "ArtifactNotFound",
      retry: false,
    });
  });
});

describe.each(["basic", "bearer"] as const)("a registry with TLS and %s authentication", (auth) => {
  let world: World;
  let ca = "";
  beforeAll(async () => {
    world = await registry({ auth, tls: true });
    ca = await readFile(world.ca ?? "", "utf8");
  });
  afterAll(() => world.stop());

  test("gives an artifact to whoever has the password, and to nobody else", async () => {
    const registry = new artifact.Registry({ ca });
    const good = credentials(world.host, world.username, world.password);
    const pushed = await registry.push(at(world, "private/one:1"), wasm("secret"), { credentials: good });
    expect(await registry.pull(at(world, "private/one:1"), { credentials: good })).toMatchObject(pushed);
    const wrong = credentials(world.host, world.username, "hunter2");
    for (const shown of [wrong, new Map(), credentials(`${world.host}0`, world.username, world.password)]) {
      const fault = await faultOf(registry.pull(at(world, "private/one:1"), { credentials: shown }));
      expect(fault).toMatchObject({ code: "ArtifactDenied", retry: false });
      expect(fault.message).toContain(`oci://${world.host}/private/one:1`);
      expect(JSON.stringify([fault.sentence, String(fault.cause)])).not.toMatch(/hunter2|open secret/);
    }
  });

  test("is not spoken to when nobody vouches for its certificate", async () => {
    const fault = await faultOf(new artifact.Registry().pull(at(world, "private/one:1")));
    expect(fault).toMatchObject({ code: "ArtifactUnavailable", retry: true });
    expect(fault.message).toMatch(/the registry's certificate is not trusted \([A-Z_]+\)$/);
  });
});

const artifacts = (name: string, rest: Partial<artifact.RegistryArtifactsOptions> = {}) =>
  artifact.registryArtifacts({ directory: join(folder, name), insecure: [open.host], ...rest });

describe("the artifacts of a tenant", () => {
  test("are resolved to a digest, and their bytes are had without the registry from then on, after a restart too", async () => {
    const world = await registry();
    const reference = `oci://${world.host}/kept:1`;
    const { digest } = await client(world).push(at(world, "kept:1"), wasm("kept"));
    const options = { insecure: [world.host] };
    expect((await artifacts("down", options).resolve(A, reference)).digest).toBe(digest);
    await world.down();
    const restarted = artifacts("down", options);
    expect(await faultOf(restarted.resolve(A, reference))).toMatchObject({
      code: "ArtifactUnavailable",
      retry: true,
    });
    expect(Buffer.from(await restarted.bytes(A, digest))).toEqual(wasm("kept"));
    await world.up();
    expect((await restarted.resolve(A, reference)).digest).toBe(digest);
    await world.stop();
  });

  test("are given up on when a registry takes the call and says nothing", async () => {
    const world = await registry();
    world.pause();
    const began = performance.now();
    const fault = await faultOf(
      artifacts("mute", { insecure: [world.host], waits: { pullMs: 300 } }).resolve(
        A,
        `oci://${world.host}/a:1`,
      ),
    );
    expect(fault).toMatchObject({ code: "ArtifactUnavailable", retry: true });
    expect(fault.message).toBe(`oci://${world.host}/a:1: the registry was not done after 0.3 s`);
    expect(performance.now() - began).toBeLessThan(3_000);
    world.resume();
    await world.stop();
  });

  test("follow a tag when it moves, and still have what it named before", async () => {
    const one = await client(open).push(at(open, "moving:1"), wasm("one"));
    const mine = artifacts("moving");
    await mine.resolve(A, `oci://${open.host}/moving:1`);
    const two = await client(open).push(at(open, "moving:1"), wasm("two"));
    expect(await mine.resolve(A, `oci://${open.host}/moving:1`)).toEqual(two);
    expect([await mine.has(A, one.digest), await mine.has(A, two.digest)]).toEqual([true, true]);
  });

  test("are another tenant's only when that tenant resolved them too", async () => {
    const { digest } = await client(open).push(at(open, "shared:1"), wasm("shared"));
    const both = artifacts("tenants");
    await both.resolve(A, `oci://${open.host}/shared:1`);
    expect(await both.has(B, digest)).toBe(false);
    expect(await faultOf(both.bytes(B, digest))).toMatchObject({ code: "ArtifactUnavailable", retry: true });
    await both.resolve(B, `oci://${open.host}/shared:1`);
    expect(await both.has(B, digest)).toBe(true);
  });
});
