import { imageOf, type Metadata, type Part } from "./image.ts";
import type { Digest } from "./digest.ts";
import { checkModule, checkSize } from "./layer.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { mismatched, unavailable } from "./refusal.ts";
import type { Repository } from "./repository.ts";
import { discard, header } from "./wire.ts";

/** What a push left in the registry. */
export interface Pushed {
  /** Of the module. */
  readonly digest: Digest;
  /** Of the manifest: `oci://host/repository@<this>` names it for good. */
  readonly manifestDigest: Digest;
}

/** Throws `ArtifactInvalid` for bytes that no registry would give us back as an algorithm. */
export function checkPushable(wasm: Uint8Array, name: string): void {
  checkSize(wasm.length, ARTIFACT_LIMITS.hardModuleBytes, name);
  checkModule(wasm, name);
}

/** Uploads what the registry does not have yet, and puts the tag on it last: a tag never points at something missing. */
export async function pushModule(
  repository: Repository,
  tag: string,
  wasm: Uint8Array,
  metadata: Metadata,
): Promise<Pushed> {
  const { manifest, config, layer } = imageOf(wasm, metadata);
  await upload(repository, layer);
  await upload(repository, config);
  const url = repository.at(`manifests/${tag}`);
  const headers = { "content-type": manifest.mediaType };
  const answer = await repository.expect({ method: "PUT", url, headers, body: manifest.bytes }, 201);
  await discard(answer);
  const kept = header(answer, "docker-content-digest");
  if (kept !== undefined && kept !== manifest.digest) {
    throw mismatched(repository.name, "the registry kept something else than what was pushed");
  }
  return { digest: layer.digest, manifestDigest: manifest.digest };
}

async function upload(repository: Repository, { digest, bytes }: Part): Promise<void> {
  const there = await repository.send({ method: "HEAD", url: repository.at(`blobs/${digest}`) });
  await discard(there);
  if (there.statusCode === 200) return;

  const from = repository.at("blobs/uploads/");
  const begun = await repository.expect({ method: "POST", url: from }, 202);
  await discard(begun);
  const url = repository.pointedTo(begun, from);
  if (url === undefined || !repository.owns(url)) {
    throw unavailable(
      repository.name,
      "the registry wants the upload sent to another host, which does not get the credentials",
    );
  }
  url.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  await discard(await repository.expect({ method: "PUT", url, headers, body: bytes }, 201));
}
