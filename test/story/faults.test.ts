import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { processes } from "../engine/bed.ts";
import { gateway, type Asked, type Gateway, type Script } from "../kube/gateway.ts";
import { testworldBinary } from "../world/build.ts";
import { conditions, replicas, ROOT, stage, type Stage } from "./bed.ts";
import { checkHistory } from "./history.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const run = promisify(execFile);

interface Config {
  readonly clusters: readonly { readonly cluster: { readonly "certificate-authority-data": string } }[];
}

// What fails is asked again after growing pauses.
vi.setConfig({ testTimeout: 120_000 });

let set: Stage;
let team: string;
let way: Gateway;
let running: OperatorProcess;
let artifact: string;
let metrics: Server;
let rate = 100;
/** What the metrics service answers instead of a rate. */
let lie: ((response: ServerResponse) => void) | undefined;

/** An answer as Prometheus gives it. */
const vector = (value: string) =>
  JSON.stringify({
    status: "success",
    data: {
      resultType: "vector",
      result: [{ metric: { operator: "split" }, value: [Date.now() / 1_000, value] }],
    },
  });

beforeAll(async () => {
  metrics = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    if (lie === undefined) response.end(vector(String(rate)));
    else lie(response);
  });
  await new Promise<void>((resolve) => metrics.listen(0, "127.0.0.1", resolve));
  set = await stage();
  const { cluster, folder } = set;
  const keys = join(folder, "gateway");
  await run(await testworldBinary(), ["pki", keys, "https://127.0.0.1"]);
  const [key, cert, own] = await Promise.all(
    ["apiserver.key", "apiserver.crt", "ca.crt"].map((name) => readFile(join(keys, name), "utf8")),
  );
  const config = JSON.parse(await readFile(set.kubeconfig, "utf8")) as Config;
  const [ca64 = ""] = config.clusters.map((one) => one.cluster["certificate-authority-data"]);
  const ca = Buffer.from(ca64, "base64").toString("utf8");
  way = await gateway(cluster.server, { key: key ?? "", cert: cert ?? "", ca });
  const trusted = Buffer.from(own ?? "").toString("base64");
  const at = { server: way.url, "certificate-authority-data": trusted };
  const kubeconfig = join(folder, "gateway.kubeconfig");
  const through = { ...config, clusters: [{ ...config.clusters[0], cluster: at }] };
  await writeFile(kubeconfig, JSON.stringify(through), { mode: 0o600 });
  team = await set.tenant(["split"]);
  artifact = await set.push(join(ROOT, "build/algorithms/threshold.wasm"), "threshold:1.0.0");
  const port = (metrics.address() as AddressInfo).port;
  running = await operator({
    kubeconfig,
    state: join(folder, "state"),
    flags: [
      "--insecure-registry",
      set.registry.host,
      "--service-address",
      `${team}/prometheus:9090=http://127.0.0.1:${port}`,
    ],
  });
  await policy();
  await settled(1);
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await way?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
  metrics.close();
});
afterEach(async () => {
  way.calm();
  lie = undefined;
  await settled(Math.ceil(rate / 100));
  checkHistory(way.asked, team);
}, 60_000);

const policy = (rest: object = {}) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], {
    input: policyText({
      name: "clicks",
      nodes: ["split"],
      artifact,
      config: { targetPerInstance: 100 },
      ...rest,
    }),
  });
const settled = (number: number) =>
  eventually(
    async () =>
      [await replicas(set, team), (await conditions(set, team, "clicks"))["Ready"]?.status] as const,
    ([seen, ready]) => seen["split"] === `${number}/${number}` && ready === "True",
    60_000,
  );
const condition = (type: string, reason: string) =>
  eventually(
    async () => (await conditions(set, team, "clicks"))[type],
    (seen) => seen?.reason === reason,
  );
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const scaleWrites = () => way.asked.filter(({ isScale, method }) => isScale && method === "PUT");

/** While this goes on, the load changes: nothing may be scaled; when it is over, what is wanted is there. */
async function holds(script: (asked: Asked) => Script, wanted: number, ms = 2_500): Promise<void> {
  const before = await replicas(set, team);
  way.play(script);
  // A pass that was under way may have read everything before.
  await pause(1_200);
  rate = wanted * 100;
  await pause(ms);
  expect(await replicas(set, team)).toEqual(before);
  way.calm();
  await settled(wanted);
}

/** However this goes on, what is wanted is there in the end, and is written once. */
async function finds(script: (asked: Asked) => Script, wanted: number): Promise<void> {
  const made = scaleWrites().length;
  way.play(script);
  rate = wanted * 100;
  await settled(wanted);
  const numbers = scaleWrites()
    .slice(made)
    .map(({ body }) => (JSON.parse(body) as { spec: { replicas: number } }).spec.replicas);
  expect(new Set(numbers)).toEqual(new Set([wanted]));
}

const reads = ({ method, isScale }: Asked) => method === "GET" && isScale;
const writes = ({ method, isScale }: Asked) => method === "PUT" && isScale;
const once = (counts: (asked: Asked) => boolean, script: Script, times = 1) => {
  let left = times;
  return (asked: Asked): Script => (counts(asked) && left-- > 0 ? script : undefined);
};

