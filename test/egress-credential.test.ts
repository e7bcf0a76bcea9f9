import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EgressCredential, Grant } from "../host/egress/index.ts";
import {
  certificateFor,
  egressAt,
  get,
  grant,
  leave,
  NEVER,
  outcome,
  PUBLIC,
  tlsBed,
  httpBed,
  type Bed,
} from "./egress/bed.ts";

const certificate = certificateFor("a.example.com", "b.example.com");
const SECRET = "Bearer s3cret-of-team-a";
const seen: string[] = [];
let bed: Bed;
beforeAll(async () => {
  bed = await tlsBed(certificate, (request, response) => {
    seen.push(`${request.headers.host?.split(":")[0]} ${request.headers.authorization ?? "nothing"}`);
    const [, what, to] = request.url?.split("/") ?? [];
    if (what === "to") response.writeHead(307, { location: `https://${to}.example.com:${bed.port}/` }).end();
    else if (what === "round")
      response.writeHead(307, { location: `https://b.example.com:${bed.port}/to/a` }).end();
    else if (what === "echo") response.end(`you are ${request.headers.authorization}`);
    else if (what === "part") response.end(request.headers.authorization?.split(" ")[1]);
    else if (what === "header") response.setHeader("x-you", request.headers.authorization ?? "").end();
    else response.end("ok");
  });
});
afterAll(leave);

const credential = (rest: Partial<EgressCredential> = {}): EgressCredential => ({
  name: "key",
  header: "Authorization",
  value: SECRET,
  origin: `https://a.example.com:${bed.port}`,
  ...rest,
});
const asking = async (path: string, rest: Partial<Grant> = {}, named = "key", host = "a") => {
  seen.length = 0;
  const rules = ["a", "b"].map((one) => ({ host: `${one}.example.com`, port: bed.port }));
  const within = grant(rules, { credentials: [credential()], redirects: 3, ...rest });
  const url = `https://${host}.example.com:${bed.port}${path}`;
  return outcome(egressAt({ ca: certificate.cert }).perform(get(url, { credential: named }), within, NEVER));
};

describe("a credential", () => {
  test("is sent to its own origin, when the algorithm names it", async () => {
    expect(await asking("/")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`]);
  });

  test("stays behind when a redirect leads to another origin, and does not come back from there", async () => {
    expect(await asking("/to/b")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`, "b.example.com nothing"]);
    expect(await asking("/round")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`, "b.example.com nothing", "a.example.com nothing"]);
    expect(await asking("/to/a")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`, `a.example.com ${SECRET}`]);
  });

  test("is not for another host, port or scheme, and not anybody's who was not granted it", async () => {
    expect(await asking("/", {}, "key", "b")).toBe("EffectDenied");
    expect(await asking("/", {}, "other")).toBe("EffectDenied");
    for (const origin of [
      "https://a.example.com",
      `http://a.example.com:${bed.port}`,
      `https://b.example.com:${bed.port}`,
    ]) {
      expect(await asking("/", { credentials: [credential({ origin })] })).toBe("EffectDenied");
    }
    expect(seen).toEqual([]);
  });

  test("is never sent in the clear, but to a service of the namespace", async () => {
    const plain = await httpBed((request, response) =>
      response.end(String(request.headers.authorization?.length)),
    );
    const egress = egressAt({ endpoint: () => Promise.resolve(new URL(`http://${PUBLIC}:${plain.port}`)) });
    const services = [{ service: { name: "algorithm", port: 80 } }];
    const rules = [{ host: "a.example.com", scheme: "http" as const, port: plain.port }];
    const origin = `http://a.example.com:${plain.port}`;
    const outside = grant(rules, { credentials: [credential({ origin })] });
    const asked = get(`${origin}/`, { credential: "key" });
    expect(await outcome(egress.perform(asked, outside, NEVER))).toBe("EffectDenied");
    expect(plain.accepted()).toBe(0);
    const bound = {
      name: "key",
      header: "authorization",
      value: SECRET,
      service: { name: "algorithm", port: 80 },
    };
    const inside = grant([], { services, credentials: [bound] });
    const service = get("http://algorithm/", { credential: "key" });
    expect(await outcome(egress.perform(service, inside, NEVER))).toBe(`200 ${SECRET.length}`);
  });

  test.each(["/echo", "/part", "/header"])(
    "that the server tells again (%s) does not reach the algorithm",
    async (path) => {
      expect(await asking(path)).toBe("SecretReturned");
    },
  );

  test("is in no message, whatever goes wrong", async () => {
    const messages: string[] = [];
    const broken = [credential({ value: `${SECRET}\r\n` }), credential({ header: "x y" })];
    for (const one of broken) {
      const rules = [{ host: "a.example.com", port: bed.port }];
      const asked = get(`https://a.example.com:${bed.port}/`, { credential: "key" });
      const work = egressAt().perform(asked, grant(rules, { credentials: [one] }), NEVER);
      messages.push(await work.then(JSON.stringify, (thrown: Error) => thrown.message));
    }
    expect(messages).toEqual(['The credential "key" is no header', 'The credential "key" is no header']);
  });
});

describe("the certificate of a server", () => {
  const at = (host: string, ca?: string) => {
    const url = `https://${host}:${bed.port}/`;
    const egress = egressAt(ca === undefined ? {} : { ca });
    return egress.perform(get(url), grant([{ host, port: bed.port }]), NEVER);
  };

  test("is for the name that was asked, whatever the address", async () => {
    expect(await outcome(at("b.example.com", certificate.cert))).toBe("200 ok");
    expect(await at("c.example.com", certificate.cert)).toEqual({
      error: "Unreachable",
      message: "c.example.com cannot be reached: ERR_TLS_CERT_ALTNAME_INVALID",
    });
    expect(await outcome(at(PUBLIC, certificate.cert))).toBe("Unreachable");
  });

  test("is of an authority that is trusted", async () => {
    expect(await at("a.example.com")).toEqual({
      error: "Unreachable",
      message: "a.example.com cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT",
    });
  });
});
