import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { text } from "node:stream/consumers";
import type { Registry } from "./registry.ts";

/** What is asked of a registry. */
interface Request {
  readonly method?: string;
  readonly authorization?: string | undefined;
  readonly body?: string;
}

/** What it answers; header fields it did not send are empty. */
interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string;
  readonly challenge: string;
}

/** Asks a registry for a path, or for a URL of its own, as any client would: with its certificate authority, and no more. */
export async function ask(
  { url, ca }: Registry,
  path: string,
  { method = "GET", authorization, body = "" }: Request = {},
): Promise<Answer> {
  const trust = ca === undefined ? {} : { ca: await readFile(ca, "utf8") };
  const headers = {
    "content-type": "application/octet-stream",
    ...(authorization === undefined ? {} : { authorization }),
  };
  return new Promise<Answer>((resolve, reject) => {
    const send = ca === undefined ? requestPlain : requestTls;
    const call = send(new URL(path, url), { method, headers, agent: false, ...trust }, (answer) => {
      const { location = "", "www-authenticate": challenge = "" } = answer.headers;
      text(answer).then(
        (content) => resolve({ status: answer.statusCode ?? 0, body: content, location, challenge }),
        reject,
      );
    });
    call.on("error", reject).end(body);
  });
}

/** The Authorization header that the registry's challenge leads to; none when it does not challenge. */
export async function authorize(store: Registry, scope: string): Promise<string | undefined> {
  const { challenge } = await ask(store, "/v2/");
  const basic = `Basic ${Buffer.from(`${store.username}:${store.password}`).toString("base64")}`;
  if (challenge === "") return undefined;
  if (challenge.startsWith("Basic ")) return basic;
  const { realm = "", service = "" } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const issuer = new URL(realm);
  issuer.search = new URLSearchParams({ service, scope }).toString();
  const { body } = await ask(store, issuer.href, { authorization: basic });
  return `Bearer ${(JSON.parse(body) as { token: string }).token}`;
}

/** Pushes a blob to the repository `algorithms/kta` and returns its digest; throws when the registry does not take it. */
export async function push(
  store: Registry,
  authorization: string | undefined,
  content: string,
): Promise<string> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const { location } = await ask(store, "/v2/algorithms/kta/blobs/uploads/", {
    method: "POST",
    authorization,
  });
  const upload = new URL(location, store.url);
  upload.searchParams.set("digest", digest);
  const { status } = await ask(store, upload.href, { method: "PUT", authorization, body: content });
  if (status !== 201) throw new Error(`the registry answered ${status} to a push`);
  return digest;
}
