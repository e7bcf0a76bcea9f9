import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256, wasm } from "./modules.ts";

/** What a registry was asked, and what it was shown. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly headers: IncomingMessage["headers"];
}

/** Answers one request, as wrongly as it likes. */
export type Reply = (response: ServerResponse, request: IncomingMessage) => void;

/** A registry on loopback that lies where a test wants it to; the rest of it is true. */
export interface HostileRegistry extends AsyncDisposable {
  readonly host: string;
  readonly seen: Seen[];
  /** The reply to a path under `/v2/a/` (`*` is every other path); the last one said counts. */
  reply(path: string, reply: Reply): void;
}

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const INDEX = "application/vnd.oci.image.index.v1+json";

/** Replies with a status, headers and a body. */
export const say =
  (status: number, headers: Record<string, string> = {}, body: string | Buffer = ""): Reply =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

/** Replies with a JSON document of a type. */
export const manifest = (document: unknown, type = MANIFEST): Reply =>
  say(200, { "content-type": type }, JSON.stringify(document));

/** A manifest of one module. */
export const imageOf = (
  module: Buffer,
  layer: Record<string, unknown> = {},
  rest: Record<string, unknown> = {},
) => ({
  schemaVersion: 2,
  mediaType: MANIFEST,
  config: { mediaType: "application/vnd.wasm.config.v0+json", digest: sha256("{}"), size: 2 },
  layers: [{ mediaType: "application/wasm", digest: sha256(module), size: module.length, ...layer }],
  ...rest,
});

/** The module that a hostile registry serves while nothing is told to lie: `oci://<host>/a:1`. */
export const HONEST = wasm("honest");
export const HONEST_BLOB = `blobs/${sha256(HONEST)}`;

/** Starts one with `HONEST` in it. */
export async function hostileRegistry(): Promise<HostileRegistry> {
  const replies = new Map<string, Reply>([
    ["manifests/1", manifest(imageOf(HONEST))],
    [HONEST_BLOB, say(200, {}, HONEST)],
  ]);
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method = "", url: path = "", headers } = request;
    seen.push({ method, path, authorization: headers.authorization, headers });
    const key = path.startsWith("/v2/a/") ? path.slice("/v2/a/".length) : path;
    request.resume();
    response.on("error", () => undefined);
    (replies.get(key) ?? replies.get("*") ?? say(404))(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    reply: (path, reply) => void replies.set(path, reply),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
