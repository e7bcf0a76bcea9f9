import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { testworldBinary } from "./world/build.ts";
import setUp from "./world/global-setup.ts";
import { cluster, exposition, prometheus, registry, type Cluster } from "./world/index.ts";
import { withLock } from "./world/lock.ts";
import { ask, authorize, push } from "./world/oci.ts";
import { sharedClusterAt } from "./world/session.ts";
import { isOlder, toolchain } from "./world/toolchain.ts";

describe("a cluster", () => {
  let world: Cluster;
  beforeAll(async () => {
    world = await cluster({ audit: true });
    await world.applyNode("n1", { cpu: "16" });
  });
  afterAll(() => world.stop());

  test("has nodes that are Ready and hold what they were given", async () => {
    const paths = '{.status.capacity.cpu} {.status.conditions[?(@.type=="Ready")].status}';
    expect(await world.kubectl(["get", "node", "n1", "--output", `jsonpath=${paths}`])).toBe("16 True");
  });

  test("makes pods Ready when a Deployment is scaled through its scale subresource", async () => {
    const namespace = await world.namespace();
    await world.kubectl(["apply", "--namespace", namespace, "--filename", "-"], {
      input: deployment("web", 1),
    });
    const scale = ["patch", "deployment", "web", "--subresource=scale", "--type=merge"];
    await world.kubectl([...scale, "--namespace", namespace, "--patch", '{"spec":{"replicas":7}}']);
    await world.kubectl([
      "wait",
      "--namespace",
      namespace,
      "--for=jsonpath={.status.readyReplicas}=7",
      "deployment/web",
    ]);
    const pods = await world.kubectl(["get", "pods", "--namespace", namespace, "--output", "name"]);
    expect(pods.trim().split("\n")).toHaveLength(7);
  });

  test("writes down who asked for what", async () => {
    const namespace = await world.namespace();
    const entries = (await readFile(world.auditLog ?? "", "utf8")).trim().split("\n");
    const creations = entries
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ verb }) => verb === "create");
    const creation = creations.find(
      ({ objectRef }) => objectRef?.resource === "namespaces" && objectRef.name === namespace,
    );
    expect(creation?.user.username).toBe("admin");
  });

  test("says what kubectl says of a failure", async () => {
    await expect(world.kubectl(["get", "pod", "nobody"])).rejects.toThrow('pods "nobody" not found');
  });

  test("is the one of SLUICE_TEST_KUBECONFIG when that is set, and then stop() leaves it running", async () => {
    vi.stubEnv("SLUICE_TEST_KUBECONFIG", world.kubeconfig);
    const present = await cluster().finally(() => vi.unstubAllEnvs());
    expect(present.server).toBe(world.server);
    await present.stop();
    expect(await world.kubectl(["get", "--raw", "/readyz"])).toBe("ok");
  });

  test("is started once for all who ask the global setup for the shared one", async () => {
    vi.stubEnv("SLUICE_TEST_KUBECONFIG", world.kubeconfig);
    const provided: string[] = [];
    const tearDown = await setUp({ provide: (_, url) => void provided.push(url) });
    const [one, other] = await Promise.all([0, 1].map(() => sharedClusterAt(provided[0] ?? "")));
    vi.unstubAllEnvs();
    expect([one?.server, other?.server]).toEqual([world.server, world.server]);
    expect(await one?.namespace()).not.toBe(await other?.namespace());
    await tearDown();
  });
});

describe("a registry", () => {
  test.each([
    { auth: "none", tls: false },
    { auth: "basic", tls: true },
    { auth: "bearer", tls: false },
    { auth: "bearer", tls: true },
  ] as const)("takes and gives back a blob with auth $auth and TLS $tls", async (options) => {
    await using store = await registry(options);
    const authorization = await authorize(store, "repository:algorithms/kta:pull,push");
    const digest = await push(store, authorization, "a module");
    const pulled = await ask(store, `/v2/algorithms/kta/blobs/${digest}`, { authorization });
    expect(pulled).toMatchObject({ status: 200, body: "a module" });
  });

  test("turns away who has no name, and who may only pull but pushes", async () => {
    await using store = await registry({ auth: "bearer" });
    expect(await ask(store, "/v2/algorithms/kta/tags/list")).toMatchObject({ status: 401 });
    const authorization = await authorize(store, "repository:algorithms/kta:pull");
    const upload = await ask(store, "/v2/algorithms/kta/blobs/uploads/", { method: "POST", authorization });
    expect(upload).toMatchObject({ status: 401 });
    expect(upload.challenge).toContain('error="insufficient_scope"');
    const wrong = `Basic ${Buffer.from(`${store.username}:guess`).toString("base64")}`;
    const token = await ask(store, "/token?service=testworld%20registry", { authorization: wrong });
    expect(token).toMatchObject({ status: 401 });
  });

  test("keeps its address and its content while it is down, and its connections while it is paused", async () => {
    await using store = await registry();
    const digest = await push(store, undefined, "a module");
    await store.down();
    await expect(ask(store, "/v2/")).rejects.toThrow("ECONNREFUSED");
    await store.up();
    store.pause();
    const answer = ask(store, `/v2/algorithms/kta/blobs/${digest}`);
    expect(await Promise.race([answer, sleep(200)])).toBeUndefined();
    store.resume();
    expect(await answer).toMatchObject({ status: 200, body: "a module" });
  });
});

