import { afterEach, describe, expect, test } from "vitest";
import type { Grant } from "../host/egress/index.ts";
import {
  egressAt,
  get,
  grant,
  httpBed,
  leave,
  NEVER,
  outcome,
  PUBLIC,
  rule,
  speaking,
  url,
  type Bed,
} from "./egress/bed.ts";

afterEach(leave);

describe("a redirect", () => {
  const redirecting = (location: () => string, status = 302) =>
    httpBed((request, response) => {
      if (request.url === "/") response.writeHead(status, { location: location() }).end("moved");
      else response.end(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    });
  const follow = (
    bed: Bed,
    rest: Partial<Grant> = {},
    hosts = [rule(bed.port), rule(bed.port, "b.example.com")],
  ) =>
    outcome(
      egressAt().perform(
        get(url(bed.port), { headers: { "x-key": "mine", accept: "text/plain" } }),
        grant(hosts, { redirects: 3, ...rest }),
        NEVER,
      ),
    );

  test("is the answer unless the policy says that it is followed", async () => {
    const bed = await redirecting(() => "/next");
    expect(await follow(bed, { redirects: 0 })).toBe("302 moved");
    expect(await follow(bed)).toMatch(/^200 GET \/next/);
  });

  test.each([
    "http://127.0.0.1:{P}/x",
    "http://2130706433:{P}/x",
    "//127.0.0.2:{P}/x",
    "\\\\127.0.0.1:{P}\\x",
    "http://[::1]:{P}/x",
    "http://[::ffff:127.0.0.1]:{P}/x",
    "http://localhost:{P}/x",
    "http://user@b.example.com:{P}/x",
    "http://c.example.com:{P}/x",
    "http://b.example.com:1/x",
    "https://b.example.com:{P}/x",
    "http://prometheus:{P}/x",
    "file:///etc/passwd",
    "http://",
    "http://169.254.169.254/latest",
  ])("to %s is refused", async (location) => {
    const bed = await redirecting(() => location.replace("{P}", String(bed.port)));
    const services = [{ service: { name: "prometheus", port: bed.port } }];
    expect(await follow(bed, { services })).toBe("EffectDenied");
    expect(bed.accepted()).toBe(1);
  });

  test("to a granted name is refused when that name is at a forbidden address", async () => {
    const bed = await redirecting(() => `http://b.example.com:${bed.port}/x`);
    const resolve = (host: string) => Promise.resolve([host === "b.example.com" ? "127.0.0.2" : PUBLIC]);
    const hosts = [rule(bed.port), rule(bed.port, "b.example.com")];
    const within = grant(hosts, { redirects: 3 });
    expect(await outcome(egressAt({ resolve }).perform(get(url(bed.port)), within, NEVER))).toBe(
      "EffectDenied",
    );
  });

  test("to another origin takes none of the algorithm's own headers along, to the same one all", async () => {
    const away = await redirecting(() => `http://b.example.com:${away.port}/x`);
    const other = await follow(away);
    expect(other).toContain('"accept":"text/plain"');
    expect(other).toContain("b.example.com");
    expect(other).not.toContain("mine");
    const home = await redirecting(() => "/x");
    expect(await follow(home)).toContain('"x-key":"mine"');
  });

  test("after three others is too many", async () => {
    const bed = await redirecting(() => "/");
    expect(await follow(bed)).toBe("RedirectedTooOften");
    expect(bed.accepted()).toBe(4);
    expect(await follow(bed, { redirects: 50 })).toBe("RedirectedTooOften");
    expect(bed.accepted()).toBe(8);
  });

  test("of a request with a body is the answer", async () => {
    const bed = await redirecting(() => "/next", 307);
    const hosts = [{ ...rule(bed.port), methods: ["POST"], repeatable: true }];
    const asked = get(url(bed.port), { method: "POST", body: Buffer.from("x") });
    expect(await outcome(egressAt().perform(asked, grant(hosts, { redirects: 3 }), NEVER))).toBe("307 moved");
  });
});

describe("a header", () => {
  const sent = async (headers: Record<string, string>) => {
    const bed = await httpBed((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    const asked = get(url(bed.port), { headers });
    return { word: await outcome(egressAt().perform(asked, grant([rule(bed.port)]), NEVER)), bed };
  };

  test.each([
    ...["Host", "connection", "Transfer-Encoding", "Content-Length", "upgrade", "te", "Trailer", "expect"],
    ...["proxy-authorization", "Proxy-Connection", "cookie", "Authorization", "X-Forwarded-For", "forwarded"],
    ...[
      "x-http-method-override",
      "impersonate-user",
      "x-remote-user",
      "Metadata-Flavor",
      "x-aws-ec2-metadata-token",
    ],
    ...["x y", "x:", "x\r\ny", "", "ü", "keep-alive", "x-original-url", ":authority"],
  ])("called %j is not the algorithm's to set", async (name) => {
    const { word, bed } = await sent({ [name]: "1" });
    expect(word).toBe("EffectDenied");
    expect(bed.accepted()).toBe(0);
  });

  test.each(["a\r\nHost: 127.0.0.1", "a\nb", "a\rb", "a\0b", "é", "a\u2028b", "a\u010ab"])(
    "with the value %j is not sent",
    async (value) => {
      const { word, bed } = await sent({ "x-key": value });
      expect(word).toBe("EffectDenied");
      expect(bed.accepted()).toBe(0);
    },
  );

  test("is there once, and not one of very many", async () => {
    expect((await sent({ accept: "a", Accept: "b" })).word).toBe("EffectDenied");
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`x-${at}`, "1"]));
    expect((await sent(many)).word).toBe("EffectDenied");
    expect((await sent({ "x-long": "a".repeat(9_000) })).word).toBe("EffectDenied");
  });

  test("that is allowed arrives, and the answer is asked for as it is", async () => {
    const { word, bed } = await sent({ "X-Key": "1", "accept-encoding": "gzip" });
    expect(JSON.parse(word.slice("200 ".length))).toEqual([
      ...["host", `api.example.com:${bed.port}`, "connection", "close", "user-agent", "sluice"],
      ...["x-key", "1", "accept-encoding", "identity"],
    ]);
  });

  test("of an answer that keeps state or frames it does not reach the algorithm", async () => {
    const bed = await speaking(
      "HTTP/1.1 200 OK\r\nset-cookie: a=b\r\nX-Rate: 7\r\ncontent-length: 2\r\n\r\nok",
    );
    const answer = await egressAt().perform(get(url(bed.port)), grant([rule(bed.port)]), NEVER);
    expect(answer).toEqual({
      status: 200,
      headers: { "x-rate": "7", "content-length": "2" },
      body: Buffer.from("ok"),
    });
  });
});
