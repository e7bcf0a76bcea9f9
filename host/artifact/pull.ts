import { unpack } from "./archive.ts";
import { digestOf, isDigest, type Digest } from "./digest.ts";
import { checkModule, checkSize, chooseEntry, chooseLayer, type ModuleLayer } from "./layer.ts";
import { readManifest, type Descriptor } from "./manifest.ts";
import { invalid, mismatched } from "./refusal.ts";
import type { Received } from "./wire.ts";

/** A manifest as it lies there: its bytes, and what kind it is said to be. */
export interface Document extends Received {
  readonly mediaType: string;
}

/** Where manifests and blobs come from: a repository of a registry, or an image layout in a directory. */
export interface Content {
  /** The reference, for messages. */
  readonly name: string;
  /** The manifest under a tag or a digest. */
  manifest(selector: string): Promise<Document>;
  /** A blob's bytes, which have the descriptor's size and digest. */
  blob(descriptor: Descriptor): Promise<Uint8Array>;
}

/** An algorithm that was pulled. */
export interface Module {
  /** Of the module's own bytes: what it is cached, admitted and run by. */
  readonly digest: Digest;
  /** Of the manifest that the reference named: what pins it. */
  readonly manifestDigest: Digest;
  readonly bytes: Uint8Array;
}

export interface PullLimits {
  /** How long a module may be, in bytes. */
  readonly moduleBytes: number;
  /** The module's bytes if they are at hand, which spares fetching them again. */
  readonly have?: (digest: Digest) => Promise<Uint8Array | undefined>;
}

/**
 * Finds the module under a tag or digest and fetches it. The tag is asked for once; everything after it goes by digest.
 * Throws `ArtifactInvalid` or `DigestMismatch`, and whatever the content throws.
 */
export async function pullModule(
  content: Content,
  selector: string,
  { moduleBytes, have }: PullLimits,
): Promise<Module> {
  const { name } = content;
  const { manifestDigest, layer } = await locate(content, selector);
  checkSize(layer.blob.size, moduleBytes, name);
  const held = layer.packing === "raw" ? await have?.(layer.blob.digest) : undefined;
  if (held !== undefined) return { digest: layer.blob.digest, manifestDigest, bytes: held };

  const blob = await content.blob(layer.blob);
  const bytes = layer.packing === "raw" ? blob : await unpack(blob, moduleBytes, name);
  checkSize(bytes.length, moduleBytes, name);
  checkModule(bytes, name);
  return { digest: layer.packing === "raw" ? layer.blob.digest : digestOf(bytes), manifestDigest, bytes };
}

async function locate(
  content: Content,
  selector: string,
): Promise<{ manifestDigest: Digest; layer: ModuleLayer }> {
  const { name } = content;
  const first = await fetchManifest(content, selector);
  const named = readManifest(first.bytes, first.mediaType, name);
  if (named.kind === "image") return { manifestDigest: first.digest, layer: chooseLayer(named, name) };

  const entry = chooseEntry(named.entries, name);
  const second = await fetchManifest(content, entry.digest);
  if (second.mediaType !== entry.mediaType) {
    throw invalid(name, "is an index that calls its entry something else than the registry does");
  }
  const inner = readManifest(second.bytes, second.mediaType, name);
  if (inner.kind === "index") throw invalid(name, "is an index of indexes");
  return { manifestDigest: first.digest, layer: chooseLayer(inner, name) };
}

async function fetchManifest(content: Content, selector: string): Promise<Document> {
  const document = await content.manifest(selector);
  if (isDigest(selector) && document.digest !== selector) {
    throw mismatched(content.name, `the manifest ${selector} was asked for, and ${document.digest} arrived`);
  }
  return document;
}
