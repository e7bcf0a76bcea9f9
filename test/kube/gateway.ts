import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Agent, request } from "undici";

/** A request of the operator's, as the gateway sees it. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** Whose rights it is made with; undefined is the operator's own. */
  readonly as: string | undefined;
  readonly isWatch: boolean;
  readonly isScale: boolean;
  readonly body: string;
}

/** What is done with a request instead of passing it on. */
export type Script =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly delayMs: number }
  /** The connection is closed without an answer, before or after the server did what was asked. */
  | "cut"
  | "cut afterwards"
  /** What the server answers is changed. */
  | { readonly change: (body: string) => string }
  /** Each line of a watch becomes so many others, none among them. */
  | { readonly lines: (line: string) => readonly string[] }
  | undefined;

/** A reverse proxy before a real API server that does what a script says, and remembers what was asked. */
export interface Gateway extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Says what happens to each request from now on. */
  play(script: (asked: Asked) => Script): void;
  /** Passes everything on again; ends watches, so that they begin anew. */
  calm(): void;
}

/** What a gateway shows of itself, and whom it trusts. */
export interface GatewayKeys {
  readonly key: string;
  readonly cert: string;
  /** The authority of the server behind it. */
  readonly ca: string;
}

/** Starts a gateway before the API server at this address. */
export async function gateway(server: string, { key, cert, ca }: GatewayKeys): Promise<Gateway> {
  const upstream = new Agent({ connect: { ca }, connections: 64, bodyTimeout: 0, headersTimeout: 0 });
  const asked: Asked[] = [];
  const watches = new Set<ServerResponse>();
  let script: (one: Asked) => Script = () => undefined;
  const proxy = createServer({ key, cert }, (incoming, response) => {
    void readBody(incoming).then(async (body) => {
      const one = askedOf(incoming, body);
      asked.push(one);
      if (one.isWatch) {
        watches.add(response);
        response.on("close", () => watches.delete(response));
      }
      await serve(incoming, response, one, script(one)).catch(() => response.destroy());
    });
  });
  const serve = async (incoming: IncomingMessage, response: ServerResponse, one: Asked, told: Script) => {
    if (told === "cut") return void response.destroy();
    if (typeof told === "object" && "status" in told)
      return void response
        .writeHead(told.status, { "content-type": "application/json", ...told.headers })
        .end(told.body ?? "{}");
    if (typeof told === "object" && "delayMs" in told)
      await new Promise((resolve) => setTimeout(resolve, told.delayMs));
    const { host: _host, connection: _connection, ...headers } = incoming.headers;
    const answer = await request(`${server}${one.url}`, {
      method: one.method,
      headers: headers as Record<string, string>,
      dispatcher: upstream,
      ...(one.body === "" ? {} : { body: one.body }),
    });
    if (told === "cut afterwards") {
      await answer.body.dump();
      return void response.destroy();
    }
    response.writeHead(answer.statusCode, {
      "content-type": String(answer.headers["content-type"] ?? "application/json"),
    });
    if (one.isWatch)
      return pipeLines(
        answer.body,
        response,
        typeof told === "object" && "lines" in told ? told.lines : (line) => [line],
      );
    const text = await answer.body.text();
    response.end(typeof told === "object" && "change" in told ? told.change(text) : text);
  };
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const endWatches = () => {
    for (const response of watches) response.destroy();
  };
  return {
    url: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    play(next) {
      script = next;
    },
    calm() {
      script = () => undefined;
      endWatches();
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      await upstream.destroy();
    },
  };
}

async function pipeLines(
  body: AsyncIterable<Buffer>,
  response: ServerResponse,
  lines: (line: string) => readonly string[],
): Promise<void> {
  let held = "";
  response.flushHeaders();
  try {
    for await (const chunk of body) {
      held += chunk.toString("utf8");
      for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
        for (const line of lines(held.slice(0, end))) response.write(`${line}\n`);
        held = held.slice(end + 1);
      }
      if (response.destroyed) return;
    }
  } finally {
    response.end();
  }
}

function askedOf({ method = "GET", url = "/", headers }: IncomingMessage, body: string): Asked {
  return {
    ...{ method, url, body },
    as: headers["impersonate-user"] as string | undefined,
    isWatch: url.includes("watch=true"),
    isScale: /\/scale(\?|$)/.test(url),
  };
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of incoming.setEncoding("utf8")) body += chunk as string;
  return body;
}
