import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as artifact from "../host/artifact/index.ts";
import { tenantKey } from "../host/policy/index.ts";
import { faultOf, sha256, wasm } from "./modules.ts";
import { registry } from "./world/index.ts";

const A = tenantKey("team-a");
let world: Awaited<ReturnType<typeof registry>>;
let client: artifact.Registry;
beforeAll(async () => {
  world = await registry();
  client = new artifact.Registry({ insecure: [world.host] });
});
afterAll(() => world.stop());

/** Puts a manifest with these layers into the real registry, as other tools would. */
async function put(
  repository: string,
  configType: string,
  layers: readonly { type: string; bytes: Buffer; title?: string }[],
) {
  const store = async (bytes: Buffer) => {
    const begun = await fetch(`${world.url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const url = new URL(begun.headers.get("location") ?? "", world.url);
    url.searchParams.set("digest", sha256(bytes));
    const headers = { "content-type": "application/octet-stream" };
    expect((await fetch(url, { method: "PUT", body: new Uint8Array(bytes), headers })).status).toBe(201);
    return { digest: sha256(bytes), size: bytes.length };
  };
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: configType, ...(await store(Buffer.from("{}"))) },
    layers: await Promise.all(
      layers.map(async ({ type, bytes, title }) => ({
        mediaType: type,
        ...(await store(bytes)),
        ...(title === undefined ? {} : { annotations: { "org.opencontainers.image.title": title } }),
      })),
    ),
  };
  const body = JSON.stringify(manifest);
  const kept = await fetch(`${world.url}/v2/${repository}/manifests/1`, {
    method: "PUT",
    body,
    headers: { "content-type": type },
  });
  expect(kept.status).toBe(201);
}

/** A tar archive of these files. */
function tar(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("0", 156);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1_024)]);
}

const pull = (repository: string) =>
  client.pull(artifact.parseReference(`oci://${world.host}/${repository}:1`));

describe("what other tools pushed", () => {
  const raw = wasm("by others");
  const image = "application/vnd.oci.image.config.v1+json";
  const packed = "application/vnd.oci.image.layer.v1.tar+gzip";
  const readme = { type: "text/plain", bytes: Buffer.from("read me") };

  test.each([
    [
      "wasm-to-oci",
      "application/vnd.wasm.config.v1+json",
      [{ type: "application/vnd.wasm.content.layer.v1+wasm", bytes: raw }],
    ],
    [
      "istio",
      "application/vnd.module.wasm.config.v1+json",
      [readme, { type: "application/vnd.module.wasm.content.layer.v1+wasm", bytes: raw }],
    ],
    ["oras-typed", "application/vnd.oci.empty.v1+json", [{ type: "application/wasm", bytes: raw }]],
    [
      "oras-untyped",
      "application/vnd.oci.empty.v1+json",
      [{ type: "application/octet-stream", bytes: raw, title: "a.wasm" }],
    ],
    [
      "docker-build",
      image,
      [readme, { type: packed, bytes: gzipSync(tar({ "etc/other": Buffer.from("x"), "plugin.wasm": raw })) }],
    ],
  ])("in the layout of %s is read", async (name, config, layers) => {
    await put(`others/${name}`, config, layers);
    const pulled = await pull(`others/${name}`);
    expect([pulled.digest, pulled.bytes.length]).toEqual([sha256(raw), 21]);
  });

  test.each([
    [
      "two-modules",
      "application/vnd.wasm.config.v0+json",
      [
        { type: "application/wasm", bytes: raw },
        { type: "application/wasm", bytes: wasm("b") },
      ],
      "has several modules, and nothing says which is the algorithm",
    ],
    [
      "spin",
      "application/vnd.fermyon.spin.application.v1+config",
      [{ type: "application/wasm", bytes: raw }],
      "is a Spin application, not a module",
    ],
    ["container", image, [readme], 'has no WebAssembly module; its last layer is a "text/plain"'],
    [
      "untitled",
      "application/vnd.oci.empty.v1+json",
      [{ type: "application/octet-stream", bytes: raw }],
      'has no WebAssembly module; its last layer is a "application/octet-stream"',
    ],
    [
      "text",
      "application/vnd.wasm.config.v0+json",
      [{ type: "application/wasm", bytes: Buffer.from("<!doctype html>") }],
      "is not WebAssembly: it does not begin as a module does",
    ],
    [
      "bomb",
      image,
      [{ type: packed, bytes: gzipSync(tar({ "plugin.wasm": Buffer.alloc(8_000_000) })) }],
      "has a layer that unpacks to more than",
    ],
    ["no-gzip", image, [{ type: packed, bytes: raw }], "has a layer that is not a gzip archive"],
    [
      "half-tar",
      image,
      [{ type: packed, bytes: gzipSync(tar({ "plugin.wasm": wasm("half") }).subarray(0, 520)) }],
      "has a layer that is not a whole tar archive",
    ],
    [
      "two-files",
      image,
      [{ type: packed, bytes: gzipSync(tar({ "a/plugin.wasm": raw, "b/plugin.wasm": raw })) }],
      "has several files plugin.wasm in its last layer",
    ],
  ])("that is no single module is refused: %s", async (name, config, layers, message) => {
    await put(`refused/${name}`, config, layers);
    const fault = await faultOf(pull(`refused/${name}`));
    expect(fault).toMatchObject({ code: "ArtifactInvalid", retry: false });
    expect(fault.message).toContain(`oci://${world.host}/refused/${name}:1 ${message}`);
  });
});

describe("an image layout in a directory", () => {
  const entries = [
    { name: "algorithms/threshold:latest", wasm: wasm("threshold"), metadata: { title: "threshold" } },
    { name: "algorithms/hold:latest", wasm: wasm("hold") },
  ];
  let directory = "";
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "sluice-layout-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test("is the registry `embedded`, for everybody and by name or digest", async () => {
    const [pinned] = await artifact.writeLayout(directory, entries);
    const embedded = artifact.layoutArtifacts(directory);
    const resolved = { digest: sha256(wasm("threshold")), manifestDigest: pinned };
    expect(await embedded.resolve(A, "oci://embedded/algorithms/threshold")).toEqual(resolved);
    expect(await embedded.resolve(A, `oci://embedded/algorithms/threshold@${pinned}`)).toEqual(resolved);
    expect(Buffer.from(await embedded.bytes(A, resolved.digest))).toEqual(wasm("threshold"));
    expect(await embedded.has(A, sha256("nothing"))).toBe(false);
  });

  test("holds the same bytes when it is written again, and what it named before still runs", async () => {
    const before = await artifact.writeLayout(directory, entries);
    const index = await readFile(join(directory, "index.json"), "utf8");
    expect(await artifact.writeLayout(directory, entries)).toEqual(before);
    expect(await readFile(join(directory, "index.json"), "utf8")).toBe(index);
    await artifact.writeLayout(directory, [{ name: "algorithms/threshold:latest", wasm: wasm("next") }]);
    const embedded = artifact.layoutArtifacts(directory);
    expect((await embedded.resolve(A, "oci://embedded/algorithms/threshold")).digest).toBe(
      sha256(wasm("next")),
    );
    expect(await embedded.has(A, sha256(wasm("threshold")))).toBe(true);
  });

  test("has the same manifest as a push of the same module", async () => {
    const [laidOut] = await artifact.writeLayout(directory, entries);
    const reference = artifact.parseReference(`oci://${world.host}/algorithms/threshold:1`);
    const { manifestDigest } = await client.push(reference, wasm("threshold"), {
      metadata: { title: "threshold" },
    });
    expect(manifestDigest).toBe(laidOut);
  });

  test("does not give out bytes that changed", async () => {
    const [pinned = ""] = await artifact.writeLayout(directory, entries);
    await writeFile(
      join(directory, "blobs", "sha256", sha256(wasm("threshold")).slice(7)),
      wasm("treshold!"),
    );
    const embedded = artifact.layoutArtifacts(directory);
    expect(await faultOf(embedded.resolve(A, `oci://embedded/algorithms/threshold@${pinned}`))).toMatchObject(
      { code: "DigestMismatch" },
    );
    expect(await faultOf(embedded.bytes(A, sha256(wasm("threshold"))))).toMatchObject({
      code: "ArtifactUnavailable",
    });
  });

  test("says what it does not have", async () => {
    await artifact.writeLayout(directory, entries);
    const embedded = artifact.layoutArtifacts(directory);
    expect((await faultOf(embedded.resolve(A, "oci://embedded/algorithms/none:1"))).message).toContain(
      "algorithms/none:1 is not in the image layout",
    );
    const elsewhere = await faultOf(embedded.resolve(A, "oci://registry.example/a:1"));
    expect(elsewhere).toMatchObject({
      code: "ArtifactNotFound",
      message: "oci://registry.example/a:1 is not on embedded, the only registry there is here",
    });
    const missing = artifact.layoutArtifacts(join(directory, "missing"));
    expect((await faultOf(missing.resolve(A, "oci://embedded/a:1"))).sentence).toContain(
      "holds no image layout. Run `npm run build`, which writes it.",
    );
  });

  test("stands beside registries, which other hosts are resolved by", async () => {
    const cache = join(directory, "cache");
    const otherwise = artifact.registryArtifacts({ directory: cache, insecure: [world.host] });
    const both = artifact.layoutArtifacts(directory, { otherwise });
    await client.push(artifact.parseReference(`oci://${world.host}/beside:1`), wasm("beside"));
    const { digest } = await both.resolve(A, `oci://${world.host}/beside:1`);
    expect(Buffer.from(await both.bytes(A, digest))).toEqual(wasm("beside"));
    await both.close();
  });
});