describe("a Prometheus server", () => {
  test("answers with the value that was scraped last", async () => {
    await using load = await exposition();
    load.set("records_per_second", 250, { topic: 'a "quoted" one' });
    await using server = await prometheus({ targets: [load.target] });
    const query = new URL("/api/v1/query?query=records_per_second", server.url);
    const answer = async (): Promise<unknown> =>
      ((await (await fetch(query)).json()) as QueryAnswer).data.result[0];
    await expect
      .poll(answer, { timeout: 10_000 })
      .toMatchObject({ metric: { topic: 'a "quoted" one' }, value: [expect.any(Number), "250"] });
    load.set("records_per_second", 900, { topic: 'a "quoted" one' });
    await expect.poll(answer, { timeout: 5_000 }).toMatchObject({ value: [expect.any(Number), "900"] });
  });
});

describe("nothing is left behind", () => {
  const mark = `SLUICE_TEST_MARK=${randomUUID()}`;
  const [variable = "", value = ""] = mark.split("=");

  test("when a part of the world is stopped", async () => {
    vi.stubEnv(variable, value);
    const store = await registry({ tls: true }).finally(() => vi.unstubAllEnvs());
    const directory = directoryOf(store.ca);
    expect(await remains(mark, [directory])).toHaveLength(3); // the supervisor, the registry, the directory
    await store.stop();
    expect(await remains(mark, [directory])).toEqual([]);
  });

  test("when its supervisor is killed with -9", async () => {
    vi.stubEnv(variable, value);
    const store = await registry({ tls: true }).finally(() => vi.unstubAllEnvs());
    const directory = directoryOf(store.ca);
    const supervisor = (await remains(mark, [])).find((process) => process.includes("supervise")) ?? "";
    process.kill(Number.parseInt(supervisor, 10), "SIGKILL");
    await expect.poll(() => remains(mark, [directory]), { timeout: 5_000 }).toEqual([]);
    await expect(store.up()).rejects.toThrow("the world's supervisor is gone");
    await store.stop();
  });

  test("when the process that started it is killed with -9", { timeout: 60_000 }, async () => {
    const script = `
      import { cluster, registry } from "${import.meta.dirname}/world/index.ts";
      const [{ kubeconfig, kubectl }, { ca }] = await Promise.all([cluster(), registry({ tls: true })]);
      const wait = kubectl(["wait", "--for=create", "node/never", "--timeout=600s"]);
      console.log([kubeconfig, ca].join(" "));
      await wait;`;
    const options = ["--no-warnings", "--input-type=module-typescript", "--eval", script];
    const parent = spawn("node", options, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, [variable]: value },
    });
    const line = await createInterface({ input: parent.stdout })[Symbol.asyncIterator]().next();
    const directories = String(line.value).split(" ").map(directoryOf);
    // The parent, kubectl, two supervisors, five processes of the cluster, the registry and two directories.
    expect(await remains(mark, directories)).toHaveLength(12);
    parent.kill("SIGKILL");
    await expect.poll(() => remains(mark, directories), { timeout: 5_000 }).toEqual([]);
  });
});

describe("a build", () => {
  test("is left to one of many that want it at once, and taken over from one that was killed", async () => {
    const path = join(await mkdtemp(join(tmpdir(), "sluice-lock-")), "lock");
    await writeFile(path, "");
    await utimes(path, 0, 0);
    let [holders, most] = [0, 0];
    const work = async (): Promise<void> => {
      most = Math.max(most, ++holders);
      await sleep(20);
      holders--;
    };
    await Promise.all(Array.from({ length: 4 }, () => withLock(path, work)));
    expect(most).toBe(1);
    await rm(dirname(path), { recursive: true });
  });

  test("is not needed when SLUICE_TESTWORLD names a binary, which has to be there", async () => {
    vi.stubEnv("SLUICE_TESTWORLD", import.meta.filename);
    expect(await testworldBinary()).toBe(import.meta.filename);
    vi.stubEnv("SLUICE_TESTWORLD", "/nowhere");
    const refusal = testworldBinary().finally(() => vi.unstubAllEnvs());
    await expect(refusal).rejects.toThrow("SLUICE_TESTWORLD is set to /nowhere, and there is no such file");
  });
});

describe("the toolchain", () => {
  test("is compared by numbers", () => {
    expect(isOlder("1.9.9", "1.26.0")).toBe(true);
    expect(isOlder("1.26", "1.26.0")).toBe(false);
    expect(isOlder("1.27rc1", "1.26.8")).toBe(false);
  });

  test("is asked for with the remedy when it is missing or too old", async () => {
    await expect(toolchain("99.1.0")).rejects.toThrow(
      /^Go >= 99\.1 is needed .* put it on PATH \(here is go1\.\S+\)$/,
    );
    vi.stubEnv("PATH", "/nowhere");
    await expect(toolchain("1.26.0").finally(() => vi.unstubAllEnvs())).rejects.toThrow(
      "Go >= 1.26 is needed for the cluster tests: install it from your distribution or go.dev/dl and put it on PATH",
    );
  });
});

interface AuditEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string };
}
interface QueryAnswer {
  readonly data: { readonly result: readonly unknown[] };
}

function deployment(name: string, replicas: number): string {
  const containers = [{ name: "c", image: "example.invalid/web:1" }];
  const template = { metadata: { labels: { app: name } }, spec: { containers } };
  const spec = { replicas, selector: { matchLabels: { app: name } }, template };
  return JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec });
}

const directoryOf = (path = ""): string => path.replace(/\/pki\/.*/, "");

/** Of these directories and of the processes that carry this mark in their environment, those that are there. */
async function remains(mark: string, directories: readonly string[]): Promise<string[]> {
  const there = directories.map((path) =>
    access(path).then(
      () => [path],
      () => [],
    ),
  );
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const marked = processes.map(async (pid) => {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    return environment.includes(mark)
      ? [`${pid} ${await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")}`]
      : [];
  });
  return (await Promise.all([...there, ...marked])).flat();
}
