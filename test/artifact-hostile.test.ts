import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseReference, Registry, type RegistryOptions } from "../host/artifact/index.ts";
import {
  HONEST,
  HONEST_BLOB,
  hostileRegistry,
  imageOf,
  INDEX,
  manifest,
  MANIFEST,
  say,
  type HostileRegistry,
  type Reply,
} from "./hostile-registry.ts";
import { credentials, faultOf, sha256, wasm } from "./modules.ts";

let evil: HostileRegistry;
let foreign: HostileRegistry;
const opened: Registry[] = [];
beforeEach(async () => {
  evil = await hostileRegistry();
  foreign = await hostileRegistry();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await evil[Symbol.asyncDispose]();
  await foreign[Symbol.asyncDispose]();
});

function client(options: RegistryOptions = {}): Registry {
  const registry = new Registry({ insecure: [evil.host, foreign.host], ...options });
  opened.push(registry);
  return registry;
}
const named = (rest = "a:1") => parseReference(`oci://${evil.host}/${rest}`);
const SECRET = "hunter2";
const shown = () => ({ credentials: credentials(evil.host, "me", SECRET) });
/** The code and the message, without the reference that each message begins with. */
async function refusal(options: RegistryOptions = {}, reference = named()): Promise<string> {
  const fault = await faultOf(client(options).pull(reference, shown()));
  expect(fault.message).toContain(`oci://${evil.host}/a`);
  expect(`${fault.sentence} ${String(fault.cause)}`).not.toContain(SECRET);
  return `${fault.code}${fault.message.replace(/^oci:\S+?:?( |$)/, " ")}`;
}

test("the registry that these tests start from serves an honest module", async () => {
  expect((await client().pull(named())).bytes).toEqual(HONEST);
});

const endless: Reply = (response) => {
  const more = () => response.destroyed || response.write(Buffer.alloc(65_536), more);
  more();
};
const drip: Reply = (response) => {
  response.write(HONEST.subarray(0, 8));
  const timer = setInterval(() => response.write("x"), 20);
  response.on("close", () => clearInterval(timer));
};

describe("bytes that are not what was promised", () => {
  const other = wasm("0ther!");
  test.each<[string, Reply, string]>([
    [
      "another module of the same length",
      say(200, {}, other),
      `DigestMismatch ${sha256(HONEST)} was asked for, and ${sha256(other)} arrived`,
    ],
    [
      "a longer announcement",
      say(200, { "content-length": "99" }),
      "DigestMismatch a layer of 18 bytes was announced as 99 bytes",
    ],
    ["a body that goes on for ever", endless, "DigestMismatch a layer goes on after its 18 bytes"],
    [
      "a body that ends early",
      (response) => response.write(HONEST.subarray(0, 9), () => response.end()),
      "DigestMismatch a layer ended after 9 of 18 bytes",
    ],
    [
      "a connection that breaks",
      (response) => response.write(HONEST.subarray(0, 9), () => response.destroy()),
      "ArtifactUnavailable the registry could not be reached or broke off (UND_ERR_SOCKET)",
    ],
    [
      "a compressed body",
      say(200, { "content-encoding": "gzip" }, HONEST),
      "ArtifactInvalid was sent compressed, which was not asked for",
    ],
    [
      "no body at all for too long",
      (response) => response.flushHeaders(),
      "ArtifactUnavailable the registry could not be reached or broke off (UND_ERR_BODY_TIMEOUT)",
    ],
    ["a byte now and then", drip, "ArtifactUnavailable the registry sends less than 8192 bytes a second"],
  ])("are refused: %s", async (_, reply, message) => {
    evil.reply(HONEST_BLOB, reply);
    const large = Buffer.concat([HONEST, Buffer.alloc(500_000)]);
    if (reply === drip) evil.reply("manifests/1", manifest(imageOf(HONEST, { size: large.length })));
    expect(await refusal({ waits: { speedGraceMs: 100, idleMs: 500 } })).toBe(message);
  });

  test("hold nobody longer than the deadline", async () => {
    evil.reply(HONEST_BLOB, drip);
    evil.reply("manifests/1", manifest(imageOf(HONEST, { size: 500_000 })));
    expect(await refusal({ waits: { pullMs: 300 } })).toBe(
      "ArtifactUnavailable the registry was not done after 0.3 s",
    );
  });

  test("are not waited for when the caller gave up", async () => {
    evil.reply(HONEST_BLOB, drip);
    const caller = new AbortController();
    const pull = faultOf(client().pull(named(), { signal: caller.signal }));
    await sleep(50);
    caller.abort();
    expect((await pull).message).toBe(`oci://${evil.host}/a:1: it was given up`);
  });
});

