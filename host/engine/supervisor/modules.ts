/** Bytes of modules that the supervisor keeps, so that a new sandbox need not ask the operator again. */
const MOST_BYTES = 128 * 1_024 * 1_024;

/** Tenants whose modules are known to be the same, byte for byte; past that they are compared again. */
const ALIKE_KNOWN = 50_000;

/** What a tenant's module is known by: what was made of one tenant's bytes is never used for another. */
export const moduleKey = (tenant: string, digest: string): string => `${tenant} ${digest}`;

/** What it is known by in a sandbox, where it is admitted under its limits: under others it is another module. */
export const admittedKey = (tenant: string, digest: string, memoryPages: number): string =>
  `${moduleKey(tenant, digest)} ${memoryPages}`;

/** Modules by tenant and digest, the ones that were used least recently dropped first. The bytes are compared, and never read. */
export class Modules {
  readonly #held = new Map<string, Uint8Array>();
  /** The tenant that was the first to have these bytes, by the module's key. */
  readonly #first = new Map<string, string>();
  /** By digest, the tenants that were the first to have different bytes: one, unless somebody lies. */
  readonly #firsts = new Map<string, readonly string[]>();
  #bytes = 0;

  get(tenant: string, digest: string): Uint8Array | undefined {
    const key = moduleKey(tenant, digest);
    const bytes = this.#held.get(key);
    if (bytes === undefined) return undefined;
    this.#held.delete(key);
    this.#held.set(key, bytes);
    return bytes;
  }

  /**
   * The tenant whose module it is where processes are shared: the first that had the very same bytes. They are compiled once
   * then, and not once for every tenant.
   */
  firstOf(tenant: string, digest: string): string {
    return this.#first.get(moduleKey(tenant, digest)) ?? tenant;
  }

  put(tenant: string, digest: string, bytes: Uint8Array): void {
    const key = moduleKey(tenant, digest);
    this.#compare(tenant, digest, bytes);
    this.#bytes += bytes.length - (this.#held.get(key)?.length ?? 0);
    this.#held.delete(key);
    this.#held.set(key, bytes);
    for (const [oldest, dropped] of this.#held) {
      if (this.#bytes <= MOST_BYTES || oldest === key) break;
      this.#held.delete(oldest);
      this.#bytes -= dropped.length;
    }
  }

  #compare(tenant: string, digest: string, bytes: Uint8Array): void {
    if (this.#first.size >= ALIKE_KNOWN) {
      this.#first.clear();
      this.#firsts.clear();
    }
    const firsts = this.#firsts.get(digest) ?? [];
    const same = firsts.find((one) => {
      const known = this.#held.get(moduleKey(one, digest));
      return known !== undefined && Buffer.compare(known, bytes) === 0;
    });
    if (same === undefined && !firsts.includes(tenant)) this.#firsts.set(digest, [...firsts, tenant]);
    this.#first.set(moduleKey(tenant, digest), same ?? tenant);
  }
}
