import { rootCertificates } from "node:tls";
import { Agent, type Dispatcher } from "undici";
import type { Fault } from "../fault/index.ts";
import { digestOf, type Digest } from "./digest.ts";
import { ARTIFACT_LIMITS } from "./limits.ts";
import { unanswered, unavailable } from "./refusal.ts";
import { machineTime, type Time } from "./time.ts";

/** How registries are reached; what is left out is as safe as it can be. */
export interface WireOptions {
  /** Registries, `host` or `host:port`, that are spoken to without TLS. Default none. */
  readonly insecure?: readonly string[];
  /** Authorities in PEM that are trusted besides those the runtime brings along. */
  readonly ca?: string;
  readonly time?: Time;
  /** Shorter or longer waits, for tests and for slow lines. */
  readonly waits?: Partial<Waits>;
}

export type Waits = Pick<Record<keyof typeof ARTIFACT_LIMITS, number>, (typeof WAITS)[number]>;
const WAITS = ["pullMs", "pushMs", "connectMs", "idleMs", "bytesPerSecond", "speedGraceMs"] as const;

export interface Message {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export type Answer = Dispatcher.ResponseData;

/** The connections to registries and token services. It follows no redirect and knows no credential. */
export class Wire {
  readonly time: Time;
  readonly waits: Waits;
  readonly #insecure: ReadonlySet<string>;
  readonly #agent: Agent;

  constructor({ insecure = [], ca, time = machineTime, waits }: WireOptions) {
    this.time = time;
    this.waits = { ...ARTIFACT_LIMITS, ...waits };
    this.#insecure = new Set(insecure.map((host) => URL.parse(`http://${host}`)?.host ?? host));
    this.#agent = new Agent({
      connections: ARTIFACT_LIMITS.connectionsPerHost,
      headersTimeout: this.waits.idleMs,
      bodyTimeout: this.waits.idleMs,
      allowH2: false,
      connect: {
        timeout: this.waits.connectMs,
        minVersion: "TLSv1.2",
        ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
      },
    });
  }

  /** Where a registry answers. */
  origin(host: string): URL {
    const plain = URL.parse(`http://${host}`);
    return plain !== null && this.#insecure.has(plain.host) ? plain : new URL(`https://${host}`);
  }

  /** Whether anything may be fetched from there at all: over TLS, or from a host that was listed. */
  permits({ protocol, host, username, password }: URL): boolean {
    if (username !== "" || password !== "") return false;
    return protocol === "https:" || (protocol === "http:" && this.#insecure.has(host));
  }

  send({ method, url, headers, body = "" }: Message, signal: AbortSignal): Promise<Answer> {
    const origin = url.origin;
    const path = `${url.pathname}${url.search}`;
    // Compressed answers are not asked for: what arrives is hashed and measured as it is.
    const all = { "user-agent": "sluice", "accept-encoding": "identity", ...headers };
    return this.#agent.request({
      origin,
      path,
      method,
      headers: all,
      body: body === "" ? null : body,
      signal,
    });
  }

  /** Does `work` within `ms`, or throws `ArtifactUnavailable`; whatever fails on the way is a fault. */
  async within<T>(
    name: string,
    ms: number,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const ended = new AbortController();
    let reason: Fault | undefined;
    const end = (message: string) => {
      reason ??= unavailable(name, message);
      ended.abort();
    };
    const cancel = this.time.after(ms, () => end(`the registry was not done after ${ms / 1_000} s`));
    const leave = () => end("it was given up");
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted === true) leave();
    try {
      return await work(ended.signal);
    } catch (thrown) {
      throw reason ?? unanswered(name, thrown);
    } finally {
      cancel();
      signal?.removeEventListener("abort", leave);
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

export interface Received {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

/** One value of a header of an answer. */
export function header(answer: Answer, key: string): string | undefined {
  const value = answer.headers[key];
  return Array.isArray(value) ? value.join(", ") : value;
}

/**
 * The body of an answer, hashed as it arrives; undefined if it is longer than the limit, which is noticed at the first
 * byte too many. Throws `ArtifactUnavailable` if it comes too slowly.
 */
export async function receive(
  answer: Answer,
  limitBytes: number,
  name: string,
  wire: Wire,
): Promise<Received | undefined> {
  const { bytesPerSecond, speedGraceMs } = wire.waits;
  const began = wire.time.elapsedMs();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limitBytes) return undefined;
    chunks.push(chunk);
    const tookMs = wire.time.elapsedMs() - began;
    if (tookMs > speedGraceMs && length * 1_000 < bytesPerSecond * tookMs) {
      throw unavailable(name, `the registry sends less than ${bytesPerSecond} bytes a second`);
    }
  }
  const bytes = Buffer.concat(chunks, length);
  return { bytes, digest: digestOf(bytes) };
}

/** Drops the body of an answer nobody wants; a long one costs the connection, not the time to read it. */
export async function discard(answer: Answer): Promise<void> {
  await answer.body.dump({ limit: ARTIFACT_LIMITS.tokenBytes }).catch(() => undefined);
}
