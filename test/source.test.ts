import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import { tenantKey, type PrometheusSource } from "../host/policy/index.ts";
import { sources, type Endpoint } from "../host/source/index.ts";
import { policy } from "./builders.ts";

const NOON = new Date("2026-03-01T12:00:00.000Z");
const source = (rest: Partial<PrometheusSource> = {}): PrometheusSource => ({
  name: "rates",
  kind: "prometheus",
  service: { name: "prometheus", port: 9090 },
  query: "up",
  byLabel: undefined,
  node: undefined,
  timeoutMs: 3_000,
  ...rest,
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A loopback server that answers everything as told; the real Prometheus does not lie, hang or redirect. */
async function serving(answer: RequestListener): Promise<Endpoint> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return () => Promise.resolve(new URL(`http://127.0.0.1:${port}`));
}

const answering = (body: unknown, status = 200) =>
  serving((_, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
const vector = (...result: unknown[]) => ({ status: "success", data: { resultType: "vector", result } });
const sample = (labels: Record<string, string>, value: string) => ({
  metric: labels,
  value: [1_772_366_400.5, value],
});

async function observe(endpoint: Endpoint, ...asked: PrometheusSource[]) {
  const port = sources({ endpoint });
  closing.push(() => port.close());
  return port.observe(policy({ sources: asked }), NOON);
}
const observeOne = async (endpoint: Endpoint, rest: Partial<PrometheusSource> = {}) =>
  (await observe(endpoint, source(rest)))["rates"];

describe("what a source says", () => {
  test("is a finite number for each series, given to the node that its label names", async () => {
    const endpoint = await answering(
      vector(sample({ operator: "split" }, "12.5"), sample({ operator: "count" }, "1e+06"), sample({}, "-3")),
    );
    expect(await observeOne(endpoint, { byLabel: "operator" })).toEqual({
      series: [
        { labels: { operator: "split" }, node: "split", value: 12.5, at: "2026-03-01T12:00:00.500Z" },
        { labels: { operator: "count" }, node: "count", value: 1_000_000, at: "2026-03-01T12:00:00.500Z" },
        { labels: {}, value: -3, at: "2026-03-01T12:00:00.500Z" },
      ],
      at: "2026-03-01T12:00:00.000Z",
    });
  });

  test("is given to the one node that the source is for", async () => {
    const endpoint = await answering({ status: "success", data: { resultType: "scalar", result: [0, "7"] } });
    expect(await observeOne(endpoint, { node: "sink" })).toMatchObject({
      series: [{ node: "sink", value: 7 }],
    });
  });

  test("of a range is the newest number of each series, with the time when it was measured", async () => {
    const result = [
      {
        metric: {},
        values: [
          [1_772_366_000, "1"],
          [1_772_366_100, "2"],
        ],
      },
    ];
    const endpoint = await answering({ status: "success", data: { resultType: "matrix", result } });
    expect(await observeOne(endpoint)).toMatchObject({
      series: [{ value: 2, at: "2026-03-01T11:55:00.000Z" }],
    });
  });

  test("is no data, and no zero, where there is no series; a warning changes nothing", async () => {
    const endpoint = await answering({ ...vector(), warnings: ["partial response"] });
    expect(await observeOne(endpoint)).toEqual({ noData: true, at: "2026-03-01T12:00:00.000Z" });
  });

  test.each(["NaN", "+Inf", "-Inf", "", " ", "0x10", "1e999"])(
    "is an error where one number is %j",
    async (value) => {
      const endpoint = await answering(
        vector(sample({ operator: "split" }, "1"), sample({ operator: "count" }, value)),
      );
      expect(await observeOne(endpoint)).toMatchObject({
        error: { code: "SourceInvalid", message: expect.stringContaining('{operator="count"}') },
      });
    },
  );

  test("keeps a label called __proto__ a label", async () => {
    const endpoint = await answering(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__proto__":"split"},"value":[0,"1"]}]}}',
    );
    const seen = await observeOne(endpoint, { byLabel: "__proto__" });
    expect(seen).toMatchObject({ series: [{ node: "split" }] });
    expect(await observeOne(endpoint, { byLabel: "constructor" })).toMatchObject({ series: [{ value: 1 }] });
  });
});

describe("a hostile answer is an error with a code, and nothing else", () => {
  test.each([
    ["not JSON", "<html>", 200, "SourceInvalid", "not JSON"],
    ["JSON of another kind", '{"status":"success"}', 200, "SourceInvalid", "not the answer of a Prometheus"],
    ["null", "null", 200, "SourceInvalid", "not the answer of a Prometheus"],
    [
      "a number as a label",
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":[1]}}]}}',
      200,
      "SourceInvalid",
      "not the answer",
    ],
    [
      "a histogram",
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}',
      200,
      "SourceInvalid",
      "histogram",
    ],
    ["a time outside time", vector({ metric: {}, value: [1e300, "1"] }), 200, "SourceInvalid", "no time"],
    [
      "text",
      { status: "success", data: { resultType: "string", result: [0, "1"] } },
      200,
      "SourceInvalid",
      "type string",
    ],
    [
      "1,001 series",
      vector(...Array.from({ length: 1_001 }, () => sample({}, "1"))),
      200,
      "SourceInvalid",
      "1001 series",
    ],
    ["2 MiB", "x".repeat(2 * 1_024 * 1_024), 200, "SourceInvalid", "1048576 bytes"],
    [
      "a refused query",
      { status: "error", error: "parse error\u001b[2J" },
      400,
      "SourceInvalid",
      "refuses the query: parse error [2J",
    ],
    ["an error of its own", "x".repeat(100_000), 503, "SourceUnavailable", "answered 503"],
  ])("%s", async (_, body, status, code, words) => {
    const seen = await observeOne(await answering(body, status));
    expect(seen).toMatchObject({ error: { code, message: expect.stringContaining(words) } });
  });

  test("a redirect is not followed", async () => {
    let followed = false;
    const secret = await serving((_, response) => {
      followed = true;
      response.end(JSON.stringify(vector(sample({}, "1"))));
    });
    const location = (await secret(policy(), source().service)).href;
    const seen = await observeOne(
      await serving((_, response) => response.writeHead(302, { location }).end()),
    );
    expect(seen).toMatchObject({
      error: { code: "SourceUnavailable", message: "rates: it answered 302, a redirect" },
    });
    expect(followed).toBe(false);
  });

  test("a body that never ends is cut off at the time-out", async () => {
    const endpoint = await serving((_, response) => void response.writeHead(200).write('{"status":'));
    const start = performance.now();
    expect(await observeOne(endpoint, { timeoutMs: 200 })).toMatchObject({
      error: { code: "SourceUnavailable", message: "rates: there was no answer within 200 ms" },
    });
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test("a service that refuses connections is unavailable", async () => {
    expect(await observeOne(() => Promise.resolve(new URL("http://127.0.0.1:9")))).toMatchObject({
      error: { code: "SourceUnavailable", message: "rates: it could not be reached (ECONNREFUSED)" },
    });
  });

  test("a service that may not be used, or whose address is never found, is an error of that source", async () => {
    const forbidden = new Fault("Forbidden", "scaler may not read services");
    expect(await observeOne(() => Promise.reject(forbidden))).toMatchObject({
      error: { code: "Forbidden", message: "rates: scaler may not read services" },
    });
    expect(await observeOne(() => new Promise<URL>(() => {}), { timeoutMs: 100 })).toMatchObject({
      error: { code: "SourceUnavailable" },
    });
  });
});

describe("the sources of a policy", () => {
  test("are asked at the same time and told in the policy's order: two slow ones cost what one costs", async () => {
    const endpoint = await serving((_, response) => {
      setTimeout(() => response.end(JSON.stringify(vector(sample({}, "1")))), 300);
    });
    const start = performance.now();
    const seen = await observe(
      endpoint,
      source({ name: "b" }),
      source({ name: "a" }),
      source({ name: "c", timeoutMs: 50 }),
    );
    expect(Object.keys(seen)).toEqual(["b", "a", "c"]);
    expect(Object.values(seen).map((one) => "error" in one)).toEqual([false, false, true]);
    expect(performance.now() - start).toBeLessThan(550);
  });

  test("have connections of their tenant alone: a tenant that hangs eight does not hold up another", async () => {
    let asked = 0;
    const endpoint = await serving((request, response) => {
      asked += 1;
      request.on("data", (body: Buffer) => {
        if (String(body).includes("other")) response.end(JSON.stringify(vector(sample({}, "1"))));
      });
    });
    const port = sources({ endpoint });
    closing.push(() => port.close());
    const greedy = Array.from({ length: 20 }, (_, at) => source({ name: `s${at}`, timeoutMs: 600 }));
    const held = port.observe(policy({ sources: greedy }), NOON);
    await expect.poll(() => asked).toBe(8);
    const other = await port.observe(
      policy({ tenant: tenantKey("team-b"), sources: [source({ query: "other" })] }),
      NOON,
    );
    expect(other["rates"]).toMatchObject({ series: [{ value: 1 }] });
    expect(Object.values(await held).every((one) => "error" in one)).toBe(true);
  });
});
