import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { conditions, replicas, ROOT, stage, type Condition, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText, type PolicyText } from "./policy.ts";

const THRESHOLD = join(ROOT, "build/algorithms/threshold.wasm");

let set: Stage;
let team: string;
let running: OperatorProcess;
let artifact: string;

const kubectl = (...words: string[]) => set.cluster.kubectl(words);
const apply = (text: string) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input: text });
const start = () =>
  operator({ kubeconfig: set.kubeconfig, state: join(set.folder, "state"), flags: set.flags([team]) });
const config = { targetPerInstance: 100, tolerance: 0 };
const healthyPasses = async () => {
  const { policies } = (await (await fetch(`${running.url}/api/v1/policies`)).json()) as {
    policies: readonly { key: string; number: number }[];
  };
  return policies.find((one) => one.key === `${team}/healthy`)?.number ?? 0;
};

/** They all name the same target, and the oldest policy would have it. */
const alone = () =>
  kubectl("delete", "scalingpolicies", "--namespace", team, "--field-selector", "metadata.name!=healthy");

/** Applies a policy over the Deployment `target` and returns what is said of it once it is not ready. */
async function verdict(
  policy: Partial<PolicyText> & { name: string },
): Promise<{ type: string } & Condition> {
  await alone();
  await apply(policyText({ nodes: ["target"], artifact, config, ...policy }));
  const found = await eventually(
    () => conditions(set, team, policy.name),
    (seen) => seen["Ready"]?.status === "False",
  );
  const [type = "", one] =
    Object.entries(found).find(
      ([name, { status, reason }]) =>
        name !== "Ready" && status === "False" && reason === found["Ready"]?.reason,
    ) ?? [];
  if (one === undefined) throw new Error(`nothing says why: ${JSON.stringify(found)}`);
  return { type, ...one };
}

beforeAll(async () => {
  set = await stage();
  team = await set.tenant(["target", "well"]);
  artifact = await set.push(THRESHOLD, "threshold:1.0.0");
  set.load.set("records_rate", 300, { operator: "well" });
  set.load.set("records_rate", 300, { operator: "target" });
  running = await start();
  await apply(policyText({ name: "healthy", nodes: ["well"], artifact, config }));
  await eventually(healthyPasses, (seen) => seen > 0);
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
});

afterEach(alone);

