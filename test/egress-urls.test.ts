import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostRule } from "../host/policy/index.ts";
import { egressAt, get, grant, httpBed, leave, NEVER, outcome, PUBLIC, type Bed } from "./egress/bed.ts";
import { URLS } from "./egress/urls.ts";

// Every name is at the public address or, if it is not the granted one, at a forbidden one.
const asked: string[] = [];
const dialled: string[] = [];
const note = (message: unknown) => {
  const { socket } = message as { socket: Socket };
  socket.once("connectionAttempt", (address: string) => dialled.push(address));
};

let bed: Bed;
beforeAll(async () => {
  bed = await httpBed((request, response) => response.end(request.url));
  subscribe("net.client.socket", note);
});
afterAll(async () => {
  unsubscribe("net.client.socket", note);
  await leave();
});

const resolve = (host: string) => {
  asked.push(host);
  return Promise.resolve([host === "api.example.com" ? PUBLIC : "127.0.0.1"]);
};
const spell = (url: string) => url.replaceAll("{P}", String(bed.port));
const ruleFor = (host: string): HostRule => ({ host, scheme: "http", port: bed.port });

describe(`of ${URLS.length} spellings of a URL`, () => {
  test("there are at least 120, and no two are the same", () => {
    expect(URLS.length).toBeGreaterThanOrEqual(120);
    expect(new Set(URLS.map(([url]) => url)).size).toBe(URLS.length);
  });

  test.each(URLS)("%j is %s", async (url, expected) => {
    asked.length = 0;
    dialled.length = 0;
    const egress = egressAt({ resolve });
    const rules = [ruleFor("api.example.com"), ruleFor("xn--bcher-kva.example.com")];
    const was = await outcome(egress.perform(get(spell(url)), grant(rules), NEVER));
    // What is denied is not even resolved.
    expect({ was, asked, dialled }).toEqual(
      expected === "denied"
        ? { was: "EffectDenied", asked: [], dialled: [] }
        : { was: `200 ${expected}`, asked: ["api.example.com"], dialled: [PUBLIC] },
    );
    expect(bed.trespassed()).toBe(0);
  });

  test("none leads to a forbidden address, even if the policy and the ceiling name its very host", async () => {
    dialled.length = 0;
    for (const [url] of URLS) {
      const text = spell(url);
      const hosts = [URL.parse(text)?.hostname ?? "", text.split(/[/?#]/)[2] ?? ""];
      const ports = [undefined, bed.port, Number(URL.parse(text)?.port) || 80];
      const rules = hosts.flatMap((host) =>
        ports.flatMap((port) =>
          (["http", "https"] as const).map((scheme) => ({
            host,
            scheme,
            ...(port === undefined ? {} : { port }),
          })),
        ),
      );
      const was = await outcome(egressAt({ resolve }).perform(get(text), grant(rules), NEVER));
      expect(was, url).toMatch(/^(EffectDenied|200 .*|Unreachable)$/);
    }
    expect(bed.trespassed()).toBe(0);
    expect(dialled.filter((address) => address !== PUBLIC)).toEqual([]);
    expect(dialled.length).toBeGreaterThan(10);
  });
});

describe("a rule", () => {
  const hostOf = (url: string) => url.replace("{P}", String(bed.port));
  const under = (rule: Partial<HostRule>, url: string, method = "GET") =>
    outcome(
      egressAt().perform(
        get(hostOf(url), { method }),
        grant([{ ...ruleFor("api.example.com"), ...rule }]),
        NEVER,
      ),
    );

  test.each([
    ["*.example.com", "http://a.example.com:{P}/", true],
    ["*.example.com", "http://A.Example.COM.:{P}/", true],
    ["*.example.com", "http://example.com:{P}/", false],
    ["*.example.com", "http://a.b.example.com:{P}/", false],
    ["*.example.com", "http://aexample.com:{P}/", false],
    ["*.example.com", "http://a.example.com.evil.net:{P}/", false],
    ["*.example.com", "http://.example.com:{P}/", false],
    ["*.com", "http://example.com:{P}/", false],
    ["*", "http://example.com:{P}/", false],
    ["*.", "http://example.com:{P}/", false],
    ["*.*.com", "http://a.example.com:{P}/", false],
    ["a*.example.com", "http://ab.example.com:{P}/", false],
    ["a.*.com", "http://a.example.com:{P}/", false],
    ["(a+)+.example.com", "http://aaaaaaaaaaaaaaaa.example.com:{P}/", false],
    ["API.Example.com.", "http://api.example.com:{P}/", true],
    ["bücher.example", "http://xn--bcher-kva.example:{P}/", true],
    ["*.bücher.example", "http://a.xn--bcher-kva.example:{P}/", true],
    ["https://api.example.com", "http://api.example.com:{P}/", false],
    ["api.example.com/", "http://api.example.com:{P}/", false],
    ["127.0.0.3", `http://${PUBLIC}:{P}/`, true],
    ["127.0.0.3", "http://2130706435:{P}/", false],
    ["0x7f.0.0.3", `http://${PUBLIC}:{P}/`, false],
    ["*.0.0.3", `http://${PUBLIC}:{P}/`, false],
    ["", "http://api.example.com:{P}/", false],
  ])("for %j and %j: %s", async (host, url, allowed) => {
    expect(await under({ host }, url)).toBe(allowed ? "200 /" : "EffectDenied");
  });

  test.each([
    ["/api", "/api", true],
    ["/api", "/api/v1?q=1", true],
    ["/api", "/apis", false],
    ["/api", "/", false],
    ["/api", "/API", false],
    ["/api/", "/api/v1", true],
    ["/api/", "/api", false],
    ["/api", "/api/../secret", false],
    ["/api", "/api/%2e%2e/secret", false],
    ["/api", "/api/.%2E/secret", false],
    ["/api", "/api/..%2fsecret", false],
    ["/api", "/api/%252e%252e/secret", false],
    ["/api", "/api/..%5csecret", false],
    ["/api", "/api/..;/secret", false],
    ["/api", "/api/%2e%2e;x=1/secret", false],
    ["/api", "/api/%00", false],
    ["/api", "/api/%zz", false],
    ["/api", "/x/../api/v1", true],
  ])("below %s, and %s: %s", async (pathPrefix, path, allowed) => {
    expect(await under({ pathPrefix }, `http://api.example.com:{P}${path}`)).toMatch(
      allowed ? /^200 \/api/ : "EffectDenied",
    );
  });

  test.each([
    [{}, "GET", true],
    [{}, "HEAD", true],
    [{}, "POST", false],
    [{ methods: ["POST"] }, "POST", false],
    [{ methods: ["POST"], repeatable: true }, "POST", true],
    [{ methods: ["POST"], repeatable: true }, "GET", false],
    [{ methods: ["GET"], repeatable: true }, "DELETE", false],
    [{ methods: ["get"] }, "get", false],
    [{ methods: ["CONNECT"], repeatable: true }, "CONNECT", false],
    [{ methods: ["TRACE"], repeatable: true }, "TRACE", false],
    [{ methods: ["GET / HTTP/1.1\r\nx: y"], repeatable: true }, "GET / HTTP/1.1\r\nx: y", false],
  ])("with %j and %s: %s", async (rule, method, allowed) => {
    expect(await under(rule, "http://api.example.com:{P}/", method)).toMatch(
      allowed ? /^200/ : "EffectDenied",
    );
  });

  test("of a policy is worth nothing without one of the ceiling, for host, port, scheme, method and path", async () => {
    const wide = { ...ruleFor("api.example.com"), methods: ["GET", "POST"], repeatable: true };
    const url = hostOf("http://api.example.com:{P}/api/v1");
    const ceilings: readonly (readonly HostRule[])[] = [
      [],
      [{ ...wide, host: "other.example.com" }],
      [{ ...wide, port: 1 }],
      [{ ...wide, scheme: "https" }],
      [{ ...wide, methods: ["GET"] }],
      [{ ...wide, pathPrefix: "/other" }],
    ];
    for (const hosts of ceilings) {
      const within = grant([wide], { ceiling: { hosts, services: true } });
      expect(await outcome(egressAt().perform(get(url, { method: "POST" }), within, NEVER))).toBe(
        "EffectDenied",
      );
    }
    expect(await outcome(egressAt().perform(get(url, { method: "POST" }), grant([wide]), NEVER))).toBe(
      "200 /api/v1",
    );
  });

  test("is compared in less than a millisecond, however long and repetitive host and rule are", async () => {
    const host = `${"a.".repeat(120)}example.com`;
    const rules = Array.from({ length: 32 }, () => ({ host: `*.${"a.".repeat(119)}example.org` }));
    const egress = egressAt();
    const tookMs: number[] = [];
    for (let times = 0; times < 101; times++) {
      const began = performance.now();
      expect(await outcome(egress.perform(get(`https://${host}/`), grant(rules), NEVER))).toBe(
        "EffectDenied",
      );
      tookMs.push(performance.now() - began);
    }
    expect(tookMs.sort((one, other) => one - other)[50]).toBeLessThan(1);
  });
});
