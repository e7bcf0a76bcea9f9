import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { Client, type Dispatcher } from "undici";
import { before } from "./before.ts";
import type { Meter } from "./budget.ts";
import { connect, reasonOf, type Line } from "./connection.ts";
import { Undone } from "./denial.ts";
import type { Headers } from "./headers.ts";
import { LIMITS } from "./limits.ts";

/** One request on the wire. */
export interface Sent extends Line {
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly meter: Meter;
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/**
 * One request over one connection of its own, to a pinned address: nothing is kept that a later request, or another
 * tenant, could meet. Throws `Undone`, or the signal's reason.
 */
export async function exchange(sent: Sent): Promise<Received> {
  const { destination, method, headers, body, signal } = sent;
  const wire = new Wire(await connect(sent), sent.meter);
  const client = new Client(`${destination.scheme}://${destination.host}:${destination.port}`, {
    connect: wire.connector,
    allowH2: false,
    pipelining: 1,
    maxHeaderSize: LIMITS.answerHeaderBytes,
    // The signal is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const response = await before(
      signal,
      client.request({
        path: `${destination.path}${destination.query}`,
        method,
        headers: { "user-agent": "sluice", ...headers, "accept-encoding": "identity" },
        reset: true,
        onInfo: () => wire.interim(),
        body: body.length === 0 ? null : body,
        signal,
      }),
    );
    response.body.on("error", () => undefined);
    return {
      status: response.statusCode,
      headers: response.headers,
      body: await before(signal, read(response, method)),
    };
  } catch (thrown) {
    throw signal.aborted ? signal.reason : (wire.undone ?? undoneOf(thrown));
  } finally {
    wire.end();
    void client.destroy().catch(() => undefined);
  }
}

async function read({ headers, body }: Dispatcher.ResponseData, method: string): Promise<Uint8Array> {
  const announced = Number(headers["content-length"] ?? 0);
  if (method !== "HEAD" && announced > LIMITS.answerBytes) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early destroys the connection, and what else was to come with it.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > LIMITS.answerBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** The connection of one exchange, and all that is counted on it. */
class Wire {
  undone: Undone | undefined;
  readonly #socket: Socket;
  readonly #meter: Meter;
  #countedBytes = 0;
  #interim = 0;

  constructor(socket: Socket, meter: Meter) {
    this.#socket = socket;
    this.#meter = meter;
    socket.on("readable", () => this.#count());
    socket.once("close", () => this.#count());
  }

  /** There is this one connection: a request that loses it is not sent again over another. */
  readonly connector = (_asked: unknown, done: (...given: [null, Socket] | [Error, null]) => void): void => {
    // Later: the client is not ready for an answer while it asks.
    setImmediate(() =>
      this.#socket.destroyed
        ? done(new Undone("Broken", "the connection was closed"), null)
        : done(null, this.#socket),
    );
  };

  /** Interim answers cost a parser dearly, and mean nothing here. */
  interim(): void {
    this.#interim++;
    if (this.#interim <= LIMITS.interimAnswers) return;
    this.undone ??= new Undone("Broken", `there were more than ${LIMITS.interimAnswers} interim answers`);
    throw this.undone;
  }

  #count(): void {
    const bytes = this.#socket.bytesRead + this.#socket.bytesWritten;
    const within = this.#meter(bytes - this.#countedBytes);
    this.#countedBytes = bytes;
    if (!within) this.undone ??= new Undone("BudgetSpent", "the policy's bytes of a minute are spent");
    if (this.#socket.bytesRead > LIMITS.wireBytes) this.undone ??= tooLarge();
    if (this.undone !== undefined) this.#socket.destroy(this.undone);
  }

  end(): void {
    this.#count();
    this.#socket.destroy();
  }
}

const tooLarge = () => new Undone("TooLarge", `the answer has more than ${LIMITS.answerBytes} bytes`);

function undoneOf(thrown: unknown): Undone {
  if (thrown instanceof Undone) return thrown;
  const reason = reasonOf(thrown);
  return reason === "UND_ERR_HEADERS_OVERFLOW"
    ? new Undone("TooLarge", `the answer's headers have more than ${LIMITS.answerHeaderBytes} bytes`)
    : new Undone("Broken", `the connection broke off: ${reason}`);
}
