import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../fault/index.ts";
import type { TenantKey } from "../policy/index.ts";
import { digestOf, hexOf, type Digest } from "./digest.ts";
import { readWhole, UNFINISHED, writeWhole } from "./file.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";

export interface CacheLimits {
  /** All modules together. */
  readonly cacheBytes: number;
  /** The modules of one tenant. */
  readonly tenantCacheBytes: number;
}

interface Kept {
  readonly tenant: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Modules on disk, by tenant and digest: what one tenant was allowed to pull does not run for another. What is given out
 * was hashed again just before. The least recently used go first, a tenant's own when it is above its share. A disk that does
 * not do its part is an `ArtifactUnavailable`.
 */
export class ModuleCache {
  readonly #directory: string;
  readonly #limits: CacheLimits;
  /** In the order of use, the latest last. */
  #kept: Promise<Map<string, Kept>> | undefined;

  constructor(directory: string, limits: CacheLimits = ARTIFACT_LIMITS) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** The tenant's bytes of this digest. Bytes that changed on the disk are removed and not given out. */
  get(tenant: TenantKey, digest: Digest): Promise<Uint8Array | undefined> {
    return onDisk(digest, async () => {
      const path = this.#path(tenant, digest);
      const bytes = await readWhole(path, ARTIFACT_LIMITS.hardModuleBytes);
      const kept = await this.#opened();
      if (bytes === undefined || digestOf(bytes) !== digest) {
        kept.delete(path);
        await rm(path, { force: true });
        return undefined;
      }
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      use(kept, { tenant: folderOf(tenant), path, bytes: bytes.length });
      return bytes;
    });
  }

  /** Keeps bytes that have this digest. It returns when a crash can no longer lose them. */
  put(tenant: TenantKey, digest: Digest, bytes: Uint8Array): Promise<void> {
    return onDisk(digest, async () => {
      if (digestOf(bytes) !== digest)
        throw new Fault("DigestMismatch", `${digest} is not the digest of what was to be cached`);
      const kept = await this.#opened();
      const path = this.#path(tenant, digest);
      await writeWhole(path, bytes);
      const folder = folderOf(tenant);
      use(kept, { tenant: folder, path, bytes: bytes.length });
      await this.#shrink(kept, (one) => one.tenant === folder, this.#limits.tenantCacheBytes, path);
      await this.#shrink(kept, () => true, this.#limits.cacheBytes, path);
    });
  }

  async #shrink(
    kept: Map<string, Kept>,
    counts: (one: Kept) => boolean,
    most: number,
    spare: string,
  ): Promise<void> {
    const counted = [...kept.values()].filter(counts);
    let total = counted.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of counted) {
      if (total <= most) return;
      if (path === spare) continue;
      total -= bytes;
      kept.delete(path);
      await rm(path, { force: true });
    }
  }

  // The figures of a digest are all that is taken from it, and a tenant's name is hashed: neither can lead elsewhere.
  #path = (tenant: TenantKey, digest: Digest): string =>
    join(this.#directory, folderOf(tenant), "sha256", hexOf(digest));

  #opened(): Promise<Map<string, Kept>> {
    this.#kept ??= this.#scan().catch((thrown: unknown) => {
      this.#kept = undefined;
      throw thrown;
    });
    return this.#kept;
  }

  /** What an earlier process left: modules in the order of their last use; what it did not finish is removed. */
  async #scan(): Promise<Map<string, Kept>> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const found: (Kept & { usedMs: number })[] = [];
    for (const tenant of await readdir(this.#directory)) {
      const folder = join(this.#directory, tenant, "sha256");
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        if (name.startsWith(UNFINISHED)) await rm(path, { force: true });
        if (!/^[0-9a-f]{64}$/.test(name)) continue;
        const { size, mtimeMs } = await stat(path);
        found.push({ tenant, path, bytes: size, usedMs: mtimeMs });
      }
    }
    return new Map(
      found
        .sort((a, b) => a.usedMs - b.usedMs)
        .map(({ tenant, path, bytes }) => [path, { tenant, path, bytes }]),
    );
  }
}

async function onDisk<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { code = "unknown" } = thrown as NodeJS.ErrnoException;
    const remedy = "Check the volume that holds the cache of modules.";
    throw new Fault("ArtifactUnavailable", `${digest}: the cache failed (${code})`, {
      retry: true,
      remedy,
      cause: thrown,
    });
  }
}

function use(kept: Map<string, Kept>, one: Kept): void {
  kept.delete(one.path);
  kept.set(one.path, one);
}

const folderOf = (tenant: TenantKey): string =>
  createHash("sha256").update(tenant).digest("hex").slice(0, 32);