/** Keeps a manifest under its digest, and is the entry of an index that points there. */
function entry(document: unknown, rest: Record<string, unknown> = {}) {
  const text = JSON.stringify(document);
  const digest = sha256(text);
  evil.reply(`manifests/${digest}`, say(200, { "content-type": MANIFEST }, text));
  return {
    mediaType: MANIFEST,
    digest,
    size: text.length,
    platform: { architecture: "wasm", os: "wasip1" },
    ...rest,
  };
}
const index = (...manifests: unknown[]) => manifest({ schemaVersion: 2, mediaType: INDEX, manifests }, INDEX);

describe("manifests that are not what they seem", () => {
  const good = imageOf(HONEST);

  test("an index leads to its entry for wasm/wasip1, past those for other platforms and attestations", async () => {
    const linux = { ...entry(imageOf(wasm("linux"))), platform: { architecture: "amd64", os: "linux" } };
    const unknown = { ...entry({}), platform: { architecture: "unknown", os: "unknown" } };
    evil.reply("manifests/1", index(linux, unknown, entry(good)));
    expect((await client().pull(named())).bytes).toEqual(HONEST);
    evil.reply("manifests/1", index({ ...entry(good), platform: undefined }, unknown));
    expect((await client().pull(named())).bytes).toEqual(HONEST);
  });

  test.each<[string, () => Reply, string]>([
    [
      "larger than 4 MiB",
      () => say(200, { "content-type": MANIFEST }, Buffer.alloc(4_194_305, 32)),
      "ArtifactInvalid has a manifest of more than 4194304 bytes",
    ],
    [
      "no JSON",
      () => say(200, { "content-type": MANIFEST }, "[".repeat(1_000_000)),
      "ArtifactInvalid has a manifest that is not a JSON object",
    ],
    [
      "a web page",
      () => say(200, { "content-type": "text/html" }, "<html>"),
      'ArtifactInvalid is a "text/html", which is neither an image manifest nor an index',
    ],
    [
      "an index that is called an image",
      () => manifest({ schemaVersion: 2, mediaType: INDEX, manifests: [] }, MANIFEST),
      `ArtifactInvalid has a manifest that the registry calls a ${MANIFEST}, and that calls itself something else`,
    ],
    [
      "an image and an index at once",
      () => manifest({ ...good, manifests: [] }),
      "ArtifactInvalid has a manifest that is an image and an index at once",
    ],
    [
      "of schema version 1",
      () => manifest({ ...good, schemaVersion: 1 }),
      "ArtifactInvalid has a manifest of another schema version than 2",
    ],
    [
      "an index of 20,000",
      () =>
        manifest(
          {
            schemaVersion: 2,
            manifests: Array.from({ length: 20_000 }, () => ({
              mediaType: MANIFEST,
              digest: sha256(""),
              size: 1,
            })),
          },
          INDEX,
        ),
      "ArtifactInvalid has a manifest with 20000 manifests; 256 are allowed",
    ],
    [
      "an index for two",
      () => index(entry(good), entry(imageOf(wasm("b")))),
      "ArtifactInvalid is an index, and not exactly one of its entries is for wasm/wasip1",
    ],
    ["an empty index", () => index(), "ArtifactInvalid is an index without entries"],
    [
      "an index of an index",
      () => {
        const inner = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry(good)] });
        evil.reply(`manifests/${sha256(inner)}`, say(200, { "content-type": INDEX }, inner));
        return index({ mediaType: INDEX, digest: sha256(inner), size: inner.length });
      },
      "ArtifactInvalid is an index of indexes",
    ],
    [
      "an entry of another kind than announced",
      () => index(entry(good, { mediaType: INDEX })),
      "ArtifactInvalid is an index that calls its entry something else than the registry does",
    ],
    [
      "a layer that lies elsewhere",
      () => manifest(imageOf(HONEST, { urls: [`http://${foreign.host}/x`] })),
      "ArtifactInvalid has a layer that lies outside its registry (`urls`)",
    ],
    [
      "a layer of 1 GiB",
      () => manifest(imageOf(HONEST, { size: 1_073_741_824 })),
      "ArtifactInvalid is 1073741824 bytes long; 4194304 are allowed",
    ],
    [
      "a layer of a negative size",
      () => manifest(imageOf(HONEST, { size: -1 })),
      "ArtifactInvalid has a manifest with a descriptor that has no size",
    ],
    [
      "a digest that is a path",
      () => manifest(imageOf(HONEST, { digest: `sha256:../../${"a".repeat(58)}` })),
      "ArtifactInvalid has a manifest with a descriptor that has no SHA-256 digest",
    ],
    [
      "another digest than the registry announced",
      () =>
        say(200, { "content-type": MANIFEST, "docker-content-digest": sha256("x") }, JSON.stringify(good)),
      "DigestMismatch the manifest is not the one that the registry announced",
    ],
    [
      "a redirect",
      () => say(307, { location: `http://${foreign.host}/v2/a/manifests/1` }),
      "ArtifactUnavailable the registry answered 307",
    ],
  ])("are refused: %s", async (_, reply, message) => {
    evil.reply("manifests/1", reply());
    expect(await refusal()).toBe(message);
    expect(evil.seen.filter(({ path }) => path.includes("blobs"))).toEqual([]);
    expect(foreign.seen).toEqual([]);
  });

  test("another manifest than the digest that was asked for is refused", async () => {
    evil.reply(`manifests/${sha256("x")}`, manifest(good));
    const arrived = sha256(JSON.stringify(good));
    expect(await refusal({}, named(`a@${sha256("x")}`))).toBe(
      `DigestMismatch the manifest ${sha256("x")} was asked for, and ${arrived} arrived`,
    );
  });
});

