import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { policyKey } from "../../host/policy/index.ts";
import { openStore } from "../../host/store/index.ts";
import { compileAssemblyScript } from "../../launcher/build/algorithms.ts";
import { conditions, readers, replicas, ROOT, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const NODES = ["split", "count"];
const CANARY = "c4nary-that-nobody-may-see";
const RULE = { service: { name: "forecast", port: 8080 } };
const FIELD = "spec.algorithm.egress[0].credentialRef";
const REF = { credentialRef: { name: "forecast" } };

let set: Stage;
let team: string;
let running: OperatorProcess;
let artifact: string;
let server: Server;
const shown = new Set<string>();

/** A service that answers who shows the token, and one path of which tells whoever asks what he showed. */
const demanding = () =>
  createServer((request, response) => {
    const { authorization = "nothing" } = request.headers;
    shown.add(authorization);
    if (request.url?.startsWith("/echo") === true) return void response.end(`{"rate":${authorization}}`);
    if (authorization !== `Bearer ${CANARY}`) return void response.writeHead(401).end("who are you?");
    response.end(JSON.stringify({ rate: request.url === "/rate/split" ? 420 : 190 }));
  }).listen(0, "127.0.0.1");

beforeAll(async () => {
  server = demanding();
  set = await stage();
  for (const name of NODES) set.load.set("records_rate", 80, { operator: name });
  team = await set.tenant(NODES);
  await apply({
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "forecast" } },
    spec: { selector: { app: "forecast" }, ports: [{ port: 8080 }] },
  });
  const file = join(set.folder, "asks.wasm");
  await compileAssemblyScript({ file: join(ROOT, "pdk/assemblyscript/examples/http.ts") }, file);
  artifact = await set.push(file, "asks:1.0.0");
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  running = await operator({
    kubeconfig: set.kubeconfig,
    state: join(set.folder, "state"),
    flags: [...set.flags([team]), "--service-address", `${team}/forecast:8080=${at}`, "--log-level", "debug"],
  });
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
  server.close();
});

const send = (text: string) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input: text });
const apply = (object: object) => send(JSON.stringify(object));
const credential = (port: number) =>
  apply({
    ...{ apiVersion: "sluice.dev/v1alpha1", kind: "Credential", metadata: { name: "forecast" } },
    spec: {
      hosts: [{ service: { name: "forecast", port } }],
      bearer: { secretRef: { name: "sluice-credentials" } },
    },
  });
const policy = (path: string, rest: object = {}) =>
  send(
    policyText({
      ...{ name: "clicks", nodes: NODES, artifact, config: { forecast: `http://forecast:8080/${path}` } },
      egress: [{ ...RULE, ...rest }],
    }),
  );
const active = (reason: string, words: string) =>
  eventually(
    async () => (await conditions(set, team, "clicks"))["ScalingActive"],
    (seen) => seen?.reason === reason && seen.message.includes(words),
  );
const logged = (words: string) =>
  eventually(
    () => Promise.resolve(running.log()),
    (log) => log.includes(words),
  );

describe("an algorithm that asks a service which wants a token", () => {
  test("is answered 401 as long as its policy's rule names no credential, and sees that", async () => {
    await policy("rate");
    await logged("split: 401");
    expect([...shown]).toEqual(["nothing"]);
    expect(await replicas(set, team)).toMatchObject({ split: "1/1", count: "1/1" });
  });

  test("is told by a condition which object is missing, one after the other, and the service is not asked", async () => {
    await policy("rate", REF);
    await active("CredentialUnavailable", `${FIELD}: There is no Credential forecast.`);
    await credential(8080);
    await active("CredentialUnavailable", `There is no Secret sluice-credentials in the namespace ${team}`);
    expect([...shown]).toEqual(["nothing"]);
  });

  test("is answered once they are there: 420 and 190 records a second make 5 and 2", async () => {
    await apply({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "sluice-credentials" } },
      stringData: { token: CANARY },
    });
    await eventually(
      () => replicas(set, team),
      (seen) => seen["split"] === "5/5" && seen["count"] === "2/2",
    );
    expect([...shown]).toEqual(["nothing", `Bearer ${CANARY}`]);
  });

  test("has the Credential and its Secret read as the tenant's account", async () => {
    for (const [resource, name] of [
      ["secrets", "sluice-credentials"],
      ["credentials", "forecast"],
    ] as const) {
      // kubectl, which made them, is the administrator's.
      const who = (await readers(set, team, resource, name)).filter((one) => one !== "admin");
      expect(who).toEqual([`system:serviceaccount:${team}:scaler`]);
    }
  });

  test("does not see the token when the service tells it again", async () => {
    await policy("echo", REF);
    await logged("split: SecretReturned");
  });

  test("is denied a credential that is bound to another place", async () => {
    await credential(8081);
    await active("EffectDenied", 'The Credential "forecast" is not bound to http://forecast:8080');
    expect(await replicas(set, team)).toMatchObject({ split: "5/5", count: "2/2" });
  });
});

