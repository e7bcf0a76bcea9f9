import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EgressCredential, Grant, Revealed } from "../host/egress/index.ts";
import type { BoundTo, CredentialUse } from "../host/policy/index.ts";
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

const KEY: CredentialUse = {
  kind: "Credential",
  name: "key",
  field: "spec.algorithm.egress[0].credentialRef",
};
const SHOWN: Revealed = {
  header: "Authorization",
  value: SECRET,
  texts: [SECRET, SECRET.slice("Bearer ".length)],
};
let revealed = 0;
const credential = (...hosts: BoundTo[]) => credentialWith(SHOWN, ...hosts);
const credentialWith =
  (shown: Revealed, ...hosts: BoundTo[]) =>
  (): Promise<EgressCredential> =>
    Promise.resolve({ hosts, reveal: () => Promise.resolve(shown).finally(() => (revealed += 1)) });
const toA = () => ({ host: "a.example.com", port: bed.port });

/** What asking host a or b comes to: the rule of each has the credential, unless it says otherwise. */
const asking = async (
  path: string,
  { host = "a", bare = [], ...rest }: Partial<Grant> & { host?: string; bare?: string[] } = {},
  named?: string,
) => {
  seen.length = 0;
  revealed = 0;
  const rules = ["a", "b"].map((one) => ({
    host: `${one}.example.com`,
    port: bed.port,
    ...(bare.includes(one) ? {} : { credential: KEY }),
  }));
  const within = grant(rules, { credential: credential(toA()), redirects: 3, ...rest });
  const asked = get(`https://${host}.example.com:${bed.port}${path}`, {
    ...(named === undefined ? {} : { credential: named }),
  });
  return outcome(egressAt({ ca: certificate.cert }).perform(asked, within, NEVER));
};

describe("a credential", () => {
  test("is sent to the place that it is bound to, whether the algorithm names it or not", async () => {
    expect(await asking("/")).toBe("200 ok");
    expect(await asking("/", {}, "key")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`]);
  });

  test("is not sent where the rule names none, and an algorithm cannot name one that its rule does not", async () => {
    expect(await asking("/", { bare: ["a"] })).toBe("200 ok");
    expect(seen).toEqual(["a.example.com nothing"]);
    expect(await asking("/", { bare: ["a"] }, "key")).toBe("EffectDenied");
    expect(await asking("/", {}, "other")).toBe("EffectDenied");
    expect([seen, revealed]).toEqual([[], 0]);
  });

  test("is the first rule's that allows the request, and the algorithm picks another by its name", async () => {
    const place = { host: "a.example.com", port: bed.port };
    const rules = [
      { ...place, pathPrefix: "/deep", credential: { ...KEY, name: "deep" } },
      { ...place, credential: KEY },
    ];
    const used: string[] = [];
    const within = grant(rules, {
      credential: ({ name }) => {
        used.push(name);
        return credential(toA())();
      },
    });
    const egress = egressAt({ ca: certificate.cert });
    const at = `https://a.example.com:${bed.port}`;
    await egress.perform(get(`${at}/`), within, NEVER);
    await egress.perform(get(`${at}/deep/er`), within, NEVER);
    await egress.perform(get(`${at}/deep/er`, { credential: "key" }), within, NEVER);
    expect(used).toEqual(["key", "deep", "key"]);
  });

  test("stays behind when a redirect leads to another origin, and does not come back from there", async () => {
    expect(await asking("/to/b")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`, "b.example.com nothing"]);
    expect(await asking("/round")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`, "b.example.com nothing", "a.example.com nothing"]);
    expect(await asking("/to/a", {}, "key")).toBe("200 ok");
    expect(seen).toEqual([`a.example.com ${SECRET}`, `a.example.com ${SECRET}`]);
  });

  test("is not for another host, port or scheme: its secret is not even read", async () => {
    expect(await asking("/", { host: "b" })).toBe("EffectDenied");
    expect(revealed).toBe(0);
    for (const bound of [
      { host: "a.example.com", port: 443 },
      { host: "b.example.com", port: bed.port },
      { host: "example.com", port: bed.port },
      { service: { name: "a", port: bed.port } },
    ]) {
      expect(await asking("/", { credential: credential(bound) })).toBe("EffectDenied");
      expect([seen, revealed]).toEqual([[], 0]);
    }
  });

  test("is never sent in the clear, but to a service of the namespace", async () => {
    const plain = await httpBed((request, response) =>
      response.end(String(request.headers.authorization?.length)),
    );
    const egress = egressAt({ endpoint: () => Promise.resolve(new URL(`http://${PUBLIC}:${plain.port}`)) });
    const rules = [{ host: "a.example.com", scheme: "http" as const, port: plain.port, credential: KEY }];
    const outside = grant(rules, { credential: credential({ host: "a.example.com", port: plain.port }) });
    const asked = get(`http://a.example.com:${plain.port}/`);
    expect(await outcome(egress.perform(asked, outside, NEVER))).toBe("EffectDenied");
    expect(plain.accepted()).toBe(0);
    const service = { name: "algorithm", port: 80 };
    const inside = grant([], {
      services: [{ service, credential: KEY }],
      credential: credential({ service }),
    });
    expect(await outcome(egress.perform(get("http://algorithm/"), inside, NEVER))).toBe(
      `200 ${SECRET.length}`,
    );
    const identity = { certificate: "c", privateKey: "k" };
    const shown = grant([], {
      services: [{ service, credential: KEY }],
      credential: credentialWith(identity, { service }),
    });
    expect(await outcome(egress.perform(get("http://algorithm/"), shown, NEVER))).toBe("EffectDenied");
  });

  test.each(["/echo", "/part", "/header"])(
    "that the server tells again (%s) does not reach the algorithm",
    async (path) => {
      expect(await asking(path)).toBe("SecretReturned");
    },
  );

  test("is in no message, whatever goes wrong", async () => {
    const messages: string[] = [];
    const broken = [
      { ...SHOWN, value: `${SECRET}\r\n` },
      { ...SHOWN, header: "x y" },
    ];
    for (const one of broken) {
      const rules = [{ host: "a.example.com", port: bed.port, credential: KEY }];
      const within = grant(rules, { credential: credentialWith(one, toA()) });
      const work = egressAt().perform(get(`https://a.example.com:${bed.port}/`), within, NEVER);
      messages.push(await work.then(JSON.stringify, (thrown: Error) => thrown.message));
    }
    expect(messages).toEqual(['The Credential "key" is no header', 'The Credential "key" is no header']);
  });
});

describe("a certificate of the algorithm's own", () => {
  const own = certificateFor("team-a");
  const demanding = () => {
    const options = { ...certificate, requestCert: true, rejectUnauthorized: true, ca: own.cert };
    return tlsBed(options, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end(subject.CN);
    });
  };
  const shown: Revealed = { certificate: own.cert, privateKey: own.key };

  test("is shown to the host that it is bound to, and a server that demands one answers nobody else", async () => {
    const strict = await demanding();
    const ask = (use: { credential?: CredentialUse }) => {
      const rules = [{ host: "a.example.com", port: strict.port, ...use }];
      const bound = { host: "a.example.com", port: strict.port };
      const within = grant(rules, { credential: credentialWith(shown, bound) });
      const asked = get(`https://a.example.com:${strict.port}/`);
      return outcome(egressAt({ ca: certificate.cert }).perform(asked, within, NEVER));
    };
    expect(await ask({ credential: KEY })).toBe("200 test");
    expect(await ask({})).toBe("Broken");
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