describe("a registry that cannot answer", () => {
  test.each([
    [429, { "retry-after": "7" }, "ArtifactUnavailable", true, 7],
    [429, { "retry-after": "999999" }, "ArtifactUnavailable", true, 3_600],
    [503, { "retry-after": "soon" }, "ArtifactUnavailable", true, undefined],
    [500, {}, "ArtifactUnavailable", true, undefined],
    [404, {}, "ArtifactNotFound", false, undefined],
    [403, {}, "ArtifactDenied", false, undefined],
  ])("says so with %i %j", async (status, headers, code, retry, retryAfterSeconds) => {
    evil.reply("manifests/1", say(status, headers, "hunter2, said the registry"));
    const fault = await faultOf(client().pull(named(), shown()));
    expect(fault).toMatchObject({
      code,
      retry,
      retryAfterSeconds,
      message: `oci://${evil.host}/a:1: the registry answered ${status}`,
    });
  });

  test("because nobody listens, or because it does not speak TLS", async () => {
    expect(await refusal({ insecure: [] })).toMatch(
      /^ArtifactUnavailable the registry does not speak TLS \(ERR_SSL_/,
    );
    const gone = parseReference(`oci://${evil.host}/a:1`);
    await evil[Symbol.asyncDispose]();
    expect(await refusal({}, gone)).toBe(
      "ArtifactUnavailable the registry could not be reached or broke off (ECONNREFUSED)",
    );
    evil = await hostileRegistry();
  });
});
