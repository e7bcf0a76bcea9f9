import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { parsePolicy } from "../host/policy/index.ts";
import { generateCrds } from "../launcher/generate/crd.ts";
import { manifest } from "./manifest.ts";
import { sharedCluster, type Cluster } from "./world/index.ts";
import { AGAINST_RULES, OUT_OF_SHAPE } from "./wrong-policies.ts";

const CRD = "crds/sluice.dev_scalingpolicies.yaml";
let cluster: Cluster;
let namespace: string;

beforeAll(async () => {
  cluster = await sharedCluster();
  await cluster.kubectl(["apply", "--server-side", "--filename", CRD]);
  await cluster.kubectl([
    "wait",
    '--for=jsonpath={.status.conditions[?(@.type=="Established")].status}=True',
    "--timeout=30s",
    "--filename",
    CRD,
  ]);
  namespace = await cluster.namespace();
});

const send = (verb: string[], object: object) =>
  cluster.kubectl([...verb, "--filename", "-"], { input: JSON.stringify(object) });
const inNamespace = (changes = {}) => manifest({ "metadata.namespace": namespace, ...changes });

const explainInterval = () =>
  cluster.kubectl(["explain", "scalingpolicies.spec.schedule.interval"]).catch(() => "");

/** What the user reads after `kubectl create`. */
const answer = (changes: object): Promise<string> =>
  send(["create", "--dry-run=server"], inNamespace(changes)).catch((thrown: Error) => thrown.message);

