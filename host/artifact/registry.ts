import { Authority, type Ask } from "./authority.ts";
import type { Credentials } from "./credential.ts";
import type { Digest } from "./digest.ts";
import { Fault } from "../fault/index.ts";
import type { Metadata } from "./image.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { pullModule, type Module } from "./pull.ts";
import { checkPushable, pushModule, type Pushed } from "./push.ts";
import { formatReference, selectorOf, type Reference } from "./reference.ts";
import { Repository } from "./repository.ts";
import { Wire, type WireOptions } from "./wire.ts";

export interface RegistryOptions extends WireOptions {
  /** Token services, `host` or `host:port`, that registries may send their callers to besides themselves. Default none. */
  readonly realms?: readonly string[];
}

export interface PullOptions {
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
  /** How long a module may be, in bytes: 4 MiB unless said, never above 16 MiB. */
  readonly moduleBytes?: number;
  readonly have?: (digest: Digest) => Promise<Uint8Array | undefined>;
}

export interface PushOptions {
  readonly metadata?: Metadata;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
}

/** A client of OCI registries. Everything it throws is a fault whose message names the reference and no credential. */
export class Registry {
  readonly #wire: Wire;
  readonly #authority: Authority;

  constructor({ realms = [], ...wire }: RegistryOptions = {}) {
    this.#wire = new Wire(wire);
    this.#authority = new Authority(this.#wire, realms);
  }

  /**
   * The module that a reference names, its bytes proven by their digest before anybody sees them. Throws
   * `ArtifactNotFound`, `ArtifactDenied`, `ArtifactUnavailable`, `DigestMismatch` or `ArtifactInvalid`.
   */
  pull(reference: Reference, { credentials, signal, moduleBytes, have }: PullOptions = {}): Promise<Module> {
    const limits = {
      moduleBytes: Math.min(moduleBytes ?? ARTIFACT_LIMITS.moduleBytes, ARTIFACT_LIMITS.hardModuleBytes),
      ...(have === undefined ? {} : { have }),
    };
    const ask = this.#ask(reference, "pull", credentials);
    return this.#wire.within(ask.name, this.#wire.waits.pullMs, signal, (signal) =>
      pullModule(new Repository(ask, this.#wire, this.#authority, signal), selectorOf(reference), limits),
    );
  }

  /** Packs a module in the CNCF layout and puts it under the reference's tag. Throws the same faults as `pull`. */
  async push(
    reference: Reference,
    wasm: Uint8Array,
    { metadata = {}, credentials, signal }: PushOptions = {},
  ): Promise<Pushed> {
    const ask = this.#ask(reference, "pull,push", credentials);
    if (reference.digest !== undefined) {
      const remedy = "Leave the digest out: it is what a push prints.";
      throw new Fault("PolicyInvalid", "A module is pushed under a tag", { field: "reference", remedy });
    }
    checkPushable(wasm, ask.name);
    return this.#wire.within(ask.name, this.#wire.waits.pushMs, signal, (signal) =>
      pushModule(
        new Repository(ask, this.#wire, this.#authority, signal),
        selectorOf(reference),
        wasm,
        metadata,
      ),
    );
  }

  /** Drops all connections; whatever is under way fails. */
  close(): Promise<void> {
    return this.#wire.close();
  }

  #ask(reference: Reference, action: Ask["action"], credentials: Credentials | undefined): Ask {
    const { host, repository } = reference;
    const credential = credentials?.get(host);
    return {
      name: formatReference(reference),
      origin: this.#wire.origin(host),
      repository,
      action,
      credential,
    };
  }
}
