import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import { egress } from "../host/egress/index.ts";
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
} from "./egress/bed.ts";

afterEach(leave);

describe("a name that changes its address", () => {
  test("a thousand times, between an answer and the next, leads to no forbidden address", async () => {
    const bed = await httpBed((_, response) => response.end("here"));
    let asked = 0;
    const answers = [[PUBLIC], ["127.0.0.1"], [PUBLIC, "127.0.0.2"], ["::1", PUBLIC]];
    const egress = egressAt({ resolve: () => Promise.resolve(answers[asked++ % 4] ?? []) });
    const words = new Map<string, number>();
    for (let times = 0; times < 1_000; times++) {
      const word = await outcome(egress.perform(get(url(bed.port)), grant([rule(bed.port)]), NEVER));
      words.set(word, (words.get(word) ?? 0) + 1);
    }
    expect(asked).toBe(1_000);
    expect(Object.fromEntries(words)).toEqual({ "200 here": 250, EffectDenied: 750 });
    expect({ accepted: bed.accepted(), trespassed: bed.trespassed() }).toEqual({
      accepted: 250,
      trespassed: 0,
    });
  });

  test("is asked once a request, and the connection goes to what it said then", async () => {
    const bed = await httpBed((request, response) => response.end(request.headers.host));
    const asked: string[] = [];
    const egress = egressAt({
      resolve: (host) => {
        asked.push(host);
        return Promise.resolve(asked.length === 1 ? [PUBLIC] : ["127.0.0.1"]);
      },
    });
    expect(await outcome(egress.perform(get(url(bed.port)), grant([rule(bed.port)]), NEVER))).toBe(
      `200 api.example.com:${bed.port}`,
    );
    expect(asked).toEqual(["api.example.com"]);
  });

  test("has no answer without an address, with one that does not answer, or with one that takes too long", async () => {
    const at = (resolve: () => Promise<readonly string[]>) =>
      outcome(egressAt({ resolve, totalMs: 100 }).perform(get(url(1)), grant([rule(1)]), NEVER));
    expect(await at(() => Promise.resolve([]))).toBe("NoSuchHost");
    expect(await at(() => Promise.reject(new Error("ENOTFOUND")))).toBe("NoSuchHost");
    expect(await at(() => Promise.resolve([PUBLIC]))).toBe("Unreachable");
    expect(await at(() => new Promise(() => undefined))).toBe("TimedOut");
  });

  test("is never asked for by the door when it is loopback itself: only a test can open that", async () => {
    const bed = await httpBed((_, response) => response.end("here"));
    const door = egress({
      endpoint: () => Promise.reject(new Error("none")),
      resolve: () => Promise.resolve([PUBLIC]),
    });
    expect(await outcome(door.perform(get(url(bed.port)), grant([rule(bed.port)]), NEVER))).toBe(
      "EffectDenied",
    );
    expect(bed.accepted()).toBe(0);
  });
});

describe("a service of the policy's namespace", () => {
  const at = async (asked: string, address: string, deny: readonly string[] = []) => {
    const bed = await httpBed((request, response) => response.end(request.headers.host));
    const seen: string[] = [];
    const egress = egressAt({
      deny,
      endpoint: (policy, { name, port }) => {
        seen.push(`${policy.namespace}/${name}:${port}`);
        return Promise.resolve(new URL(`http://${address}:${bed.port}`));
      },
      resolveService: (host) => Promise.resolve(host === "localhost" ? [PUBLIC] : [host.slice(0, -4)]),
    });
    const services = [{ service: { name: "prometheus", port: 9090 }, pathPrefix: "/api" }];
    const word = await outcome(egress.perform(get(asked), grant([], { services }), NEVER));
    return { word: word.replace(String(bed.port), "{P}"), seen };
  };

  test.each([
    "http://prometheus:9090/api/v1",
    "http://prometheus.team-a.svc:9090/api/v1",
    "http://prometheus.team-a.svc.cluster.local.:9090/api",
  ])("is asked as %s, at the address of its endpoint", async (asked) => {
    expect(await at(asked, PUBLIC)).toEqual({ word: `200 ${PUBLIC}:{P}`, seen: ["team-a/prometheus:9090"] });
  });

  test.each([
    "http://prometheus:9091/api",
    "http://prometheus:9090/admin",
    "http://grafana:9090/api",
    "http://prometheus.team-b.svc:9090/api",
    "http://prometheus.team-a:9090/api",
    "https://prometheus:9090/api",
  ])("is not asked as %s", async (asked) => {
    expect(await at(asked, PUBLIC)).toEqual({ word: "EffectDenied", seen: [] });
  });

  test("is not asked where it resolves to loopback or metadata, or to what the administrator denied", async () => {
    const asked = "http://prometheus:9090/api";
    expect((await at(asked, "127.0.0.1.svc")).word).toBe("EffectDenied");
    expect((await at(asked, "169.254.169.254.svc")).word).toBe("EffectDenied");
    expect((await at(asked, "10.96.0.1.svc", ["10.96.0.1"])).word).toBe("EffectDenied");
    expect((await at(asked, "localhost")).word).toBe("200 localhost:{P}");
    expect((await at(asked, PUBLIC, [`${PUBLIC}/32`])).word).toBe("EffectDenied");
  });

  test("is not asked by a policy that may not see it: the endpoint's own fault is thrown", async () => {
    const endpoint = () => Promise.reject(new Fault("Forbidden", "no"));
    const services = [{ service: { name: "prometheus", port: 9090 } }];
    const asked = get("http://prometheus:9090/");
    expect(await outcome(egressAt({ endpoint }).perform(asked, grant([], { services }), NEVER))).toBe(
      "Forbidden",
    );
    const closed = grant([], { services, ceiling: { hosts: [], services: false } });
    expect(await outcome(egressAt({ endpoint }).perform(asked, closed, NEVER))).toBe("EffectDenied");
  });
});

describe("a request", () => {
  test("that nobody waits for any longer ends with the reason of that", async () => {
    const bed = await speaking("");
    const leaving = new AbortController();
    const work = egressAt().perform(get(url(bed.port)), grant([rule(bed.port)]), leaving.signal);
    setTimeout(() => leaving.abort(new Error("the pass is over")), 50);
    await expect(work).rejects.toThrow("the pass is over");
    const again = egressAt().perform(get(url(bed.port)), grant([rule(bed.port)]), leaving.signal);
    await expect(again).rejects.toThrow("the pass is over");
    expect(bed.accepted()).toBe(1);
  });

  test("with a body arrives with it, unless it is a GET or longer than 64 KiB", async () => {
    const bed = await httpBed((request, response) => {
      void once(request, "data").then(([data]) =>
        response.end(`${String(data)} ${request.headers["content-length"]}`),
      );
    });
    const hosts = [{ ...rule(bed.port), methods: ["POST", "GET"], repeatable: true }];
    const post = (method: string, bytes: number) =>
      outcome(
        egressAt().perform(
          get(url(bed.port), { method, body: Buffer.alloc(bytes, "a") }),
          grant(hosts),
          NEVER,
        ),
      );
    expect(await post("POST", 3)).toBe("200 aaa 3");
    expect(await post("GET", 3)).toBe("EffectDenied");
    expect(await post("POST", 65_537)).toBe("EffectDenied");
    expect(bed.accepted()).toBe(1);
  });
});
