import { readFile, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ROOT } from "../story/bed.ts";
import { Ordeal, vector, type Lie } from "../story/ordeal.ts";

vi.setConfig({ testTimeout: 300_000 });

/** What becomes of an answer of the registry's; undefined passes it on. */
type Twist = ((response: ServerResponse, body: Buffer, from: IncomingMessage) => void) | undefined;

let ordeal: Ordeal;
let twist: Twist;
const before = createServer((asked, response) => {
  const { host } = new URL(`http://${ordeal.set.registry.host}`);
  const { username, password } = ordeal.set.registry;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const headers = { ...asked.headers, host, authorization };
  const through = request(
    `http://${host}${asked.url ?? "/"}`,
    { method: asked.method, headers },
    (from) => void passOn(from, response),
  );
  through.on("error", () => response.destroy());
  asked.pipe(through);
});

async function passOn(from: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (twist !== undefined) return twist(response, body, from);
  response.writeHead(from.statusCode ?? 502, from.headers).end(body);
}

const hostOfProxy = () => `127.0.0.1:${(before.address() as AddressInfo).port}`;
let tag = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => before.listen(0, "127.0.0.1", resolve));
  ordeal = await Ordeal.begin({ nodes: ["split"], flags: ["--insecure-registry", hostOfProxy()] });
}, 300_000);
afterAll(async () => {
  await ordeal?.[Symbol.asyncDispose]();
  before.closeAllConnections();
  before.close();
});
afterEach(async () => {
  twist = undefined;
  await ordeal.policy();
  await ordeal.recovered();
}, 120_000);

/** The algorithm as it is, as a module with bytes of its own, in the registry. */
async function unseen(number: number): Promise<string> {
  const module = await readFile(join(ROOT, "build/algorithms/threshold.wasm"));
  const name = Buffer.from(`unseen-${number}`);
  // A custom section that nobody reads: its id, its size, the length of its name, and that.
  const section = Buffer.from([0, name.length + 1, name.length, ...name]);
  const file = join(ordeal.set.folder, `unseen-${number}.wasm`);
  await writeFile(file, Buffer.concat([module, section]));
  return ordeal.set.push(file, `threshold:1.0.${number}`);
}

/** A policy whose algorithm has to come through a registry that does this: it is not run, and what runs stays. */
async function refuses(how: Twist, reason: string): Promise<void> {
  const seen = await ordeal.asked();
  twist = how;
  tag += 1;
  // Nobody has this module yet: one that is known by its digest is not fetched again.
  const artifact = await unseen(tag);
  const [, name = ""] = /\/(algorithms\/.*)$/.exec(artifact) ?? [];
  await ordeal.policy({
    artifact: `oci://${hostOfProxy()}/${name}`,
    config: { targetPerInstance: 100, tolerance: tag / 1_000 },
  });
  await ordeal.condition("AlgorithmLoaded", reason);
  ordeal.want(3);
  await pause(2_000);
  expect(await ordeal.asked()).toEqual(seen);
}

describe("a registry that", () => {
  const isBlob = (from: IncomingMessage, body: Buffer) =>
    body.length > 1_000 && from.headers["content-type"] !== "application/json";
  const json = { "content-type": "application/json" };
  const twisted =
    (change: (body: Buffer) => Buffer): Twist =>
    (response, body, from) => {
      const changed = isBlob(from, body) ? change(body) : body;
      response
        .writeHead(from.statusCode ?? 502, { ...from.headers, "content-length": String(changed.length) })
        .end(changed);
    };
  test("is cut off in the middle of a module", () =>
    refuses((response, body, from) => {
      response.writeHead(from.statusCode ?? 502, from.headers);
      if (!isBlob(from, body)) return void response.end(body);
      response.write(body.subarray(0, body.length / 2), () => void setTimeout(() => response.destroy(), 50));
    }, "ArtifactUnavailable"));
  test("lies about a module: one byte is another", () =>
    refuses(
      twisted((body) => {
        const other = Buffer.from(body);
        other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
        return other;
      }),
      "DigestMismatch",
    ));
  test("answers 500", () =>
    refuses((response) => void response.writeHead(500, json).end("{}"), "ArtifactUnavailable"));
  test("answers 429", () =>
    refuses(
      (response) => void response.writeHead(429, { ...json, "retry-after": "1" }).end("{}"),
      "ArtifactUnavailable",
    ));
  test("never answers", () => refuses(() => undefined, "ArtifactUnavailable"));
  test("is slow: a byte now and then", () =>
    refuses((response, body, from) => {
      response.writeHead(from.statusCode ?? 502, from.headers);
      let at = 0;
      const drip = setInterval(() => {
        if (response.destroyed || at >= body.length) clearInterval(drip);
        else response.write(body.subarray(at, (at += 1)));
      }, 100);
    }, "ArtifactUnavailable"));
});

describe("a metrics service that", () => {
  const holds = async (lie: Lie, reason: string) => {
    const seen = await ordeal.asked();
    ordeal.lie = lie;
    await ordeal.condition("SourcesHealthy", reason);
    await pause(2_000);
    expect(await ordeal.asked()).toEqual(seen);
  };
  test("never answers", () => holds(() => undefined, "SourceUnavailable"));
  test("is slow: a byte now and then", () =>
    holds((response) => {
      const body = vector({ split: "900" });
      let at = 0;
      const drip = setInterval(() => {
        if (response.destroyed || at >= body.length) clearInterval(drip);
        else response.write(body[(at += 1) - 1] ?? "");
      }, 200);
    }, "SourceUnavailable"));
  test("answers with a login page", () =>
    holds(
      (response) => void response.setHeader("content-type", "text/html").end("<html></html>"),
      "SourceInvalid",
    ));
  test("tells a number below zero: the algorithm leaves the node alone", async () => {
    const seen = await ordeal.asked();
    ordeal.lie = (response) => void response.end(vector({ split: "-5" }));
    await pause(4_000);
    expect(await ordeal.asked()).toEqual(seen);
  });
  test("tells of nodes that nobody has", async () => {
    const seen = await ordeal.asked();
    ordeal.lie = (response) => void response.end(vector({ stranger: "900" }));
    await pause(4_000);
    expect(await ordeal.asked()).toEqual(seen);
  });
});
