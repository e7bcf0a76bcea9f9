import { errors, Pool, type Dispatcher } from "undici";
import { Fault } from "../fault/index.ts";
import { CredentialKeeper, type Credentials, type CredentialSource } from "./credentials.ts";
import { impersonation } from "./identity.ts";
import { ClusterFault, refusal, unanswered, type Attempt } from "./refusal.ts";
import type { ApiPath } from "./resource.ts";
import { pause, type Time } from "./time.ts";

/** One request to the API server, and for whom. */
export interface Call extends Attempt {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: ApiPath;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Ends a stream. */
  readonly signal?: AbortSignal;
  /** Whether it goes over connections on which nothing else waits; then it is not repeated, and has less time. */
  readonly isUrgent?: boolean;
}

/** What one connection pool, one answer and one wait may cost. */
const WIRE_LIMITS = {
  // Measured on two cores shared with the API server: eight give 1,500 calls a second, and the client is not the limit.
  callConnections: 8,
  // Over HTTP/2 they share one; where only HTTP/1.1 is spoken, every watch has a connection of its own.
  watchConnections: 32,
  // Renewals of leases: one is enough, the second for when that is mute.
  urgentConnections: 2,
  // A lease is given up after 10 s without a renewal: at least three have to fit in.
  urgentMs: 3_000,
  queuedCalls: 4_096,
  connectMs: 10_000,
  callMs: 30_000,
  // etcd holds objects up to 1.5 MiB; a page of a list is the largest answer.
  answerBytes: 32 * 1_024 * 1_024,
  readRetries: 2,
  retryMs: 200,
  // A longer wait is the queue's business: a worker is not held for it.
  longestRetryWaitSeconds: 5,
} as const;

/** An answer that is too large to be held: ask for fewer objects at a time. */
export class AnswerTooLarge extends ClusterFault {}

type Timeouts = Pick<Dispatcher.RequestOptions, "headersTimeout" | "bodyTimeout">;

interface Pools {
  readonly credentials: Credentials;
  readonly calls: Pool;
  readonly watches: Pool;
  readonly urgent: Pool;
}

/** The only way to the API server: three bounded pools of connections, shared by everybody. */
export class Transport {
  readonly #keeper: CredentialKeeper;
  readonly #time: Time;
  #pools: Pools | undefined;
  /** The first watch, until it is answered. */
  #opening: Promise<void> | undefined;

  constructor(source: CredentialSource, time: Time) {
    this.#keeper = new CredentialKeeper(source, time);
    this.#time = time;
  }

