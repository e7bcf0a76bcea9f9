import { Fault } from "../fault/index.ts";
import type { TenantKey } from "../policy/index.ts";
import { ModuleCache } from "./cache.ts";
import { printOf, type Credentials } from "./credential.ts";
import { isDigest, type Digest } from "./digest.ts";
import { Lanes } from "./lanes.ts";
import { Layout } from "./layout.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { formatReference, parseReference, type Reference } from "./reference.ts";
import { Registry, type RegistryOptions } from "./registry.ts";

/** What a reference stands for at this moment. */
interface Resolved {
  /** Of the module: what runs, and what status says. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
}

/** Where the algorithms of policies come from. */
export interface Artifacts {
  /**
   * Resolves a reference as the tenant and keeps the module's bytes for it. Throws a fault; while a registry is down that
   * is `ArtifactUnavailable`, nothing that was kept is lost, and whoever knows the digest that ran goes on with `bytes`.
   */
  resolve(tenant: TenantKey, reference: string, credentials?: Credentials): Promise<Resolved>;
  /** Whether the tenant's bytes are at hand without any registry. */
  has(tenant: TenantKey, digest: string): Promise<boolean>;
  /** The tenant's bytes, hashed again. Throws `ArtifactUnavailable` if they are not kept: resolving brings them back. */
  bytes(tenant: TenantKey, digest: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface RegistryArtifactsOptions extends RegistryOptions {
  /** Where modules are cached. */
  readonly directory: string;
  /** How long a module may be, in bytes. Default 4 MiB, never above 16 MiB. */
  readonly moduleBytes?: number;
}

/** Algorithms from registries, cached on disk by tenant and digest. */
export function registryArtifacts({
  directory,
  moduleBytes,
  ...options
}: RegistryArtifactsOptions): Artifacts {
  const registry = new Registry(options);
  const cache = new ModuleCache(directory);
  const lanes = new Lanes(ARTIFACT_LIMITS.pulls, ARTIFACT_LIMITS.pullsPerTenant);
  const underWay = new Map<string, Promise<Resolved>>();

  const pull = async (
    tenant: TenantKey,
    reference: Reference,
    credentials: Credentials | undefined,
  ): Promise<Resolved> => {
    let held = false;
    const { digest, manifestDigest, bytes } = await registry.pull(reference, {
      ...(credentials === undefined ? {} : { credentials }),
      ...(moduleBytes === undefined ? {} : { moduleBytes }),
      // The registry has just shown the manifest to this caller: bytes of the same digest need not travel again.
      have: async (digest) => {
        const kept = await cache.get(tenant, digest);
        held = kept !== undefined;
        return kept;
      },
    });
    if (!held) await cache.put(tenant, digest, bytes);
    return { digest, manifestDigest };
  };

  return {
    resolve: async (tenant, text, credentials) => {
      const reference = parseReference(text);
      // A thousand policies of a tenant that start together ask once; what another credential may see is another question.
      const key = `${tenant} ${formatReference(reference)} ${printOf(credentials?.get(reference.host))}`;
      const asked = underWay.get(key);
      if (asked !== undefined) return asked;
      const answer = lanes
        .run(tenant, () => pull(tenant, reference, credentials))
        .finally(() => underWay.delete(key));
      underWay.set(key, answer);
      return answer;
    },
    has: async (tenant, digest) => isDigest(digest) && (await cache.get(tenant, digest)) !== undefined,
    bytes: async (tenant, digest) => {
      const bytes = isDigest(digest) ? await cache.get(tenant, digest) : undefined;
      return bytes ?? notKept(digest);
    },
    close: () => registry.close(),
  };
}

interface LayoutArtifactsOptions {
  /** The host that references name the layout by. Default `embedded`. */
  readonly host?: string;
  /** Where references to other hosts are resolved. Without it they are refused. */
  readonly otherwise?: Artifacts;
}

/** Algorithms from an OCI image layout in a directory, for everybody: `oci://embedded/<name>` is what the layout calls `<name>`. */
export function layoutArtifacts(
  directory: string,
  { host = "embedded", otherwise }: LayoutArtifactsOptions = {},
): Artifacts {
  const layout = new Layout(directory);
  const blob = async (digest: string) => (isDigest(digest) ? layout.blob(digest) : undefined);
  return {
    resolve: async (tenant, text, credentials) => {
      const reference = parseReference(text);
      if (reference.host !== host) {
        if (otherwise !== undefined) return otherwise.resolve(tenant, text, credentials);
        throw new Fault("ArtifactNotFound", `${text} is not on ${host}, the only registry there is here`);
      }
      const { repository, tag = "latest" } = reference;
      const { digest, manifestDigest } = await layout.pull(reference.digest ?? `${repository}:${tag}`);
      return { digest, manifestDigest };
    },
    has: async (tenant, digest) =>
      (await blob(digest)) !== undefined || (await otherwise?.has(tenant, digest)) === true,
    bytes: async (tenant, digest) =>
      (await blob(digest)) ?? (await otherwise?.bytes(tenant, digest)) ?? notKept(digest),
    close: async () => otherwise?.close(),
  };
}

function notKept(digest: string): never {
  throw new Fault("ArtifactUnavailable", `${digest.slice(0, 80)} is not in the cache`, { retry: true });
}
