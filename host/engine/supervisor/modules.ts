/** Bytes of modules that the supervisor keeps, so that a new sandbox need not ask the operator again. */
const MOST_BYTES = 128 * 1_024 * 1_024;

/** What a tenant's module is known by: what was made of one tenant's bytes is never used for another. */
export const moduleKey = (tenant: string, digest: string): string => `${tenant} ${digest}`;

/** What it is known by in a sandbox, where it is admitted under its limits: under others it is another module. */
export const admittedKey = (tenant: string, digest: string, memoryPages: number): string =>
  `${moduleKey(tenant, digest)} ${memoryPages}`;

/** Modules by tenant and digest, the ones that were used least recently dropped first. The bytes are never looked at. */
export class Modules {
  readonly #held = new Map<string, Uint8Array>();
  #bytes = 0;

  get(tenant: string, digest: string): Uint8Array | undefined {
    const key = moduleKey(tenant, digest);
    const bytes = this.#held.get(key);
    if (bytes === undefined) return undefined;
    this.#held.delete(key);
    this.#held.set(key, bytes);
    return bytes;
  }

  put(tenant: string, digest: string, bytes: Uint8Array): void {
    const key = moduleKey(tenant, digest);
    this.#bytes += bytes.length - (this.#held.get(key)?.length ?? 0);
    this.#held.delete(key);
    this.#held.set(key, bytes);
    for (const [oldest, dropped] of this.#held) {
      if (this.#bytes <= MOST_BYTES || oldest === key) break;
      this.#held.delete(oldest);
      this.#bytes -= dropped.length;
    }
  }
}
