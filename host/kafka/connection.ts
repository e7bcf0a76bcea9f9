import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Reader, Writer, type Connection, type ResponseParser } from "@platformatic/kafka";
import type { Fault } from "../fault/index.ts";
import { LIMITS } from "./limits.ts";
import type { Manner, Place } from "./place.ts";
import { invalid, printable, refusal, unavailable } from "./refusal.ts";

/** One request of the client's codec, bound to its arguments. */
export type Ask<Answer> = (
  connection: Connection,
  done: (error: Error | null, answer?: Answer) => void,
) => void;

interface Waiting {
  readonly sentMs: number;
  /** Undefined once nobody waits for the answer any longer. */
  take: ((frame: Buffer) => void) | undefined;
}

const LENGTH_BYTES = 4;
const CORRELATION_BYTES = 4;
const CLIENT_ID = "sluice";

/**
 * A connection to one checked address of a broker. It speaks the client's codec over a socket of its own: the address stays
 * the one that was checked, an answer stays within its limit, and what a broker says can end this connection and nothing else.
 */
export class BrokerConnection {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  /** What was received and not read yet; put together when a frame is whole, since it may come byte by byte. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #answeredMs = 0;
  #correlation = 0;
  #ended: Fault | undefined;
  readonly #onEnd = new Set<() => void>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("close", () => this.end(unavailable("it closed the connection")));
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** Requests that somebody waits for. */
  get busy(): number {
    return [...this.#waiting.values()].filter(({ take }) => take !== undefined).length;
  }

  onEnd(act: () => void): void {
    if (this.#ended === undefined) this.#onEnd.add(act);
    else act();
  }

  /** Asks once. Throws a fault where there is no answer until the signal, or none that can be used. */
  async ask<Answer>(ask: Ask<Answer>, signal: AbortSignal): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const call: Waiting = { sentMs: performance.now(), take: undefined };
    const late = () => {
      this.#abandon(call);
      reject(unavailable("there was no answer in time"));
    };
    if (signal.aborted) throw unavailable("there was no answer in time");
    signal.addEventListener("abort", late, { once: true });
    const ended = () => reject(this.#ended);
    this.onEnd(ended);
    const sender = this.#sender(call);
    try {
      ask(sender, (error, answer) => (error === null ? resolve(answer as Answer) : reject(error)));
      return await promise;
    } catch (thrown) {
      throw refusal(thrown);
    } finally {
      signal.removeEventListener("abort", late);
      this.#onEnd.delete(ended);
    }
  }

  /** Closes it; whoever waits gets the fault. */
  end(why: Fault): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#socket.destroy();
    this.#waiting.clear();
    this.#chunks = [];
    for (const act of this.#onEnd) act();
    this.#onEnd.clear();
  }

  /** What the codec takes for its own connection: of that it uses `send` alone. */
  #sender(call: Waiting): Connection {
    const send = <Answer>(
      apiKey: number,
      apiVersion: number,
      createPayload: () => Writer | Promise<Writer>,
      parse: ResponseParser<Answer>,
      hasRequestTags: boolean,
      hasAnswerTags: boolean,
      done: (error: Error | null, answer?: Answer) => void,
    ) => {
      if (this.#ended !== undefined) return done(this.#ended);
      if (this.#waiting.size >= LIMITS.requests) return done(unavailable("it has too much to answer"));
      const id = (this.#correlation = (this.#correlation + 1) & 0x7f_ff_ff_ff);
      const writer = Writer.create().appendInt16(apiKey).appendInt16(apiVersion).appendInt32(id);
      writer.appendString(CLIENT_ID, false);
      if (hasRequestTags) writer.appendTaggedFields();
      // The requests that are made here are all written at once.
      writer.appendFrom(createPayload() as Writer).prependLength();
      call.take = (frame) => {
        const answer = read(frame, hasAnswerTags, (reader) => parse(id, apiKey, apiVersion, reader));
        if ("thrown" in answer) done(answer.thrown);
        else done(null, answer.value as Answer);
      };
      this.#waiting.set(id, call);
      this.#socket.write(writer.buffer);
    };
    return { send } as unknown as Connection;
  }

  #abandon(call: Waiting): void {
    call.take = undefined;
    // No answer to anybody since it was asked: it may be gone without a word, and a new connection finds out.
    if (this.#answeredMs < call.sentMs) this.end(unavailable("there was no answer in time"));
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#ended === undefined && this.#bytes >= LENGTH_BYTES) {
      const length = this.#front(LENGTH_BYTES).readInt32BE(0);
      if (length < CORRELATION_BYTES || length > LIMITS.frameBytes) return this.end(STRANGE);
      if (this.#bytes < LENGTH_BYTES + length) return;
      const whole = this.#front(LENGTH_BYTES + length);
      const frame = whole.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
      this.#chunks = [whole.subarray(LENGTH_BYTES + length), ...this.#chunks.slice(1)];
      this.#bytes -= LENGTH_BYTES + length;
      this.#answeredMs = performance.now();
      this.#take(frame);
    }
  }

  /** The first chunk, made long enough to have so many bytes in it. */
  #front(bytes: number): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    if (first.length >= bytes) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #take(frame: Buffer): void {
    const id = frame.readInt32BE(0);
    const call = this.#waiting.get(id);
    if (call === undefined) return this.end(STRANGE);
    this.#waiting.delete(id);
    try {
      call.take?.(frame.subarray(CORRELATION_BYTES));
    } catch {
      // The client's own steps of SASL take a broker at its word.
      this.end(STRANGE);
    }
  }
}

const STRANGE = invalid("what it answered is not the answer of a Kafka broker");

type Read = { readonly value: unknown } | { readonly thrown: Error };

function read(frame: Buffer, hasTags: boolean, parse: (reader: Reader) => unknown): Read {
  try {
    const reader = Reader.from(frame);
    if (hasTags) reader.readTaggedFields();
    const value = parse(reader);
    // A length that leads past the end is not noticed by whatever is read last.
    return reader.remaining >= 0 ? { value } : { thrown: STRANGE };
  } catch (thrown) {
    return { thrown: refusal(thrown) };
  }
}

/** Connects to the first address that takes the connection. Throws `SourceUnavailable` if none does. */
export async function connectTo(place: Place, manner: Manner, signal: AbortSignal): Promise<Socket> {
  let why = "there is no address";
  for (const address of place.addresses.slice(0, LIMITS.addresses)) {
    if (signal.aborted) break;
    try {
      const own = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.connectMs)]);
      return await connected(open(place, manner, address), manner, own);
    } catch (thrown) {
      why = reasonOf(thrown);
    }
  }
  throw unavailable(`${place.host}:${place.port} cannot be reached (${signal.aborted ? "in time" : why})`);
}

function open({ host, port }: Place, { tls, proof }: Manner, address: string): Socket {
  if (tls === undefined) return connectPlain({ host: address, port, noDelay: true });
  return connectTls({
    host: address,
    port,
    // The certificate has to be the name's that was asked for, wherever it led; for an address, the address's.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: "TLSv1.2",
    ...(proof?.kind === "mtls" ? { cert: proof.certificate, key: proof.privateKey } : {}),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  }).setNoDelay(true);
}

function connected(socket: Socket, { tls }: Manner, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const end = () => socket.destroy(new Error("no connection in time"));
  signal.addEventListener("abort", end, { once: true });
  socket.once(tls === undefined ? "connect" : "secureConnect", () => resolve(socket));
  // Stays for good: an error between two listeners of somebody else must not end the process.
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("closed")));
  return promise.finally(() => signal.removeEventListener("abort", end));
}

/** What went wrong in the runtime's word for it, such as `ECONNREFUSED`; it names no address. */
const reasonOf = (thrown: unknown): string => {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") return thrown.code;
  return thrown instanceof Error ? printable(thrown.message) : "an unknown reason";
};
