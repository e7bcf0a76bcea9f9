import { ARTIFACT_LIMITS } from "./limits.ts";
import type { Descriptor, ImageManifest, IndexEntry } from "./manifest.ts";
import { invalid } from "./refusal.ts";

/** The layer that is the algorithm: its bytes as they are, or packed as a file of an archive. */
export interface ModuleLayer {
  readonly packing: "raw" | "archive";
  readonly blob: Descriptor;
}

export const WASM_LAYER = "application/wasm";

/** Whoever pushed it, one of these is a module as it is. */
const RAW = new Set([
  WASM_LAYER, // the CNCF layout
  "application/vnd.wasm.content.layer.v1+wasm", // wasm-to-oci, Kubewarden
  "application/vnd.module.wasm.content.layer.v1+wasm", // Istio's own layout
]);

/** Istio's other layout, for whoever has nothing but `docker build`: a file in the last layer of a container image. */
const ARCHIVES = new Set([
  "application/vnd.oci.image.layer.v1.tar+gzip",
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
]);
const CONTAINER_CONFIGS = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);

const SPIN = "application/vnd.fermyon.spin.";
const BYTES = "application/octet-stream";
const PUSH_AGAIN = "Push the one module with `sluice push`.";

/** The layer that holds the algorithm. Of several that could be it none is guessed. Throws `ArtifactInvalid`. */
export function chooseLayer({ config, layers }: ImageManifest, name: string): ModuleLayer {
  if (config.mediaType.startsWith(SPIN))
    throw invalid(name, "is a Spin application, not a module", PUSH_AGAIN);
  const [raw, second] = layers.filter((layer) => RAW.has(layer.mediaType));
  if (second !== undefined)
    throw invalid(name, "has several modules, and nothing says which is the algorithm", PUSH_AGAIN);
  if (raw !== undefined) return { packing: "raw", blob: raw };

  const last = layers.at(-1);
  if (last === undefined) throw invalid(name, "has no layers", PUSH_AGAIN);
  // A file that was pushed without saying what it is: its name has to.
  const named = layers.length === 1 && last.mediaType === BYTES && last.title?.endsWith(".wasm") === true;
  if (named) return { packing: "raw", blob: last };
  if (ARCHIVES.has(last.mediaType) && CONTAINER_CONFIGS.has(config.mediaType))
    return { packing: "archive", blob: last };
  throw invalid(
    name,
    `has no WebAssembly module; its last layer is a ${JSON.stringify(last.mediaType.slice(0, 80))}`,
    PUSH_AGAIN,
  );
}

/** The entry of an index that is for WebAssembly, or the only one that there is. Throws `ArtifactInvalid`. */
export function chooseEntry(entries: readonly IndexEntry[], name: string): IndexEntry {
  // A builder's attestations stand in the index too, for a platform that does not exist.
  const images = entries.filter(({ architecture, os }) => !(architecture === "unknown" && os === "unknown"));
  const wasm = images.filter(({ architecture, os }) => architecture === "wasm" && os === "wasip1");
  const [chosen, second] = wasm.length > 0 ? wasm : images;
  if (chosen === undefined) throw invalid(name, "is an index without entries", PUSH_AGAIN);
  if (second !== undefined)
    throw invalid(name, "is an index, and not exactly one of its entries is for wasm/wasip1", PUSH_AGAIN);
  return chosen;
}

/** Refuses a size that is above the limit before anything of it is fetched. Throws `ArtifactInvalid`. */
export function checkSize(size: number, limitBytes: number, name: string): void {
  if (size <= limitBytes) return;
  const hard = ARTIFACT_LIMITS.hardModuleBytes;
  const remedy = `Make the algorithm smaller, or have the administrator raise the limit (at most to ${hard} bytes).`;
  throw invalid(name, `is ${size} bytes long; ${limitBytes} are allowed`, remedy);
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** Refuses what is not a core module by its first eight bytes; nothing further in is looked at. Throws `ArtifactInvalid`. */
export function checkModule(bytes: Uint8Array, name: string): void {
  if (bytes.length < 8 || !MAGIC.every((byte, at) => bytes[at] === byte)) {
    throw invalid(name, "is not WebAssembly: it does not begin as a module does");
  }
  const [version, , layer] = bytes.subarray(4, 8);
  if (layer === 1) {
    throw invalid(
      name,
      "is a WebAssembly component",
      "Build a core module (wasip1 or freestanding) instead of a component.",
    );
  }
  if (version !== 1 || bytes[5] !== 0 || layer !== 0 || bytes[7] !== 0)
    throw invalid(name, "is WebAssembly of an unknown version");
}
