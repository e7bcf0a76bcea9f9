import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Fault } from "../fault/index.ts";
import { readPage, type Page } from "./page.ts";
import type { View } from "./view.ts";

const LIMITS = {
  // Policies in one answer: about 500 KB, once a second for each page that is open.
  policies: 500,
  connections: 100,
  headerBytes: 8 * 1_024,
  requestMs: 5_000,
  idleMs: 5_000,
} as const;

/** Whether the host works, and the checks that say so. */
export interface Readiness {
  readonly ok: boolean;
  readonly checks: Readonly<Record<string, boolean>>;
}

export interface ConsoleOptions {
  /** The address to listen on. On a loopback address only requests to a loopback name are answered. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly view: () => View;
  readonly metrics: () => Promise<string>;
  readonly ready: () => Readiness;
}

export interface Console {
  readonly url: URL;
  /** Stops listening and drops the connections that are open. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: "text/html" | "text/plain" | "application/json";
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Serves the page, its data, metrics and probes; reads, and changes nothing. Throws `PortTaken` where the port is in use
 * or may not be opened.
 */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const page = readPage();
  const server = createServer(
    { maxHeaderSize: LIMITS.headerBytes, requestTimeout: LIMITS.requestMs, keepAliveTimeout: LIMITS.idleMs },
    (request, response) => void serve(request, response, options, page),
  );
  server.maxConnections = LIMITS.connections;
  const { port } = await listen(server, options);
  return {
    url: new URL(`http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { host, port }: ConsoleOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (failure: NodeJS.ErrnoException) => reject(refused(failure, host, port)));
    server.listen({ host, port }, () => resolve(server.address() as AddressInfo));
  });
}

function refused(failure: NodeJS.ErrnoException, host: string, port: number): Error {
  const remedy = "Start with `--port N` for another port.";
  if (failure.code === "EADDRINUSE")
    return new Fault("PortTaken", `port ${port} is taken: something else listens on ${host}:${port}`, {
      remedy,
    });
  if (failure.code === "EACCES")
    return new Fault("PortTaken", `port ${port} may not be opened by this user`, { remedy });
  return failure;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ConsoleOptions,
  page: Page,
): Promise<void> {
  const answer = await answerTo(request, options, page).catch((): Answer => ({
    status: 500,
    type: "text/plain",
    body: "The host could not answer.\n",
  }));
  const headers = {
    "content-type": `${answer.type}; charset=utf-8`,
    "content-length": Buffer.byteLength(answer.body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    ...answer.headers,
  };
  response.writeHead(answer.status, headers).end(request.method === "HEAD" ? undefined : answer.body);
}

async function answerTo(request: IncomingMessage, options: ConsoleOptions, page: Page): Promise<Answer> {
  if (!meant(request.headers.host, options.host)) {
    return text(421, "This console is for this machine alone: ask for it as localhost or 127.0.0.1.");
  }
  const answer = routes(options, page)[(request.url ?? "").split("?")[0] ?? ""];
  if (answer === undefined)
    return text(404, "There is no such page. Those there are: / /api/v1/policies /metrics /healthz /readyz");
  if (request.method === "GET" || request.method === "HEAD") return answer();
  return { ...text(405, "The console only shows: use GET."), headers: { allow: "GET, HEAD" } };
}

/** The paths and their answers; without a prototype, so that `/constructor` is none of them. */
function routes(
  options: ConsoleOptions,
  page: Page,
): Readonly<Record<string, () => Answer | Promise<Answer>>> {
  return Object.assign(Object.create(null) as object, {
    "/": () => ({
      status: 200,
      type: "text/html" as const,
      body: page.html,
      headers: { "content-security-policy": page.contentSecurityPolicy },
    }),
    "/api/v1/policies": () => json(200, shown(options.view())),
    "/metrics": async () => ({
      status: 200,
      type: "text/plain" as const,
      body: await options.metrics(),
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    }),
    "/healthz": () => text(200, "ok"),
    "/readyz": () => {
      const { ok, checks } = options.ready();
      const failing = Object.entries(checks).flatMap(([check, passes]) => (passes ? [] : [check]));
      return json(ok ? 200 : 503, { ok, failing, checks });
    },
  });
}

/** As many policies as a page can show each second, and how many are left out. */
function shown({ policies }: View): View & { readonly omitted: number } {
  return {
    policies: policies.slice(0, LIMITS.policies),
    omitted: Math.max(0, policies.length - LIMITS.policies),
  };
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: "application/json",
  body: `${JSON.stringify(value)}\n`,
});
const text = (status: number, line: string): Answer => ({ status, type: "text/plain", body: `${line}\n` });

/**
 * Whether a request is for this console. A page elsewhere can give its own name the address 127.0.0.1 and read from
 * there as if it were itself; what it cannot do is ask under our name.
 */
function meant(asked: string | undefined, host: string): boolean {
  if (!LOOPBACK.test(host)) return true;
  return LOOPBACK.test((asked ?? "").replace(/:\d+$/, ""));
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;
