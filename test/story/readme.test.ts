import { execFile, spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cluster, exposition, prometheus, registry, type Cluster } from "../world/index.ts";
import { testworldBinary } from "../world/build.ts";
import { ROOT } from "./bed.ts";
import { eventually } from "./operator.ts";
import { application, pullSecret } from "./policy.ts";

const run = promisify(execFile);
const TEAM = "team-a";

/** Commands that are run elsewhere: what they do would be this very test, or a story of its own. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "npm start": "test/story/start.test.ts",
  "npm cit": ".ci/run",
  "helm install sluice charts/sluice --namespace sluice-system --create-namespace --set image.repository=registry.example/sluice":
    "test/story/chart.test.ts, with an image that nobody has",
  "npm run sluice -- knowledge export knowledge.ndjson --state /var/lib/sluice": "test/store-page.test.ts",
  "npm run sluice -- knowledge import knowledge.ndjson --knowledge-url-file /etc/sluice/knowledge-url":
    "test/store-page.test.ts",
  "npm run operator -- --knowledge-url-file /etc/sluice/knowledge-url": "test/store-page.test.ts",
  "npm test -- test/guardrails.test.ts": ".ci/run, which runs all of them",
};

const readme = await readFile(join(ROOT, "README.md"), "utf8");
const pages = [
  readme,
  ...(await Promise.all(
    ["test.md", "ask-a-service.md", "keep-knowledge-in-postgresql.md", "take-over-by-hand.md"].map((name) =>
      readFile(join(ROOT, "docs/how-to", name), "utf8"),
    ),
  )),
];
const blocks = (language: string, text: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map((found) => found[1] ?? "");
const commands = pages.flatMap((page) => blocks("sh", page)).flatMap((block) => block.trim().split("\n"));

let folder: string;
let real: Cluster;
let store: Awaited<ReturnType<typeof registry>>;
let metrics: Awaited<ReturnType<typeof prometheus>>;
let load: Awaited<ReturnType<typeof exposition>>;
let operator: ChildProcess | undefined;
let log = "";
const done: string[] = [];

/** Environment and words of a command on this machine: its own registry for the example's, its own cluster, its own files. */
const here = (command: string) =>
  command
    .replaceAll("registry.example", store.host)
    .replace("~/.kube/config", real.kubeconfig)
    .replace("/var/lib/sluice", join(folder, "state"));
const environment = () => ({
  ...process.env,
  PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"] ?? ""}`,
  KUBECONFIG: real.kubeconfig,
  NODE_EXTRA_CA_CERTS: store.ca ?? "",
  DOCKER_CONFIG: folder,
});

