import { isDigest, type Digest } from "./digest.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { invalid } from "./refusal.ts";

/** What points at a manifest or a blob: what it is, which one, and how long. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** `org.opencontainers.image.title`: the file name that it was pushed under. */
  readonly title: string | undefined;
}

export interface IndexEntry extends Descriptor {
  readonly architecture: string | undefined;
  readonly os: string | undefined;
  /** `org.opencontainers.image.ref.name`, which an image layout names its entries by. */
  readonly refName: string | undefined;
}

export interface ImageManifest {
  readonly kind: "image";
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** What a registry keeps under a tag. */
export type Manifest = ImageManifest | { readonly kind: "index"; readonly entries: readonly IndexEntry[] };

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const TITLE = "org.opencontainers.image.title";
export const REF_NAME = "org.opencontainers.image.ref.name";

const KINDS: Readonly<Record<string, Manifest["kind"]>> = {
  [OCI_MANIFEST]: "image",
  [OCI_INDEX]: "index",
  "application/vnd.docker.distribution.manifest.v2+json": "image",
  "application/vnd.docker.distribution.manifest.list.v2+json": "index",
};

/** The media types of manifests that are read, as an `Accept` header. */
export const ACCEPTED = Object.keys(KINDS).join(", ");

/**
 * Reads a manifest that the registry says is of `mediaType`. The bytes have to say the same, and cannot be read as one
 * kind by us and as another by somebody else. Throws `ArtifactInvalid`.
 */
export function readManifest(bytes: Uint8Array, mediaType: string, name: string): Manifest {
  const kind = Object.hasOwn(KINDS, mediaType) ? KINDS[mediaType] : undefined;
  if (kind === undefined)
    throw invalid(name, `is a ${printable(mediaType)}, which is neither an image manifest nor an index`);
  const fields = fieldsOf(parseJson(bytes));
  if (fields === undefined) throw invalid(name, "has a manifest that is not a JSON object");
  if (fields["schemaVersion"] !== 2) throw invalid(name, "has a manifest of another schema version than 2");
  if (fields["mediaType"] !== undefined && fields["mediaType"] !== mediaType) {
    throw invalid(
      name,
      `has a manifest that the registry calls a ${mediaType}, and that calls itself something else`,
    );
  }
  const both = "manifests" in fields && ("layers" in fields || "config" in fields);
  if (both) throw invalid(name, "has a manifest that is an image and an index at once");
  return kind === "index" ? readIndex(fields, name) : readImage(fields, name);
}

type Fields = Readonly<Record<string, unknown>>;

function readIndex({ manifests }: Fields, name: string): Manifest {
  const entries = listOf(manifests, ARTIFACT_LIMITS.indexEntries, "manifests", name);
  return {
    kind: "index",
    entries: entries.map((entry) => {
      const { architecture, os } = fieldsOf(fieldsOf(entry)?.["platform"]) ?? {};
      return {
        ...readDescriptor(entry, name),
        architecture: textOf(architecture),
        os: textOf(os),
        refName: annotation(entry, REF_NAME),
      };
    }),
  };
}

function readImage({ config, layers }: Fields, name: string): Manifest {
  return {
    kind: "image",
    config: readDescriptor(config, name),
    layers: listOf(layers, ARTIFACT_LIMITS.layers, "layers", name).map((layer) =>
      readDescriptor(layer, name),
    ),
  };
}

function readDescriptor(value: unknown, name: string): Descriptor {
  const { mediaType, digest, size, urls } = fieldsOf(value) ?? {};
  if (typeof mediaType !== "string" || mediaType === "" || mediaType.length > 255) {
    throw invalid(name, "has a manifest with a descriptor that has no media type");
  }
  if (!isDigest(digest)) throw invalid(name, "has a manifest with a descriptor that has no SHA-256 digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(name, "has a manifest with a descriptor that has no size");
  }
  // Bytes that lie elsewhere would be fetched from wherever the manifest's author likes.
  if (urls !== undefined && !(Array.isArray(urls) && urls.length === 0)) {
    throw invalid(
      name,
      "has a layer that lies outside its registry (`urls`)",
      "Push the algorithm itself to the registry.",
    );
  }
  return { mediaType, digest, size, title: annotation(value, TITLE) };
}

function annotation(descriptor: unknown, key: string): string | undefined {
  const annotations = fieldsOf(fieldsOf(descriptor)?.["annotations"]) ?? {};
  return Object.hasOwn(annotations, key) ? textOf(annotations[key]) : undefined;
}

function listOf(value: unknown, most: number, what: string, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(name, `has a manifest without a list of ${what}`);
  if (value.length > most)
    throw invalid(name, `has a manifest with ${value.length} ${what}; ${most} are allowed`);
  return value;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

const printable = (text: string): string => JSON.stringify(text.slice(0, 80));

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
