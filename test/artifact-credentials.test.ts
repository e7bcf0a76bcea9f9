import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseReference, Registry, type Credentials, type RegistryOptions } from "../host/artifact/index.ts";
import {
  HONEST,
  HONEST_BLOB,
  hostileRegistry,
  imageOf,
  manifest,
  say,
  type HostileRegistry,
  type Reply,
} from "./hostile-registry.ts";
import { credentials, faultOf } from "./modules.ts";

const SECRET = "hunter2";
const BASIC = `Basic ${Buffer.from(`me:${SECRET}`).toString("base64")}`;

let home: HostileRegistry;
let foreign: HostileRegistry;
const opened: Registry[] = [];
beforeEach(async () => {
  home = await hostileRegistry();
  foreign = await hostileRegistry();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  await home[Symbol.asyncDispose]();
  await foreign[Symbol.asyncDispose]();
});

function client(options: RegistryOptions = {}): Registry {
  const registry = new Registry({ insecure: [home.host, foreign.host], ...options });
  opened.push(registry);
  return registry;
}
const named = () => parseReference(`oci://${home.host}/a:1`);
const mine = (): { credentials: Credentials } => ({ credentials: credentials(home.host, "me", SECRET) });

/** Knows nobody until it is shown something. */
const wants =
  (challenge: string, then: Reply): Reply =>
  (response, request) =>
    request.headers.authorization === undefined
      ? say(401, { "www-authenticate": challenge })(response, request)
      : then(response, request);
const basic = (then: Reply): Reply => wants('Basic realm="x"', then);

/** Serves the honest module to whoever shows something. */
function guard(challenge: string): void {
  home.reply("manifests/1", wants(challenge, manifest(imageOf(HONEST))));
  home.reply(HONEST_BLOB, wants(challenge, say(200, {}, HONEST)));
}

const elsewhere = () => `http://${foreign.host}/x`;

const redirected = (status: number, location = elsewhere()) => {
  guard('Basic realm="x"');
  home.reply(HONEST_BLOB, basic(say(status, { location })));
  foreign.reply("/x", say(200, {}, HONEST));
};

describe("a second origin sees no credential, and nothing that looks like one", () => {
  const variants: Record<string, () => void> = {
    "301": () => redirected(301),
    "302": () => redirected(302),
    "303": () => redirected(303),
    "307": () => redirected(307),
    "308": () => redirected(308),
    "a location without a scheme": () => redirected(307, `//${foreign.host}/x`),
    "the same address under another name": () =>
      redirected(307, elsewhere().replace("127.0.0.1", "localhost")),
    "a location with a user name in it": () => redirected(307, `http://${home.host}@${foreign.host}/x`),
    "a redirect over the registry itself": () => {
      redirected(307, "/v2/a/next");
      home.reply("next", basic(say(307, { location: elsewhere() })));
    },
    "a redirect there and back": () => {
      redirected(307);
      foreign.reply("/x", say(307, { location: `http://${home.host}/v2/a/back` }));
      home.reply("back", say(307, { location: elsewhere() }));
    },
    "a foreign challenge": () => {
      redirected(307);
      foreign.reply("/x", say(401, { "www-authenticate": 'Basic realm="x"' }));
    },
    "a token service elsewhere": () => guard(`Bearer realm="http://${foreign.host}/x",service="s"`),
    "a token service that redirects": () => {
      guard(`Bearer realm="http://${home.host}/token"`);
      home.reply("/token", say(307, { location: elsewhere() }));
    },
    "a layer that says it lies there": () =>
      home.reply("manifests/1", basic(manifest(imageOf(HONEST, { urls: [elsewhere()] })))),
    "a manifest that is redirected": () =>
      home.reply("manifests/1", basic(say(307, { location: elsewhere() }))),
  };

  test.each(Object.keys(variants))("when the registry tries: %s", async (name) => {
    variants[name]?.();
    await client()
      .pull(named(), mine())
      .catch(() => undefined);
    expect(foreign.seen.filter(({ headers }) => JSON.stringify(headers).includes(BASIC.slice(6)))).toEqual(
      [],
    );
    expect(
      foreign.seen.filter((one) => one.authorization !== undefined || one.path.includes(SECRET)),
    ).toEqual([]);
    const back = home.seen.filter(({ path }) => path.endsWith("/back"));
    expect(back.map(({ authorization }) => authorization)).toEqual(back.map(() => undefined));
  });

  test("when an upload is sent there", async () => {
    home.reply("blobs/uploads/", basic(say(202, { location: elsewhere() })));
    const fault = await faultOf(client().push(named(), HONEST, mine()));
    expect(fault.message).toBe(
      `oci://${home.host}/a:1: the registry wants the upload sent to another host, which does not get the credentials`,
    );
    expect(foreign.seen).toEqual([]);
  });

  test("and a layer that lies there is still had", async () => {
    redirected(307);
    expect((await client().pull(named(), mine())).bytes).toEqual(HONEST);
    expect(foreign.seen.map(({ path, authorization }) => [path, authorization])).toEqual([["/x", undefined]]);
  });

  test("not over more than three redirects, and never over a scheme or host that was not allowed", async () => {
    redirected(307, `http://${home.host}/v2/a/${HONEST_BLOB}`);
    expect((await faultOf(client().pull(named(), mine()))).message).toContain(
      "redirects a layer more than 3 times",
    );
    expect(
      home.seen.filter(({ path, authorization }) => path.includes("blobs") && authorization === BASIC),
    ).toHaveLength(4);
    for (const location of [
      elsewhere(),
      "file:///etc/passwd",
      "http://169.254.169.254/latest",
      "nonsense:",
    ]) {
      redirected(307, location);
      const fault = await faultOf(client({ insecure: [home.host] }).pull(named(), mine()));
      expect(fault.message).toContain("redirects a layer to a place that is not safe to fetch from");
    }
  });
});

