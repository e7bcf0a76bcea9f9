import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../fault/index.ts";
import { digestOf, hexOf, isDigest, type Digest } from "./digest.ts";
import { readWhole, writeWhole } from "./file.ts";
import { imageOf, pointerTo, type Metadata } from "./image.ts";
import { checkModule, checkSize } from "./layer.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { OCI_INDEX, readManifest, REF_NAME, type Descriptor, type IndexEntry } from "./manifest.ts";
import { pullModule, type Content, type Document, type Module } from "./pull.ts";
import { invalid, mismatched } from "./refusal.ts";

/** A module and the name it is found under, such as `algorithms/threshold:latest`. */
export interface LayoutEntry {
  readonly name: string;
  readonly wasm: Uint8Array;
  readonly metadata?: Metadata;
}

/**
 * Writes modules as an OCI image layout and returns the manifests' digests in their order. The index is replaced last, and
 * blobs that it no longer names stay: who runs from the directory goes on running.
 */
export async function writeLayout(directory: string, entries: readonly LayoutEntry[]): Promise<Digest[]> {
  const images = entries.map(({ name, wasm, metadata }) => {
    checkSize(wasm.length, ARTIFACT_LIMITS.hardModuleBytes, name);
    checkModule(wasm, name);
    return { name, image: imageOf(wasm, metadata) };
  });
  await mkdir(directory, { recursive: true });
  const parts = images.flatMap(({ image }) => [image.layer, image.config, image.manifest]);
  for (const { digest, bytes } of parts) {
    if ((await readBlob(directory, digest, bytes.length)) === undefined)
      await writeWhole(blobPath(directory, digest), bytes);
  }
  const manifests = images.map(({ name, image }) => ({
    ...pointerTo(image.manifest),
    annotations: { [REF_NAME]: name },
    platform: { architecture: "wasm", os: "wasip1" },
  }));
  await writeWhole(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeWhole(
    indexPath(directory),
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
  );
  return images.map(({ image }) => image.manifest.digest);
}

/** An OCI image layout in a directory, read like a registry. */
export class Layout {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The module under a name, or under a manifest's digest. Throws the same faults as a registry's pull. */
  async pull(name: string, moduleBytes: number = ARTIFACT_LIMITS.moduleBytes): Promise<Module> {
    const content: Content = {
      name,
      manifest: (selector) => this.#manifest(selector),
      blob: (descriptor) => this.#blob(descriptor, name),
    };
    return pullModule(content, name, { moduleBytes });
  }

  /** The blob with this digest; undefined if there is none, or if its bytes are not what they were. */
  blob(digest: Digest): Promise<Uint8Array | undefined> {
    return readBlob(this.#directory, digest, ARTIFACT_LIMITS.hardModuleBytes);
  }

  async #manifest(selector: string): Promise<Document> {
    const entries = await this.#entries(selector);
    const entry = entries.find(({ digest, refName }) =>
      isDigest(selector) ? digest === selector : refName === selector,
    );
    if (entry === undefined) {
      throw new Fault("ArtifactNotFound", `${selector} is not in the image layout ${this.#directory}`, {
        remedy: BUILD,
      });
    }
    return { bytes: await this.#blob(entry, selector), digest: entry.digest, mediaType: entry.mediaType };
  }

  async #entries(name: string): Promise<readonly IndexEntry[]> {
    const bytes = await readWhole(indexPath(this.#directory), ARTIFACT_LIMITS.manifestBytes);
    if (bytes === undefined) {
      throw new Fault("ArtifactNotFound", `${this.#directory} holds no image layout`, { remedy: BUILD });
    }
    const index = readManifest(bytes, OCI_INDEX, name);
    if (index.kind !== "index") throw invalid(name, "has no index");
    return index.entries;
  }

  async #blob({ digest, size }: Descriptor, name: string): Promise<Uint8Array> {
    checkSize(size, ARTIFACT_LIMITS.hardModuleBytes, name);
    const bytes = await readBlob(this.#directory, digest, size);
    if (bytes?.length !== size)
      throw mismatched(name, `${digest} is missing in ${this.#directory}, or has changed`);
    return bytes;
  }
}

const BUILD = "Run `npm run build`, which writes it.";

async function readBlob(directory: string, digest: Digest, limitBytes: number): Promise<Buffer | undefined> {
  const bytes = await readWhole(blobPath(directory, digest), limitBytes);
  return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
}

const blobPath = (directory: string, digest: Digest): string =>
  join(directory, "blobs", "sha256", hexOf(digest));
const indexPath = (directory: string): string => join(directory, "index.json");