/** What the user reads of each of the policies; one kubectl for all of them, because starting it takes longest. */
async function answers(policies: readonly object[]): Promise<Map<string, string>> {
  const documents = policies.map((changes, at) =>
    inNamespace({ "metadata.name": `wrong-${at}`, ...changes }),
  );
  const input = documents.map((document) => JSON.stringify(document)).join("\n---\n");
  const create = cluster.kubectl(["create", "--dry-run=server", "--filename", "-"], { input });
  const all = await create.catch((thrown: Error) => thrown.message);
  // Each begins with the policy's name, either way that kubectl words it.
  const each = all.split(/ScalingPolicy(?:\.sluice\.dev)? (?="wrong-)/);
  return new Map(each.map((one) => [/^"([^"]+)" is invalid/.exec(one)?.[1] ?? "", one]));
}

describe("the CustomResourceDefinition", () => {
  test("is in the repository as the schema has it", async () => {
    expect(await readFile(CRD, "utf8")).toBe((await generateCrds()).get(CRD));
  });

  test("is structural: the API server has nothing to say against it", async () => {
    const crd = JSON.parse(await cluster.kubectl(["get", "--filename", CRD, "--output", "json"])) as {
      status: { conditions: { type: string; status: string }[] };
    };
    const { conditions } = crd.status;
    expect(conditions.filter(({ type }) => type === "NonStructuralSchema")).toEqual([]);
    expect(conditions.find(({ type }) => type === "NamesAccepted")?.status).toBe("True");
  });

  test("explains a field with its default", async () => {
    // A new kind is published to clients some seconds after it can be used.
    const says = "Time from the start of a pass to the start of the next. Default 15s.";
    await expect.poll(explainInterval, { timeout: 25_000, interval: 500 }).toContain(says);
  });
});

describe("a policy that the API server takes", () => {
  test("has every default filled in, and no block that this version does not act on", async () => {
    const stored = JSON.parse(await send(["create", "--output", "json"], inNamespace())) as {
      spec: Record<string, unknown>;
    };
    expect(stored.spec).toMatchObject({
      mode: "Enforce",
      schedule: { interval: "15s", startAfter: "0s" },
      guardrails: { bounds: { min: 1, max: 32 } },
      knowledge: { keep: 200 },
      algorithm: { limits: { time: "250ms" } },
      sources: [{ name: "rates", timeout: "5s" }],
    });
    expect(Object.keys(stored.spec).sort()).toEqual([
      "algorithm",
      "guardrails",
      "knowledge",
      "mode",
      "ownership",
      "schedule",
      "sources",
      "target",
    ]);
    expect(stored.spec["guardrails"]).toEqual({
      bounds: { min: 1, max: 32 },
      respectDisruptionBudget: false,
    });
  });

  test("means the same to the parser whether it passed an API server or not", async () => {
    const changes = {
      "metadata.name": "same",
      "spec.guardrails.total": { max: 40 },
      "spec.knowledge.history": { span: "1h", every: "1m" },
    };
    const stored = parsePolicy(JSON.parse(await send(["create", "--output", "json"], inNamespace(changes))));
    const written = parsePolicy(inNamespace(changes));
    if (!stored.ok || !written.ok) throw new Error("refused");
    expect({ ...stored.value, uid: "" }).toEqual({ ...written.value, uid: "" });
    expect(stored.value.uid).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("keeps a config of any shape as it is", async () => {
    const config = { targetPerInstance: 0.5, nested: { list: [1, "two", null, { three: true }] } };
    const changes = { "metadata.name": "free", "spec.algorithm.config": config };
    const stored = await send(["create", "--output", "json"], inNamespace(changes));
    expect((JSON.parse(stored) as { spec: { algorithm: object } }).spec.algorithm).toMatchObject({ config });
  });

  test("may ask for what this version does not act on yet", async () => {
    const target = {
      jobs: { name: "clicks", templateRef: { apiVersion: "batch/v1", kind: "Job", name: "x" } },
    };
    expect(await answer({ "metadata.name": "later", "spec.target": target })).toContain("later created");
  });

  test("is shown by kubectl with mode, readiness and the last change", async () => {
    await send(["create"], inNamespace({ "metadata.name": "shown" }));
    const condition = {
      type: "Ready",
      status: "False",
      reason: "TargetNotFound",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    const status = {
      conditions: [condition],
      lastChange: { id: "7", at: "2026-01-01T00:00:00Z", outcome: "Scaled" },
    };
    const patch = ["patch", "spol/shown", "--namespace", namespace, "--subresource=status", "--type=merge"];
    await cluster.kubectl([...patch, "--patch", JSON.stringify({ status })]);
    const [head = "", row = ""] = (
      await cluster.kubectl(["get", "spol/shown", "--namespace", namespace])
    ).split("\n");
    expect(head.split(/ {2,}/).map((name) => name.trim())).toEqual([
      "NAME",
      "MODE",
      "READY",
      "CHANGE",
      "CHANGED",
      "AGE",
    ]);
    expect(row.split(/ +/).slice(0, 4)).toEqual(["shown", "Enforce", "False", "Scaled"]);
  });
});

describe("a policy that the API server refuses", () => {
  const wrong = [...AGAINST_RULES, ...OUT_OF_SHAPE];
  let said: Map<string, string>;
  beforeAll(async () => {
    said = await answers(wrong.map(([, changes]) => changes));
  });

  test.each(wrong.map((one, at) => [...one, at] as const))(
    "has %s, and the user reads which field and why",
    (_, __, field, says, at) => {
      expect(said.get(`wrong-${at}`)).toContain(`${field}: `);
      expect(said.get(`wrong-${at}`)).toContain(says);
    },
  );

  test("has a field that does not exist, and the user reads its name", async () => {
    expect(await answer({ "spec.scedule": { interval: "5s" } })).toContain('unknown field "spec.scedule"');
  });

  test("turns an existing policy to another kind of target, and the user reads what to do instead", async () => {
    await send(["create"], inNamespace({ "metadata.name": "stays" }));
    const target = { flink: { jobManager: { flinkDeployment: { name: "clicks" } } } };
    const replaced = send(["replace"], inNamespace({ "metadata.name": "stays", "spec.target": target }));
    await expect(replaced).rejects.toThrow("spec.target: Invalid value");
    await expect(replaced).rejects.toThrow(
      "the kind of target cannot be changed: delete this policy and create another",
    );
    await send(["replace"], inNamespace({ "metadata.name": "stays", "spec.guardrails.bounds.max": 64 }));
  });
});