const bearer = (rest = "") => `Bearer realm="http://${home.host}/token",service="the registry"${rest}`;
const issue = (answer: unknown) =>
  home.reply("/token?scope=repository%3Aa%3Apull&service=the+registry", say(200, {}, JSON.stringify(answer)));
const tokens = () => home.seen.filter(({ path }) => path.startsWith("/token"));

describe("a token", () => {
  test("is asked for what is needed, not for what the registry proposes", async () => {
    guard(bearer(',scope="repository:b:pull,push,delete"'));
    issue({ token: "t1" });
    expect((await client().pull(named(), mine())).bytes).toEqual(HONEST);
    expect(tokens().map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/token?scope=repository%3Aa%3Apull&service=the+registry", BASIC],
    ]);
  });

  test("is used until it is old, by the same credential alone", async () => {
    let elapsedMs = 0;
    const registry = client({ time: { elapsedMs: () => elapsedMs, after: () => () => undefined } });
    guard(bearer());
    issue({ access_token: "t1", expires_in: 100 });
    await registry.pull(named(), mine());
    elapsedMs = 89_000;
    await registry.pull(named(), mine());
    expect(tokens()).toHaveLength(1);
    await registry.pull(named());
    expect(tokens().map(({ authorization }) => authorization)).toEqual([BASIC, undefined]);
    elapsedMs = 91_000;
    await registry.pull(named(), mine());
    expect(tokens()).toHaveLength(3);
  });

  test("that the registry does not take any more is renewed once", async () => {
    const registry = client();
    guard(bearer());
    issue({ token: "t1" });
    await registry.pull(named(), mine());
    home.reply("manifests/1", say(401, { "www-authenticate": bearer() }));
    expect((await faultOf(registry.pull(named(), mine()))).code).toBe("ArtifactDenied");
    expect(tokens()).toHaveLength(2);
  });

  test("is had for an identity token, which goes to the token service in a form", async () => {
    guard(bearer());
    home.reply("/token", say(200, {}, '{"access_token":"t1"}'));
    const identity: Credentials = new Map([[home.host, { kind: "identity", token: SECRET }]]);
    expect((await client().pull(named(), { credentials: identity })).bytes).toEqual(HONEST);
    expect(tokens().map(({ method, authorization }) => [method, authorization])).toEqual([
      ["POST", undefined],
    ]);
  });

  test("service elsewhere is used when the administrator listed its host, and only over TLS", async () => {
    guard(`Bearer realm="https://${foreign.host}/token"`);
    const refused = await faultOf(client().pull(named(), mine()));
    expect(refused.code).toBe("ArtifactDenied");
    expect(refused.message).toBe(
      `oci://${home.host}/a:1: the registry sends its callers for a token to "${foreign.host}", which is not its own host`,
    );
    // It is called then, and does not speak TLS.
    const listed = await faultOf(client({ realms: [foreign.host] }).pull(named(), mine()));
    expect(listed.message).toContain("does not speak TLS");
    guard(`Bearer realm="http://${foreign.host}/token"`);
    expect((await faultOf(client({ realms: [foreign.host] }).pull(named(), mine()))).message).toContain(
      "which is not its own host",
    );
    expect(foreign.seen).toEqual([]);
  });

  test.each([
    ["nonsense", "ArtifactUnavailable", "the token service answered with something that is not a token"],
    [
      '{"token":"a\\nb: c"}',
      "ArtifactUnavailable",
      "the token service answered with something that is not a token",
    ],
    [
      `{"token":"${"t".repeat(70_000)}"}`,
      "ArtifactUnavailable",
      "the token service answered with something that is not a token",
    ],
  ])("that is none is refused: %.20s", async (answer, code, message) => {
    guard(bearer());
    home.reply("*", say(200, {}, answer));
    expect(await faultOf(client().pull(named(), mine()))).toMatchObject({
      code,
      message: `oci://${home.host}/a:1: ${message}`,
    });
  });
});

describe("a challenge", () => {
  test.each([
    'basic realm="a \\"b\\", c"',
    "Negotiate, Basic realm=x",
    "NTLM abc==, BASIC",
    'Digest qop="auth, x", Basic realm="y"',
  ])("is read in every spelling that the standard has: %s", async (challenge) => {
    guard(challenge);
    expect((await client().pull(named(), mine())).bytes).toEqual(HONEST);
  });

  test.each(["", "Negotiate", "Bearer", '"', "=,=,", `Basic ${"x".repeat(5_000)}`])(
    "that cannot be met is a refusal, and shows nothing: %.20s",
    async (challenge) => {
      guard(challenge);
      expect((await faultOf(client().pull(named(), mine()))).code).toBe("ArtifactDenied");
      expect(home.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    },
  );
});
