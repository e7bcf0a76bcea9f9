import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import type { ConnectionOptions } from "node:tls";
// The client's front door loads its whole generated tree (4 s, 90 MB); this file of it is all that is needed.
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { Fault } from "../fault/index.ts";
import type { Time } from "./time.ts";

/** Where the API server is and how the operator proves who it is. */
export interface Credentials {
  readonly origin: string;
  /** What stands before `/api` in every path, "" mostly. */
  readonly basePath: string;
  readonly tls: ConnectionOptions;
  readonly authorization: string | undefined;
  /** Differs as soon as new connections must be made: another server, authority or client certificate. */
  readonly fingerprint: string;
}

export interface CredentialSource {
  /** A kubeconfig file; undefined is the account that is mounted into the operator's pod. */
  readonly kubeconfig?: string;
  /** A context of it; undefined is its current one. */
  readonly context?: string;
}

/** Tokens of a pod live for an hour and are renewed after 80 %: reading the file twice a minute is early enough. */
const TRUSTED_MS = 30_000;
/** A server that refuses every credential must not make the files be read for every call. */
const REREAD_PAUSE_MS = 1_000;

/** Holds the operator's credentials and follows their renewal on disk. */
export class CredentialKeeper {
  readonly #source: CredentialSource;
  readonly #time: Time;
  #config: KubeConfig;
  /** Shared by all who ask while it is read. */
  #held: Promise<Credentials> | undefined;
  #readAtMs = 0;

  constructor(source: CredentialSource, time: Time) {
    this.#source = source;
    this.#time = time;
    this.#config = load(source);
  }

  /** The credentials, at most 30 s old. Throws `ClusterUnavailable` if there are none. */
  current(): Promise<Credentials> {
    const now = this.#time.elapsedMs();
    if (this.#held === undefined || now - this.#readAtMs > TRUSTED_MS) {
      this.#readAtMs = now;
      const reading = read(this.#config);
      this.#held = reading;
      // What failed is read again by the next who asks.
      reading.catch(() => this.#held === reading && (this.#held = undefined));
    }
    return this.#held;
  }

  /** Reads everything again after the server refused what is held. */
  renewed(): Promise<Credentials> {
    if (this.#held === undefined || this.#time.elapsedMs() - this.#readAtMs >= REREAD_PAUSE_MS) {
      // The library holds a token for a minute whatever happens; a new configuration holds none.
      this.#config = load(this.#source);
      this.#held = undefined;
    }
    return this.current();
  }
}

function load({ kubeconfig, context }: CredentialSource): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (thrown) {
    throw noCluster(`${kubeconfig ?? "The pod's account"} cannot be read`, thrown);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  // Outside a pod the library makes an address of two missing variables.
  if (cluster === null || cluster.server.includes("undefined")) {
    throw noCluster(kubeconfig === undefined ? "This is no pod" : `${kubeconfig} names no cluster`);
  }
  if (cluster.proxyUrl) throw noCluster("A kubeconfig with a proxy-url is not supported");
  // Each call says itself whose rights it uses; a name that comes from a file could be an empty one.
  if (config.getCurrentUser()?.impersonateUser != null) {
    throw noCluster("A kubeconfig that impersonates is not supported");
  }
  return config;
}

async function read(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (thrown) {
    throw noCluster("The credentials for the API server cannot be read", thrown);
  }
  const server = new URL(config.getCurrentCluster()?.server ?? "");
  const authorization = (options.headers as Record<string, string> | undefined)?.["Authorization"];
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options;
  const given = Object.entries({ ca, cert, key, passphrase, servername, rejectUnauthorized });
  const tls = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as ConnectionOptions;
  return {
    origin: server.origin,
    basePath: server.pathname.replace(/\/+$/, ""),
    tls,
    authorization: authorization?.trim(),
    fingerprint: fingerprintOf(server.origin, given),
  };
}

function fingerprintOf(origin: string, given: readonly (readonly [string, unknown])[]): string {
  const hash = createHash("sha256").update(origin);
  for (const [name, value] of given) hash.update(`\n${name}=${String(value)}`);
  return hash.digest("hex");
}

const noCluster = (message: string, cause?: unknown) =>
  new Fault("ClusterUnavailable", message, {
    remedy:
      "Name a kubeconfig that points at a cluster, or run the operator in a pod with a service account.",
    retry: true,
    ...(cause === undefined ? {} : { cause }),
  });