describe("an API server that", () => {
  test("refuses every connection: nothing is scaled", () => holds(() => "cut", 3));
  test("answers 503 to everything: nothing is scaled", () => holds(() => ({ status: 503 }), 4));
  test("answers 429 and asks for two seconds: nothing is scaled", () =>
    holds(() => ({ status: 429, headers: { "retry-after": "2" } }), 2));
  test("answers with half an object: nothing is scaled", () =>
    holds((asked) => (reads(asked) ? { change: (body) => body.slice(0, body.length / 2) } : undefined), 5));
  test.each(["-3", '"7"', "2.5", "1e400", "null"])("says that %s replicas run: nothing is scaled", (number) =>
    holds(
      (asked) =>
        reads(asked)
          ? { change: (body) => body.replace(/"replicas":\d+/g, `"replicas":${number}`) }
          : undefined,
      3,
    ),
  );
  test("knows no right of the account any more: nothing is scaled, and it is said which is missing", async () => {
    await set.cluster.kubectl(["delete", "rolebinding", "scaler", "--namespace", team]);
    rate = 600;
    const seen = await condition("TargetResolved", "Forbidden");
    expect(seen?.message).toContain(`${team}/scaler`);
    expect(await replicas(set, team)).not.toHaveProperty("split", "6/6");
    await set.cluster.kubectl([
      "apply",
      "--namespace",
      team,
      "--filename",
      join(ROOT, "install/tenant.yaml"),
    ]);
    await settled(6);
  });
  test("answers every third call with 500: what is wanted is found all the same", () => {
    let calls = 0;
    return finds((asked) => (asked.isWatch || (calls += 1) % 3 > 0 ? undefined : { status: 500 }), 2);
  });
  test("takes a second for every answer", () =>
    finds(({ isWatch }) => (isWatch ? undefined : { delayMs: 1_000 }), 4));
  test("loses the answer to a write that it carried out: it is not written again with another number", () =>
    finds(once(writes, "cut afterwards"), 7));
  test("loses a write on its way", () => finds(once(writes, "cut", 2), 3));
  test("answers three writes with a conflict, as in a rollout", () =>
    finds(once(writes, { status: 409 }, 3), 5));
  test("answers a write with 500, twice: the decision is resumed", () =>
    finds(once(writes, { status: 500 }, 2), 2));
  test("loses the answers to statuses", () =>
    finds(({ method }) => (method === "PATCH" ? "cut afterwards" : undefined), 6));
});

/** The policy is changed while its watch is in trouble: the change is heard of all the same. */
async function hears(script: (asked: Asked) => Script): Promise<void> {
  way.play(script);
  const max = 2 + (scaleWrites().length % 5);
  rate = 2_000;
  await policy({ guardrails: { bounds: { min: 1, max } } });
  await eventually(
    () => replicas(set, team),
    (seen) => seen["split"] === `${max}/${max}`,
    60_000,
  );
  rate = 300;
  await policy();
  await settled(3);
}

describe("a watch that", () => {
  const watches = ({ isWatch }: Asked) => isWatch;
  test("is cut again and again", () =>
    hears((asked) => (watches(asked) && Math.random() < 0.7 ? "cut" : undefined)));
  test("is too old for the server: everything is listed again", () =>
    hears(once(watches, { status: 410 }, 3)));
  test("tells every event twice", () =>
    hears((asked) => (watches(asked) ? { lines: (line) => [line, line] } : undefined)));
  test("tells events in the wrong order", () => {
    let held: string | undefined;
    const swap = (line: string) => {
      const before = held;
      held = before === undefined ? line : undefined;
      return before === undefined ? [] : [line, before];
    };
    return hears((asked) => (watches(asked) ? { lines: swap } : undefined));
  });
  test("tells what is no JSON", () => hears(once(watches, { lines: () => ["{"] }, 3)));
});

describe("a metrics service that", () => {
  const holdsOn = async (told: NonNullable<typeof lie>, reason: string) => {
    const before = await replicas(set, team);
    lie = told;
    await condition("SourcesHealthy", reason);
    await pause(1_500);
    expect(await replicas(set, team)).toEqual(before);
  };
  const text = (body: string) => (response: ServerResponse) => void response.end(body);
  test("is down", () => holdsOn((response) => response.destroy(), "SourceUnavailable"));
  test("answers 500", () => holdsOn((response) => void response.writeHead(500).end(), "SourceUnavailable"));
  test("has no data", () =>
    holdsOn(text('{"status":"success","data":{"resultType":"vector","result":[]}}'), "NoData"));
  test("says NaN", () => holdsOn(text(vector("NaN")), "SourceInvalid"));
  test("says infinity", () => holdsOn(text(vector("+Inf")), "SourceInvalid"));
  test("answers with half an answer", () => holdsOn(text(vector("100").slice(0, 40)), "SourceInvalid"));
  test("answers without end", () =>
    holdsOn((response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    }, "SourceInvalid"));
});

describe("a process that", () => {
  const children = (program: "supervisor" | "sandbox") =>
    processes(running.pid).filter((one) => one.program === program);
  test.each(["supervisor", "sandbox"] as const)(
    "is killed, a %s: another takes its place",
    async (program) => {
      for (const { pid } of children(program)) process.kill(pid, "SIGKILL");
      rate = rate === 400 ? 500 : 400;
      await settled(rate / 100);
    },
  );
  test("is stopped, a sandbox: its pass ends by its deadline, and another takes its place", async () => {
    for (const { pid } of children("sandbox")) process.kill(pid, "SIGSTOP");
    rate = 700;
    await settled(7);
  });
});

describe("a registry that", () => {
  test("is down lets what runs run, and is asked again for what does not", async () => {
    await set.registry.down();
    rate = 200;
    await settled(2);
    await policy({ artifact: artifact.replace("1.0.0", "9.9.9") });
    await condition("AlgorithmLoaded", "ArtifactUnavailable");
    await set.registry.up();
    await policy();
    await settled(2);
  });
});