  /** The host of the server's address. */
  async host(): Promise<string> {
    return new URL((await this.#keeper.current()).origin).hostname;
  }

  /** The answer's text. Reads are tried three times; throws a `ClusterFault` for everything but success. */
  async send(call: Call): Promise<string> {
    const tries = call.method === "GET" && call.isUrgent !== true ? WIRE_LIMITS.readRetries : 0;
    for (let tried = 0; ; tried += 1) {
      try {
        return await this.#once(call);
      } catch (thrown) {
        const waitSeconds = (thrown as Fault).retryAfterSeconds ?? 0;
        const again = thrown instanceof ClusterFault && thrown.code === "ClusterUnavailable";
        const tooLong = waitSeconds > WIRE_LIMITS.longestRetryWaitSeconds;
        if (!again || thrown instanceof AnswerTooLarge || tried >= tries || tooLong) throw thrown;
        await pause(this.#time, waitSeconds * 1_000 + this.#spread(tried));
      }
    }
  }

  /** The bytes of a watch as they come. It throws when `inactivityMs` pass without any. */
  async *stream(call: Call, inactivityMs: number): AsyncGenerator<Buffer> {
    const headersTimeout = Math.min(inactivityMs, WIRE_LIMITS.callMs);
    const timeouts = { headersTimeout, bodyTimeout: inactivityMs };
    const answer = await this.#joining(() => this.#dispatch(call, "watches", timeouts)).catch(
      (thrown: unknown) => {
        this.#leaveMute((thrown as Error).cause);
        throw thrown;
      },
    );
    if (answer.statusCode !== 200) {
      throw refusal(answer.statusCode, await textOf(answer, call), header(answer, "retry-after"), call);
    }
    try {
      for await (const chunk of answer.body) yield chunk as Buffer;
    } catch (thrown) {
      this.#leaveMute(thrown);
      throw unanswered(thrown, call);
    } finally {
      answer.body.on("error", () => undefined).destroy();
    }
  }

  /** Closes every connection; calls under way fail. */
  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.calls.destroy(), pools?.watches.destroy(), pools?.urgent.destroy()]);
  }

  async #once(call: Call): Promise<string> {
    const deadline = new AbortController();
    const [pool, ms] =
      call.isUrgent === true
        ? (["urgent", WIRE_LIMITS.urgentMs] as const)
        : (["calls", WIRE_LIMITS.callMs] as const);
    const late = () => deadline.abort(new Error(`no answer in ${ms} ms`));
    const cancel = this.#time.after(ms, late);
    try {
      const answer = await this.#dispatch({ ...call, signal: deadline.signal }, pool);
      const text = await textOf(answer, call);
      if (answer.statusCode >= 200 && answer.statusCode < 300) return text;
      throw refusal(answer.statusCode, text, header(answer, "retry-after"), call);
    } finally {
      cancel();
    }
  }

  /** Sends once; a second time where the server did not know the credentials and the files hold others by now. */
  async #dispatch(call: Call, pool: "calls" | "watches" | "urgent", timeouts: Timeouts = {}) {
    const identity = impersonation(call.identity);
    const send = async ({ credentials, ...pools }: Pools) => {
      const { authorization, basePath } = credentials;
      const options: Dispatcher.RequestOptions = {
        method: call.method,
        path: basePath + call.path + queryOf(call.query),
        headers: {
          accept: "application/json",
          "user-agent": "sluice",
          ...(authorization === undefined ? {} : { authorization }),
          ...(call.body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
          ...identity,
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: call.signal ?? null,
        ...timeouts,
      };
      const { queued, running } = pools[pool].stats;
      if (queued >= WIRE_LIMITS.queuedCalls) throw unanswered("too many calls wait", call);
      // A watch that waited for another's end would wait for minutes, without a word.
      if (pool === "watches" && running >= WIRE_LIMITS.watchConnections)
        throw unanswered("too many watches", call);
      return pools[pool].request(options).catch((thrown: unknown) => {
        throw unanswered(thrown, call);
      });
    };
    const used = this.#connected(await this.#keeper.current());
    const answer = await send(used);
    if (answer.statusCode !== 401) return answer;
    const renewed = await this.#keeper.renewed();
    if (same(renewed, used.credentials)) return answer;
    await answer.body.dump();
    return send(this.#connected(renewed));
  }

  /** Watches that begin together wait for the first of them to be answered, and share its connection. */
  async #joining<Answer>(begin: () => Promise<Answer>): Promise<Answer> {
    if (this.#opening !== undefined) await this.#opening;
    if ((this.#pools?.watches.stats.connected ?? 0) > 0) return begin();
    const answer = begin();
    const opening = answer.then(none, none).then(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    this.#opening = opening;
    return answer;
  }

  /** A watch that hears nothing says that its connection is mute, which others share: all of them begin anew on another. */
  #leaveMute(thrown: unknown): void {
    const held = this.#pools;
    if (held === undefined || !isTimeout(thrown)) return;
    this.#pools = { ...held, watches: poolOf(held.credentials, WATCHES) };
    void held.watches.destroy();
  }

  #connected(credentials: Credentials): Pools {
    const held = this.#pools;
    if (held !== undefined && held.credentials.fingerprint === credentials.fingerprint) {
      return same(held.credentials, credentials) ? held : (this.#pools = { ...held, credentials });
    }
    // Calls that are under way end on the old connections.
    void held?.calls.close();
    void held?.watches.close();
    void held?.urgent.close();
    const calls = poolOf(credentials, { connections: WIRE_LIMITS.callConnections, allowH2: false });
    const watches = poolOf(credentials, WATCHES);
    const urgent = poolOf(credentials, { connections: WIRE_LIMITS.urgentConnections, allowH2: false });
    this.#pools = { credentials, calls, watches, urgent };
    return this.#pools;
  }

  #spread(tried: number): number {
    return WIRE_LIMITS.retryMs * 2 ** tried * (0.5 + this.#time.random());
  }
}

const WATCHES = { connections: WIRE_LIMITS.watchConnections, allowH2: true } as const;

/**
 * Calls go over HTTP/1.1: over HTTP/2 one mute connection holds a hundred of them, and one that times out does not end it.
 */
function poolOf(
  { origin, tls }: Credentials,
  kind: { readonly connections: number; readonly allowH2: boolean },
): Pool {
  return new Pool(origin, {
    ...kind,
    // Of HTTP/1.1 alone: what is sent over HTTP/2 does not wait for what was sent before.
    pipelining: 1,
    headersTimeout: WIRE_LIMITS.callMs,
    bodyTimeout: WIRE_LIMITS.callMs,
    connect: { ...tls, timeout: WIRE_LIMITS.connectMs, keepAlive: true } as NonNullable<
      Pool.Options["connect"]
    >,
  });
}

/** Whether nothing came for too long, over whichever protocol. */
const isTimeout = (thrown: unknown): boolean =>
  thrown instanceof errors.HeadersTimeoutError || thrown instanceof errors.BodyTimeoutError;

const none = () => undefined;
const same = (one: Credentials, other: Credentials) =>
  one.fingerprint === other.fingerprint && one.authorization === other.authorization;

async function textOf({ body }: Dispatcher.ResponseData, call: Call): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += (chunk as Buffer).length;
      if (bytes > WIRE_LIMITS.answerBytes) {
        const message = `The answer to ${call.verb} ${call.resource} is above ${WIRE_LIMITS.answerBytes} bytes`;
        throw new AnswerTooLarge("ClusterUnavailable", 0, message, { retry: true });
      }
      chunks.push(chunk as Buffer);
    }
  } catch (thrown) {
    throw thrown instanceof Fault ? thrown : unanswered(thrown, call);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function queryOf(query: Call["query"] = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given.toString()}`;
}
