import { readFile } from "node:fs/promises";
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
  // At 100 a replica that is 5.
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

const kubectl = (...words: string[]) => set.cluster.kubectl([...words, "--namespace", team]);
const policy = (name: string, ownership: object = {}) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], {
    input: policyText({ name, nodes: ["split"], artifact, ownership, config: { targetPerInstance: 100 } }),
  });
const annotate = (text: string) => kubectl("annotate", "scalingpolicy", "clicks", "--overwrite", text);
const condition = (name: string, type: string, fits: (reason: string | undefined) => boolean) =>
  eventually(
    async () => (await conditions(set, team, name))[type],
    (seen) => fits(seen?.reason),
  );
const runs = (number: string) =>
  eventually(
    () => replicas(set, team),
    (seen) => seen["split"] === `${number}/${number}`,
  );
const stays = async (number: string) => {
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await replicas(set, team)).toEqual({ split: `${number}/${number}` });
};
const notes = async (reason: string) => {
  const text = await kubectl("get", "events.events.k8s.io", "--output", "json");
  const { items } = JSON.parse(text) as { items: readonly { reason: string; note: string }[] };
  return items.filter((one) => one.reason === reason).map(({ note }) => note);
};
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

/** How often the target itself was read with the rights of the policy's account. */
async function reads(): Promise<number> {
  const lines = (await readFile(set.cluster.auditLog ?? "", "utf8")).trim().split("\n");
  const isRead = (line: string) =>
    /"verb":"get"/.test(line) && /"resource":"deployments"/.test(line) && line.includes(`:${team}:scaler`);
  return lines.filter(isRead).length;
}

describe("a policy whose target somebody else scales", () => {
  test("reads nothing as its account while nothing changes", async () => {
    await policy("clicks");
    await runs("5");
    await stays("5");
    const before = await reads();
    expect(before).toBeGreaterThan(0);
    await stays("5");
    expect(await reads()).toBe(before);
  });

  test("goes on from their number, and an event says by which tool it was set", async () => {
    await kubectl("scale", "deployment", "split", "--replicas=8");
    const [note] = await eventually(
      () => notes("TargetDrifted"),
      (seen) => seen.length > 0,
    );
    expect(note).toBe(
      "split was scaled from 5 to 8 by somebody else (kubectl), and is decided on from there",
    );
    await runs("5");
  });

  test("leaves it to them where it yields, says so, and takes it back when it is told to", async () => {
    await policy("clicks", { onDrift: "Yield" });
    await kubectl("scale", "deployment", "split", "--replicas=8");
    const seen = await condition("clicks", "Drifted", (reason) => reason === "TargetDrifted");
    expect(seen?.message).toContain("by somebody else (kubectl), and is left to them");
    await stays("8");
    await annotate("sluice.dev/take-back=true");
    await runs("5");
    await condition("clicks", "Drifted", (reason) => reason === undefined);
    await annotate("sluice.dev/take-back=false");
  });

  test("has the number that is asked by hand until its time is over", async () => {
    await annotate(`sluice.dev/override={"nodes":{"split":7},"until":"${inSeconds(8)}"}`);
    await runs("7");
    const seen = await condition("clicks", "ScalingLimited", (reason) => reason === "Override");
    expect(seen?.message).toBe("split: Override");
    await runs("5");
  });

  test("does not grow while that is paused, and is not acted on while an annotation cannot be understood", async () => {
    await annotate("sluice.dev/pause-scale-up=true");
    set.load.set("records_rate", 610, { operator: "split" });
    await condition("clicks", "ScalingLimited", (reason) => reason === "DirectionPaused");
    await stays("5");
    await annotate("sluice.dev/override=seven");
    const seen = await condition("clicks", "Accepted", (reason) => reason === "PolicyInvalid");
    expect(seen?.message).toContain("metadata.annotations[sluice.dev/override]");
    await annotate("sluice.dev/override-");
    await annotate("sluice.dev/pause-scale-up-");
    await runs("7");
    set.load.set("records_rate", 420, { operator: "split" });
    await runs("5");
  });

  test("leaves it to an older policy, and has it as soon as that is deleted", async () => {
    await policy("clicks");
    await policy("younger", { onDelete: "Restore" });
    const seen = await condition("younger", "ScalingActive", (reason) => reason === "TargetOwned");
    expect(seen?.message).toContain("The ScalingPolicy clicks scales the Deployment split");
    await kubectl("scale", "deployment", "split", "--replicas=2");
    await runs("5");
    await kubectl("delete", "scalingpolicy", "clicks");
    await condition("younger", "ScalingActive", (reason) => reason === "Deciding");
    await runs("5");
  });
});

describe("a policy that restores what ran before it", () => {
  test("brings it back when it is deleted, with the rights of its account, and is gone then", async () => {
    await condition("younger", "ScalingActive", (reason) => reason === "Deciding");
    set.load.set("records_rate", 610, { operator: "split" });
    await runs("7");
    await kubectl("delete", "scalingpolicy", "younger", "--timeout=30s");
    await runs("5");
    expect(await notes("Restored")).toEqual(["split: 7 → 5"]);
  });

  test("is let go where its target is gone", async () => {
    await policy("last", { onDelete: "Restore" });
    await runs("7");
    await kubectl("delete", "deployment", "split");
    await kubectl("delete", "scalingpolicy", "last", "--timeout=30s");
    expect(await kubectl("get", "scalingpolicies", "--output", "name")).toBe("");
  });
});
