import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Fault } from "../host/fault/index.ts";
import type { CredentialUse, PrometheusSource } from "../host/policy/index.ts";
import { sources, type CredentialOf } from "../host/source/index.ts";
import { policy } from "./builders.ts";
import { exposition, prometheus, type Exposition, type Prometheus } from "./world/index.ts";

const PASSWORD = "s3cret-of-prometheus";
// What bcrypt makes of it, at its lowest cost.
const HASH = "$2b$05$abcdefghijklmnopqrstuutjXEJZgFl/IUdKcIfh7YrgOAxwMZJAC";
const USE: CredentialUse = { kind: "Credential", name: "metrics", field: "spec.sources[0].credentialRef" };
const source = (rest: Partial<PrometheusSource> = {}): PrometheusSource => ({
  ...{ name: "rates", kind: "prometheus", query: "arrivals", byLabel: "operator", node: undefined },
  ...{ service: { name: "prometheus", port: 9090 }, timeoutMs: 3_000, credential: USE },
  ...rest,
});
const basic =
  (password: string): CredentialOf =>
  () => {
    const value = Buffer.from(`sluice:${password}`).toString("base64");
    return Promise.resolve({ headers: { authorization: `Basic ${value}` }, texts: [value, password] });
  };

async function observe(url: string, one: PrometheusSource, credential?: CredentialOf) {
  const endpoint = () => Promise.resolve(new URL(url));
  const port = sources({ endpoint, ...(credential === undefined ? {} : { credential }) });
  try {
    return (await port.observe(policy({ sources: [one] }), new Date()))["rates"];
  } finally {
    await port.close();
  }
}

describe("a real Prometheus that wants a password", () => {
  let numbers: Exposition;
  let server: Prometheus;
  beforeAll(async () => {
    numbers = await exposition();
    numbers.set("arrivals", 12.5, { operator: "split" });
    server = await prometheus({ targets: [numbers.target], users: { sluice: HASH } });
  });
  afterAll(async () => {
    await server.stop();
    await numbers.stop();
  });

  test("answers who shows it, and the credential is asked for by the policy's name of it and for its service", async () => {
    const asked: unknown[] = [];
    const credential: CredentialOf = (whose, use, service) => {
      asked.push([whose.key, use, service]);
      return basic(PASSWORD)(whose, use, service);
    };
    await vi.waitFor(async () => {
      const seen = await observe(server.url, source(), credential);
      expect(seen).toMatchObject({ series: [{ node: "split", value: 12.5 }] });
    }, 15_000);
    expect(asked[0]).toEqual(["team-a/clicks", USE, { name: "prometheus", port: 9090 }]);
  });

  test.each([
    ["nothing", undefined],
    ["another password", basic("another-password")],
  ])("refuses who shows %s: the source says so, and there is no number", async (_, credential) => {
    const { credential: _none, ...bare } = source();
    const one = credential === undefined ? bare : source();
    expect(await observe(server.url, one, credential)).toMatchObject({
      error: {
        code: "SourceUnavailable",
        message: "rates: it answered 401: it wants another credential, or one at all",
      },
    });
  });
});

describe("a source with a credential", () => {
  const open: Server[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });
  const serving = async (answer: RequestListener) => {
    const server = createServer(answer).listen(0, "127.0.0.1");
    open.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  test("is not asked if the credential cannot be used: the source has the credential's fault", async () => {
    let asked = 0;
    const url = await serving((_, response) => void response.end(String((asked += 1))));
    const refused: CredentialOf = () =>
      Promise.reject(new Fault("CredentialUnavailable", "There is no Credential metrics"));
    expect(await observe(url, source(), refused)).toMatchObject({
      error: { code: "CredentialUnavailable", message: "rates: There is no Credential metrics" },
    });
    expect(await observe(url, source())).toMatchObject({ error: { code: "NotSupported" } });
    expect(asked).toBe(0);
  });

  test("does not send it after a redirect, which is not followed", async () => {
    const seen: string[] = [];
    const elsewhere = await serving((request, response) => {
      seen.push(String(request.headers.authorization));
      response.end("{}");
    });
    const url = await serving((_, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await observe(url, source(), basic(PASSWORD))).toMatchObject({
      error: { message: "rates: it answered 307, a redirect" },
    });
    expect(seen).toEqual([]);
  });

  test.each([
    [
      "in a label",
      200,
      {
        status: "success",
        data: { resultType: "vector", result: [{ metric: { you: PASSWORD }, value: [0, "1"] }] },
      },
    ],
    ["in its error", 400, { status: "error", error: `what is ${PASSWORD}?` }],
  ])("throws an answer away that has it %s", async (_, status, answer) => {
    const url = await serving((__, response) => response.writeHead(status).end(JSON.stringify(answer)));
    const seen = await observe(url, source(), basic(PASSWORD));
    expect(seen).toMatchObject({
      error: {
        code: "SourceInvalid",
        message: "rates: what it answered has the credential in it, and was thrown away",
      },
    });
    expect(JSON.stringify(seen)).not.toContain(PASSWORD);
  });
});
