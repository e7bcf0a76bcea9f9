import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conditions, replicas, ROOT, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

let set: Stage;
let team: string;
let running: OperatorProcess;
let artifact: string;

beforeAll(async () => {
  set = await stage();
  team = await set.tenant(["split"]);
  artifact = await set.push(join(ROOT, "build/algorithms/threshold.wasm"), "threshold:1.0.0");
  set.load.set("records_rate", 420, { operator: "split" });
  running = await operator({
    kubeconfig: set.kubeconfig,
    state: join(set.folder, "state"),
    flags: set.flags([team]),
  });
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
});

const policy = (from: string, guardrails: object = {}) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], {
    input: policyText({
      ...{ name: "clicks", nodes: ["split"], artifact: from, guardrails },
      config: { targetPerInstance: 100 },
    }),
  });
const annotate = (text: string) =>
  set.cluster.kubectl([
    ...["annotate", "scalingpolicy", "clicks", "--namespace", team, "--overwrite"],
    text === "" ? "sluice.dev/paused-" : `sluice.dev/paused=${text}`,
  ]);
const condition = (type: string, reason: string) =>
  eventually(
    async () => (await conditions(set, team, "clicks"))[type],
    (seen) => seen?.reason === reason,
  );
const runs = (number: string) =>
  eventually(
    () => replicas(set, team),
    (seen) => seen["split"] === `${number}/${number}`,
  );

describe("a policy", () => {
  test("is paused by an annotation, and goes on as soon as it is taken away", async () => {
    await policy(artifact);
    await runs("5");
    await annotate("true");
    await condition("Paused", "Paused");
    set.load.set("records_rate", 810, { operator: "split" });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await replicas(set, team)).toEqual({ split: "5/5" });
    await annotate("");
    await runs("9");
  });

  test("is not acted on while an annotation of it cannot be understood, and says which", async () => {
    await annotate("perhaps");
    const seen = await condition("Accepted", "PolicyInvalid");
    expect(seen?.message).toContain("metadata.annotations[sluice.dev/paused]");
    await annotate("false");
    await condition("Accepted", "Accepted");
  });

  test("leaves its target to a HorizontalPodAutoscaler, says which, and goes on when that is gone", async () => {
    const inTeam = ["--namespace", team];
    await set.cluster.kubectl([
      "autoscale",
      "deployment",
      "split",
      "--min=1",
      "--max=20",
      "--name",
      "rival",
      ...inTeam,
    ]);
    const seen = await condition("ScalingActive", "TargetOwned");
    expect(seen?.message).toContain("Another autoscaler scales the Deployment split");
    set.load.set("records_rate", 610, { operator: "split" });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await replicas(set, team)).toEqual({ split: "9/9" });
    await set.cluster.kubectl(["delete", "hpa", "rival", ...inTeam]);
    await runs("7");
    set.load.set("records_rate", 810, { operator: "split" });
    await runs("9");
  });

  test("falls back when its algorithm cannot be had for longer than it says: Static, to 3", async () => {
    const fallback = { after: "2s", behavior: "Static", parallelism: 3 };
    await policy(artifact.replace("threshold", "nowhere"), { fallback });
    await condition("AlgorithmLoaded", "ArtifactNotFound");
    await runs("3");
    await policy(artifact, { fallback });
    await runs("9");
  });
});
