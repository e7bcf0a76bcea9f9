import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { EffectAnswer, EffectRequest, Perform } from "../../host/engine/index.ts";
import { imported, wasm } from "../hostile/wat.ts";

const HOST = '"sluice:host"';
const IMPORTS = `
  ${imported("alloc", "(param i64) (result i64)")} ${imported("length", "(param i64) (result i64)")}
  ${imported("store_u8", "(param i64 i32)")} ${imported("load_u8", "(param i64) (result i32)")}
  ${imported("output_set", "(param i64 i64)")} ${imported("error_set", "(param i64)")} ${imported("log_info", "(param i64)")}
  ${imported("http_request", "(param i64 i64) (result i64)")} ${imported("http_status_code", "(result i32)")}
  ${imported("http_headers", "(result i64)")} ${imported("input_offset", "(result i64)")}
  (import ${HOST} "http_batch" (func $http_batch (param i64) (result i64)))`;
const FUNCTIONS = `
  (func $put (param $from i32) (param $length i32) (result i64) (local $block i64) (local $i i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $length))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $length)))
      (call $store_u8 (i64.add (local.get $block) (i64.extend_i32_u (local.get $i)))
        (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (local.get $block))
  (func $say (param $block i64) (call $output_set (local.get $block) (call $length (local.get $block))))`;

/** A block that holds these words, in the text format. */
export type Text = (words: string) => string;
/** What a step of a test does, in the text format. */
export type Doing = (text: Text) => string;

/** A module whose steps do as they are told. `$b` holds what the last of them was answered. */
export function asking(steps: Readonly<Record<string, Doing>>, more = ""): Uint8Array {
  let at = 64;
  const data: string[] = [];
  const text: Text = (words) => {
    const bytes = [...Buffer.from(words, "utf8")];
    const block = `(call $put (i32.const ${at}) (i32.const ${bytes.length}))`;
    data.push(
      `(data (i32.const ${at}) "${bytes.map((one) => `\\${one.toString(16).padStart(2, "0")}`).join("")}")`,
    );
    at += bytes.length;
    return block;
  };
  const functions = Object.entries(steps).map(
    ([name, doing]) => `(func (export "${name}") (result i32) (local $b i64) ${doing(text)} (i32.const 0))`,
  );
  return wasm(
    `(module ${IMPORTS} (memory (export "memory") 1) ${FUNCTIONS} ${functions.join("\n")} ${data.join("\n")} ${more})`,
  );
}

/** Asks for a path of the server, and keeps what it answers. */
export const get = (text: Text, url: string) =>
  `(local.set $b (call $http_request ${text(JSON.stringify({ url, method: "GET", headers: {} }))} (i64.const 0)))`;
/** Gives what was answered last as the step's answer. */
export const SAY = "(call $say (local.get $b))";

/** A server on this machine, and a performer that asks nobody else. */
export interface World extends AsyncDisposable {
  readonly origin: string;
  /** The requests that arrived, as `GET /path body`. */
  readonly asked: string[];
  readonly perform: Perform;
}

export async function world(): Promise<World> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      asked.push(`${request.method} ${path} ${Buffer.concat(chunks).toString()}`.trim());
      const status = Number(/\/status\/(\d+)/.exec(path)?.[1] ?? 200);
      const length = Number(/\/bytes\/(\d+)/.exec(path)?.[1] ?? 0);
      const body =
        length > 0 ? `{"x":"${"x".repeat(length - 8)}"}` : JSON.stringify({ path, n: asked.length });
      const answer = () => response.writeHead(status, { "x-from": "the server", date: "then" }).end(body);
      setTimeout(answer, Number(/\/after\/(\d+)/.exec(path)?.[1] ?? 0));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    asked,
    perform: fetched,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function fetched(
  { method, url, headers, body }: EffectRequest,
  signal: AbortSignal,
): Promise<EffectAnswer> {
  try {
    const sent = body.length === 0 ? {} : { body: Buffer.from(body) };
    const response = await fetch(url, { method, headers, signal, ...sent });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: new Uint8Array(await response.arrayBuffer()),
    };
  } catch {
    return { error: "Unreachable" };
  }
}