/** Runs a command of the page as a person would paste it into a shell. */
async function paste(command: string): Promise<string> {
  expect(commands).toContain(command);
  done.push(command);
  // What a person has written lies in their own folder, what is Sluice's in its checkout.
  const words = here(command).replaceAll(/(?<= )(algorithm\.(?:ts|wasm)|policy\.yaml)/g, (file) =>
    join(folder, file),
  );
  const { stdout } = await run("sh", ["-c", words], { cwd: ROOT, env: environment(), timeout: 120_000 });
  return stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-readme-"));
  [real, store, load] = await Promise.all([cluster(), registry({ auth: "basic", tls: true }), exposition()]);
  for (const name of ["split", "count"]) load.set("records_total", 1_000, { operator: name });
  metrics = await prometheus({ targets: [load.target] });
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin/kubectl"), `#!/bin/sh\nexec ${await testworldBinary()} kubectl "$@"\n`);
  await chmod(join(folder, "bin/kubectl"), 0o755);
  const auth = Buffer.from(`${store.username}:${store.password}`).toString("base64");
  await writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [store.host]: { auth } } }));
  await writeFile(join(folder, "policy.yaml"), here(blocks("yaml", readme)[0] ?? ""));
  await writeFile(join(folder, "algorithm.ts"), blocks("ts", readme)[0] ?? "");
  // What the reader has already: a namespace with an application, its metrics, and a pull secret.
  await real.applyNode("node-1");
  await real.kubectl(["create", "namespace", TEAM]);
  const given = [
    application(["split-words", "count-words"]),
    pullSecret(store.host, store.username, store.password),
  ].join("\n---\n");
  await real.kubectl(["apply", "--namespace", TEAM, "--filename", "-"], { input: given });
}, 300_000);
afterAll(async () => {
  // npm, its shell and the operator: all of them are one group.
  if (operator?.pid !== undefined) process.kill(-operator.pid, "SIGKILL");
  await Promise.all([real?.stop(), store?.stop(), metrics?.stop(), load?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

describe("every command of the README, in its order", () => {
  test("writes an algorithm: compiles, inspects and pushes it", async () => {
    expect(await paste("npm run compile -- algorithm.ts algorithm.wasm")).toContain("algorithm.wasm");
    expect(await paste("npm run sluice -- inspect algorithm.wasm")).toMatch(/steps\s+plan/);
    expect(
      await paste("npm run sluice -- push algorithm.wasm oci://registry.example/algorithms/mine:1.0.0"),
    ).toMatch(/sha256:[0-9a-f]{64}/);
  }, 120_000);

  test("installs Sluice into a cluster", async () => {
    expect(await paste("kubectl apply --server-side -f crds/")).toContain(
      "scalingpolicies.sluice.dev serverside-applied",
    );
    expect(await paste("kubectl apply -f install/operator.yaml")).toContain(
      "clusterrole.rbac.authorization.k8s.io/sluice-operator created",
    );
    const command = "npm run operator -- --kubeconfig ~/.kube/config --state /var/lib/sluice";
    expect(commands).toContain(command);
    done.push(command);
    const flags = [
      "--port",
      "0",
      "--registry-ca",
      store.ca ?? "",
      "--service-address",
      `${TEAM}/prometheus:9090=${metrics.url}`,
    ];
    operator = spawn("sh", ["-c", `exec ${here(command)} ${flags.join(" ")}`], {
      cwd: ROOT,
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [operator.stdout, operator.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (log += text));
    await eventually(
      async () => log,
      (seen) => seen.includes("the operator runs"),
    );
  }, 60_000);

  test("lets a tenant's policy scale their application", async () => {
    const threshold = `${ROOT}/build/algorithms/threshold.wasm`;
    await run(
      process.execPath,
      [
        "--no-warnings",
        "host/cli/main.ts",
        "push",
        threshold,
        here("oci://registry.example/algorithms/threshold:1.0.0"),
      ],
      { cwd: ROOT, env: environment() },
    );
    expect(await paste("kubectl apply -n team-a -f install/tenant.yaml")).toContain(
      "role.rbac.authorization.k8s.io/scaler created",
    );
    expect(await paste("kubectl apply -f policy.yaml")).toContain(
      "scalingpolicy.sluice.dev/clickstream created",
    );
    await eventually(
      () => paste("kubectl get scalingpolicies -n team-a"),
      (seen) => /clickstream\s.*\sTrue\s/.test(seen),
    );
    expect(await paste("kubectl describe scalingpolicy clickstream -n team-a")).toContain(
      "Decisions are being made.",
    );
  }, 60_000);

  test("takes a policy over by hand, and gives it back", async () => {
    const byHand = commands.filter((one) => /^kubectl (annotate|patch) /.test(one));
    expect(byHand).toHaveLength(8);
    for (const command of byHand)
      expect(await paste(command)).toMatch(/^scalingpolicy.sluice.dev\/clickstream (annotated|patched)/);
    await eventually(
      () => paste("kubectl get scalingpolicies -n team-a"),
      (seen) => /clickstream\s.*\sTrue\s/.test(seen),
    );
  }, 60_000);

  test("leaves none out", () => {
    const left = commands.filter((command) => !done.includes(command) && ELSEWHERE[command] === undefined);
    expect(left).toEqual([]);
  });
});
