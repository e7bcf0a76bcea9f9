import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileAssemblyScript } from "../../launcher/build/algorithms.ts";
import { conditions, replicas, ROOT, serviceReaders, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const NODES = ["split", "count"];
const SERVICE = { service: { name: "forecast", port: 8080 }, pathPrefix: "/rate" };
const AT_SERVICE = "http://forecast:8080/rate";
const AT_HOST = "https://forecast.example.com/rate";

let set: Stage;
let team: string;
let running: OperatorProcess;
let artifact: string;
let server: Server;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const rate = request.url === "/rate/split" ? 420 : 190;
    response.end(JSON.stringify({ rate }));
  }).listen(0, "127.0.0.1");
  set = await stage();
  team = await set.tenant(NODES);
  const service =
    '{"apiVersion":"v1","kind":"Service","metadata":{"name":"forecast"},"spec":{"selector":{"app":"forecast"},"ports":[{"port":8080}]}}';
  await apply(service);
  const file = join(set.folder, "asks.wasm");
  await compileAssemblyScript({ file: join(ROOT, "pdk/assemblyscript/examples/http.ts") }, file);
  artifact = await set.push(file, "asks:1.0.0");
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  running = await operator({
    kubeconfig: set.kubeconfig,
    state: join(set.folder, "state"),
    flags: [...set.flags([team]), "--service-address", `${team}/forecast:8080=${at}`],
  });
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
  server.close();
});

const apply = (text: string) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input: text });
const policy = (forecast: string, egress?: readonly object[]) =>
  apply(
    policyText({
      ...{ name: "clicks", nodes: NODES, artifact, config: { forecast } },
      ...(egress === undefined ? {} : { egress }),
    }),
  );
const active = (reason: string, words = "") =>
  eventually(
    async () => (await conditions(set, team, "clicks"))["ScalingActive"],
    (seen) => seen?.reason === reason && seen.message.includes(words),
  );
const tenant = (name: string, egress: readonly object[] = []) =>
  apply(
    JSON.stringify({
      apiVersion: "sluice.dev/v1alpha1",
      kind: "Tenant",
      metadata: { name },
      spec: { namespaces: [team], egress },
    }),
  );

describe("an algorithm that asks a service for its forecast", () => {
  test("asks nobody as long as its policy has no rule: the replicas stay, and the condition says what to do", async () => {
    await policy(AT_SERVICE);
    const seen = await active("EffectDenied");
    expect(seen?.message).toContain("spec.algorithm.egress");
    expect(asked).toEqual([]);
    expect(await replicas(set, team)).toMatchObject({ split: "1/1", count: "1/1" });
  });

  test("asks a service that the policy has a rule for: 420 and 190 records a second make 5 and 2", async () => {
    await policy(AT_SERVICE, [SERVICE]);
    await eventually(
      () => replicas(set, team),
      (seen) => seen["split"] === "5/5" && seen["count"] === "2/2",
    );
    expect(asked.slice(0, 2).sort()).toEqual(["GET /rate/count", "GET /rate/split"]);
  });

  test("reads that service as the tenant's account", async () => {
    // kubectl, which made it, is the administrator's.
    const readers = (await serviceReaders(set, team, "forecast")).filter((one) => one !== "admin");
    expect(readers).toEqual([`system:serviceaccount:${team}:scaler`]);
  });

  test("asks nothing outside what paths begin with", async () => {
    await policy("http://forecast:8080/elsewhere", [SERVICE]);
    await active("EffectDenied", "no rule of spec.algorithm.egress allows it of that service");
    expect(asked.filter((one) => one.includes("/elsewhere"))).toEqual([]);
  });

  test("asks no host elsewhere that no Tenant grants, whatever its policy says", async () => {
    const rule = { host: "forecast.example.com" };
    await policy(AT_HOST, [rule]);
    await active("EffectDenied", `no Tenant has the namespace ${team}`);
    await tenant("first", [{ host: "*.example.org" }]);
    await active("EffectDenied", "the Tenant first has no rule under spec.egress for it");
    await tenant("second", [rule]);
    await active("EffectDenied", "is in two Tenants, first and second, and neither counts");
    expect(await replicas(set, team)).toMatchObject({ split: "5/5", count: "2/2" });
  });

  test("asks no service whose endpoints somebody wrote by hand: they could be any address", async () => {
    await apply(
      '{"apiVersion":"v1","kind":"Service","metadata":{"name":"byhand"},"spec":{"clusterIP":"None","ports":[{"port":8080}]}}',
    );
    await policy("http://byhand:8080/rate", [{ service: { name: "byhand", port: 8080 } }]);
    await active("EffectDenied", "The service byhand has no selector");
  });

  test("says which service is not there", async () => {
    await policy("http://nobody:8080/rate", [{ service: { name: "nobody", port: 8080 } }]);
    const seen = await active("EffectDenied", "The service nobody cannot be asked");
    expect(seen?.message).toContain("spec.algorithm.egress");
  });

  test("is refused by the API server with a rule that cannot be meant", async () => {
    await expect(policy(AT_SERVICE, [{ ...SERVICE, methods: ["POST"] }])).rejects.toThrow(
      "a method other than GET and HEAD may be repeated: set repeatable, if that does no harm",
    );
  });
});