describe("the operator", () => {
  test("may itself read the Secrets of ClusterCredentials that its Role lists, and nobody else's", async () => {
    const ask = async (what: string, namespace: string) => {
      const as = ["--as", "system:serviceaccount:sluice-system:sluice", "--namespace", namespace];
      const said = set.cluster.kubectl(["auth", "can-i", "get", what, ...as]);
      return said.then(
        () => "yes",
        () => "no",
      );
    };
    const asked = [
      ["clustercredentials.sluice.dev/any", "default"],
      ["secrets/sluice-credentials", "sluice-system"],
      ["endpointslices.discovery.k8s.io/kubernetes", "default"],
      ["secrets/another", "sluice-system"],
      ["secrets/sluice-credentials", team],
      ["credentials.sluice.dev/forecast", team],
    ] as const;
    const said = await Promise.all(asked.map(([what, namespace]) => ask(what, namespace)));
    expect(said).toEqual(["yes", "yes", "yes", "no", "no", "no"]);
  });

  test("is ready once it knows the policies and the Tenants", async () => {
    const answer = await fetch(`${running.url}/readyz`);
    expect(await answer.json()).toEqual({ ok: true, failing: [], checks: { policies: true, tenants: true } });
  });
});

describe("the token", () => {
  test("is in no status, event, log line, metric, page, file of knowledge or journal, in the clear or encoded", async () => {
    const { kubectl } = set.cluster;
    const get = async (path: string) => (await fetch(`${running.url}${path}`)).text();
    const told = { metrics: await get("/metrics"), page: await get("/api/v1/policies") };
    // The last events are written at the end.
    expect(await running.stop()).toBe(0);
    const kinds = "scalingpolicies,credentials,events.events.k8s.io";
    const objects = await kubectl(["get", kinds, "--namespace", team, "--output", "json"]);
    const state = join(set.folder, "state");
    const files = (await readdir(state)).filter((name) => name.startsWith("knowledge"));
    const raw = await Promise.all(files.map((name) => readFile(join(state, name), "latin1")));
    const store = await openStore({ file: join(state, "knowledge.db"), clock: { now: () => new Date() } });
    const passes = JSON.stringify(await store.entries(policyKey(team, "clicks"), 1_000));
    await store.close();
    const places = { ...told, objects, log: running.log(), files: raw.join("\n"), passes };

    // What is looked through is what there is: the answer that the token was shown for, and the fault about the credential.
    expect(readable(places.passes)).toContain('{"rate":420}');
    for (const about of [places.log, objects, places.metrics])
      expect(about.includes("CredentialUnavailable")).toBe(true);
    const forms = [CANARY, Buffer.from(CANARY).toString("base64").slice(0, -4), encodeURIComponent(CANARY)];
    const found = Object.entries(places).filter(([, text]) =>
      forms.some((form) => readable(text).includes(form)),
    );
    expect(found.map(([place]) => place)).toEqual([]);
  });
});

/** A text, and what every run of base64 in it says. */
function readable(text: string): string {
  const runs = text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? [];
  return [text, ...runs.map((run) => Buffer.from(run, "base64").toString("latin1"))].join("\n");
}
