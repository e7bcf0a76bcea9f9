import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** What unfinished files are called; whoever finds one that is old may remove it. */
export const UNFINISHED = ".unfinished-";

/**
 * Writes a file so that it is there whole or not at all, after a crash too. Whoever reads an older version of it goes on
 * reading that.
 */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const unfinished = `${directory}/${UNFINISHED}${randomUUID()}`;
  try {
    const file = await open(unfinished, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
    await syncDirectory(directory);
  } catch (thrown) {
    await rm(unfinished, { force: true });
    throw thrown;
  }
}

/** A rename is only kept by a crash once its directory is on the disk. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The bytes of a file of at most `limitBytes`; undefined if there is none, or it is longer. */
export async function readWhole(path: string, limitBytes: number): Promise<Buffer | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const stat = await file.stat();
    return stat.isFile() && stat.size <= limitBytes ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}
