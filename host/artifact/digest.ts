import { createHash } from "node:crypto";

/** What a manifest or module is known by: the SHA-256 of its bytes. Other algorithms are not spoken. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether this is a digest, spelled in the one way there is. */
export const isDigest = (text: unknown): text is Digest => typeof text === "string" && DIGEST.test(text);

/** The digest of these bytes. */
export const digestOf = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** The 64 hexadecimal figures: the only part of a digest that ever becomes a file name. */
export const hexOf = (digest: Digest): string => digest.slice("sha256:".length);