describe("bad input gets one clear condition, and the replicas stay", () => {
  test("a Deployment that does not exist", async () => {
    const { type, reason, message } = await verdict({ name: "missing-target", nodes: ["nowhere"] });
    expect([type, reason]).toEqual(["TargetResolved", "TargetNotFound"]);
    expect(message).toContain("spec.target.kubernetes.nodes[0].ref");
    expect(message).toContain("nowhere");
  });

  test("an artifact that the registry does not have", async () => {
    const { type, reason, message } = await verdict({
      name: "no-artifact",
      artifact: artifact.replace("1.0.0", "9.9.9"),
    });
    expect([type, reason]).toEqual(["AlgorithmLoaded", "ArtifactNotFound"]);
    expect(message).toMatch(/^spec\.algorithm\.artifact: .*9\.9\.9/);
  });

  test("a digest that the registry does not have", async () => {
    const pinned = artifact.replace(":1.0.0", `@sha256:${"0".repeat(64)}`);
    const { reason, message } = await verdict({ name: "wrong-digest", artifact: pinned });
    expect(reason).toBe("ArtifactNotFound");
    expect(message).toContain("spec.algorithm.artifact");
  });

  test("no credentials for the registry", async () => {
    await kubectl(
      "create",
      "secret",
      "docker-registry",
      "other",
      "--namespace",
      team,
      "--docker-server=elsewhere.example",
      "--docker-username=a",
      "--docker-password=b",
    );
    const text = JSON.parse(policyText({ name: "no-credentials", nodes: ["target"], artifact, config })) as {
      spec: { algorithm: { pullSecrets?: unknown } };
    };
    delete text.spec.algorithm.pullSecrets;
    await apply(JSON.stringify(text));
    const found = await eventually(
      () => conditions(set, team, "no-credentials"),
      (seen) => seen["Ready"]?.reason === "ArtifactDenied",
    );
    expect(found["AlgorithmLoaded"]?.message).toContain("spec.algorithm.pullSecrets");
  });

  test("a blob that is not WebAssembly", async () => {
    const file = join(set.folder, "page.wasm");
    await writeFile(file, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99, 99, 99, 99]));
    const { type, reason, message } = await verdict({
      name: "not-wasm",
      artifact: await set.push(file, "page:1"),
    });
    expect([type, reason]).toEqual(["AlgorithmLoaded", "ArtifactInvalid"]);
    expect(message).toContain("spec.algorithm.artifact");
  });

  test("a config that the algorithm's schema refuses", async () => {
    const { type, reason, message } = await verdict({ name: "bad-config", config: { targetPerInstance: 0 } });
    expect([type, reason]).toEqual(["AlgorithmLoaded", "ConfigInvalid"]);
    expect(message).toMatch(/^spec\.algorithm\.config\.targetPerInstance: config must be > 0\. /);
  });

  test("a source that answers NaN is a fault of the source, never a number", async () => {
    const { type, reason, message } = await verdict({
      name: "nan",
      query: 'label_replace(vector(NaN), "operator", "target", "", "")',
    });
    expect([type, reason]).toEqual(["SourcesHealthy", "SourceInvalid"]);
    expect(message).toContain("spec.sources[rates]");
  });

  test("a source that has no data is told from one that fails", async () => {
    expect(
      await verdict({ name: "silent", query: "sum by (operator) (nothing_has_this_name)" }),
    ).toMatchObject({ type: "SourcesHealthy", reason: "NoData" });
    expect(await verdict({ name: "bad-query", query: "sum by (" })).toMatchObject({
      type: "SourcesHealthy",
      reason: "SourceInvalid",
    });
  });

  test("a source whose service does not exist", async () => {
    const text = policyText({ name: "no-service", nodes: ["target"], artifact, config }).replace(
      '"name":"prometheus","port":9090',
      '"name":"prometheus-2","port":9090',
    );
    await apply(text);
    const found = await eventually(
      () => conditions(set, team, "no-service"),
      (seen) => seen["Ready"]?.status === "False",
    );
    expect(found["SourcesHealthy"]?.message).toContain("prometheus-2");
  });

  test("a source that is not there yet", async () => {
    const text = policyText({ name: "later", nodes: ["target"], artifact, config });
    const policy = JSON.parse(text) as { spec: { sources: object[] } };
    policy.spec.sources = [{ name: "rates", resource: {} }];
    await apply(JSON.stringify(policy));
    const found = await eventually(
      () => conditions(set, team, "later"),
      (seen) => seen["Ready"]?.status === "False",
    );
    expect(found["Accepted"]).toMatchObject({
      status: "False",
      reason: "NotSupported",
      message: expect.stringContaining("spec.sources[0].resource"),
    });
  });

  test("an account that may not scale", async () => {
    await kubectl("create", "serviceaccount", "nobody", "--namespace", team);
    await apply(
      policyText({ name: "nobody", nodes: ["target"], artifact, config }).replace(
        '"serviceAccountName":"scaler"',
        '"serviceAccountName":"nobody"',
      ),
    );
    const found = await eventually(
      () => conditions(set, team, "nobody"),
      (seen) => seen["Ready"]?.status === "False",
    );
    expect(found["Ready"]).toMatchObject({ reason: "Forbidden", message: expect.stringContaining("nobody") });
  });

  test("none of them moved a replica, and none of them delayed the healthy policy", async () => {
    expect(await replicas(set, team)).toEqual({ target: "1/1", well: "3/3" });
    const before = await healthyPasses();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect((await healthyPasses()) - before).toBeGreaterThanOrEqual(4);
  });
});

describe("a registry that is down", () => {
  test("keeps the running digest, also for an operator that is started while it is down", async () => {
    await set.registry.down();
    await running.kill();
    running = await start();
    const loaded = await eventually(
      async () => (await conditions(set, team, "healthy"))["AlgorithmLoaded"],
      (seen) => seen?.reason === "ArtifactUnavailable",
    );
    expect(loaded?.status).toBe("True");
    set.load.set("records_rate", 500, { operator: "well" });
    await eventually(
      () => replicas(set, team),
      (seen) => seen["well"] === "5/5",
    );
  });

  test("is asked again, and the condition goes when it is back", async () => {
    await set.registry.up();
    await kubectl(
      "patch",
      "scalingpolicy",
      "healthy",
      "--namespace",
      team,
      "--type=merge",
      "--patch",
      '{"spec":{"schedule":{"interval":"2s"}}}',
    );
    await eventually(
      async () => (await conditions(set, team, "healthy"))["AlgorithmLoaded"],
      (seen) => seen?.reason === "Loaded",
    );
  });
});
