import { createHash } from "node:crypto";
import type { TenantKey } from "../policy/index.ts";
import { BrokerConnection, connectTo } from "./connection.ts";
import { LIMITS } from "./limits.ts";
import type { Manner, Place } from "./place.ts";
import { unavailable } from "./refusal.ts";
import { authenticate } from "./sasl.ts";

interface Kept {
  readonly tenant: TenantKey;
  readonly opened: Promise<BrokerConnection>;
  /** Undefined as long as it is not open. */
  connection: BrokerConnection | undefined;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** A renewal of what the broker takes for good for a while begins when so much of that has passed. */
const SESSION_SHARE = 0.8;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Connections to brokers, kept from pass to pass. They are shared by policies of one tenant that show the same credential in
 * the same manner, and by nobody else; there are only so many of a tenant, and who is idle is closed.
 */
export class Connections {
  readonly #kept = new Map<string, Kept>();

  /** Does something with a connection. Throws `SourceUnavailable` where there is none until the signal. */
  async use<Done>(
    tenant: TenantKey,
    place: Place,
    manner: Manner,
    act: (connection: BrokerConnection) => Promise<Done>,
    signal: AbortSignal,
  ): Promise<Done> {
    const key = keyOf(tenant, place, manner);
    const kept = this.#kept.get(key) ?? this.#open(key, tenant, place, manner);
    // The map's order is who was idle longest.
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    clearTimeout(kept.idle);
    kept.users += 1;
    try {
      return await act(await before(kept.opened, signal));
    } finally {
      kept.users -= 1;
      if (kept.users === 0 && this.#kept.get(key) === kept) {
        kept.idle = setTimeout(() => this.#close(key, kept), LIMITS.idleMs);
        kept.idle.unref();
      }
    }
  }

  /** How many are open or about to be. */
  get size(): number {
    return this.#kept.size;
  }

  close(): void {
    for (const [key, kept] of this.#kept) this.#close(key, kept);
  }

  #open(key: string, tenant: TenantKey, place: Place, manner: Manner): Kept {
    this.#makeRoom(tenant);
    // Its own time: one of several that wait for it may have less.
    const opened = opening(place, manner, AbortSignal.timeout(LIMITS.openMs));
    const kept: Kept = { tenant, opened, connection: undefined, users: 0, idle: undefined };
    this.#kept.set(key, kept);
    opened.then(
      (connection) => {
        kept.connection = connection;
        if (this.#kept.get(key) === kept) connection.onEnd(() => this.#close(key, kept));
        else connection.end(CLOSED);
      },
      () => this.#close(key, kept),
    );
    return kept;
  }

  #makeRoom(tenant: TenantKey): void {
    const all = [...this.#kept];
    const own = all.filter(([, one]) => one.tenant === tenant);
    if (own.length < LIMITS.connections && all.length < LIMITS.connectionsInAll) return;
    const [idlest] = (own.length < LIMITS.connections ? all : own).filter(([, one]) => one.users === 0);
    if (idlest === undefined)
      throw unavailable(`there are ${LIMITS.connections} connections of the tenant already, all in use`, {
        remedy: "Name fewer brokers and credentials in the policies of the tenant.",
      });
    this.#close(...idlest);
  }

  #close(key: string, kept: Kept): void {
    clearTimeout(kept.idle);
    if (this.#kept.get(key) === kept) this.#kept.delete(key);
    kept.connection?.end(CLOSED);
  }
}

const CLOSED = unavailable("the connection was closed");

async function opening(place: Place, manner: Manner, signal: AbortSignal): Promise<BrokerConnection> {
  const connection = new BrokerConnection(await connectTo(place, manner, signal));
  if (manner.proof?.kind !== "sasl") return connection;
  try {
    const goodForMs = await authenticate(connection, manner.proof, signal);
    if (goodForMs !== undefined) {
      const retireMs = Math.min(goodForMs * SESSION_SHARE, LONGEST_TIMER_MS);
      const timer = setTimeout(() => connection.end(CLOSED), retireMs).unref();
      connection.onEnd(() => clearTimeout(timer));
    }
    return connection;
  } catch (thrown) {
    connection.end(CLOSED);
    throw thrown;
  }
}

/** The same for what may share a connection. A secret is in it as its digest alone. */
const keyOf = (tenant: TenantKey, { host, port, addresses }: Place, manner: Manner): string =>
  createHash("sha256")
    .update(
      JSON.stringify([tenant, host, port, addresses.toSorted(), manner.tls ?? null, manner.proof ?? null]),
    )
    .digest("base64");

function before<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const late = () => reject(unavailable("there was no connection in time"));
  if (signal.aborted) late();
  signal.addEventListener("abort", late, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener("abort", late));
}
