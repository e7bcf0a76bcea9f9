import { digestOf, type Digest } from "./digest.ts";
import { WASM_LAYER } from "./layer.ts";
import { OCI_MANIFEST, TITLE, type Descriptor } from "./manifest.ts";

/** What an artifact says about itself besides its bytes. */
export interface Metadata {
  readonly title?: string;
  readonly version?: string;
}

/** A blob and what points at it. */
export interface Part {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** A module in the CNCF layout for WebAssembly, ready to be pushed or laid out. */
export interface Image {
  readonly manifest: Part;
  readonly config: Part;
  readonly layer: Part;
}

const CONFIG = "application/vnd.wasm.config.v0+json";

/** The same module and metadata give the same bytes, hence the same digest, wherever and whenever they are packed. */
export function imageOf(wasm: Uint8Array, { title, version }: Metadata = {}): Image {
  const layer = partOf(WASM_LAYER, wasm);
  // Others' readers insist on a creation time: the zero of the clock keeps the artifact reproducible.
  const created = "1970-01-01T00:00:00Z";
  const config = partOf(
    CONFIG,
    json({ created, architecture: "wasm", os: "wasip1", layerDigests: [layer.digest] }),
  );
  const annotations = {
    ...(title === undefined ? {} : { [TITLE]: title }),
    ...(version === undefined ? {} : { "org.opencontainers.image.version": version }),
  };
  const file = title === undefined ? {} : { annotations: { [TITLE]: `${title}.wasm` } };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: pointerTo(config),
    layers: [{ ...pointerTo(layer), ...file }],
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  return { manifest: partOf(OCI_MANIFEST, json(manifest)), config, layer };
}

/** What points at a part. */
export const pointerTo = ({ mediaType, digest, bytes }: Part): Omit<Descriptor, "title"> => ({
  mediaType,
  digest,
  size: bytes.length,
});

const partOf = (mediaType: string, bytes: Uint8Array): Part => ({
  mediaType,
  digest: digestOf(bytes),
  bytes,
});

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value), "utf8");
