import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conditions, replicas, ROOT, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const COOLDOWN_MS = 8_000;
const INTERVAL_MS = 1_000;

let set: Stage;
let team: string;
let running: OperatorProcess;

const rate = (value: number) => set.load.set("records_rate", value, { operator: "split" });
const asked = async () => Number((await replicas(set, team))["split"]?.split("/")[1]);
const becomes = (count: number) => eventually(asked, (seen) => seen === count, 60_000);

beforeAll(async () => {
  set = await stage();
  team = await set.tenant(["split"]);
  const artifact = await set.push(join(ROOT, "build/algorithms/threshold.wasm"), "threshold:1.0.0");
  rate(150);
  running = await operator({
    kubeconfig: set.kubeconfig,
    state: join(set.folder, "state"),
    flags: set.flags([team]),
  });
  const text = policyText({
    name: "clicks",
    nodes: ["split"],
    artifact,
    config: { targetPerInstance: 100, tolerance: 0 },
    guardrails: {
      bounds: { min: 1, max: 9 },
      // The way down is held up by it, the way back up must not be.
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 300 },
        scaleDown: { stabilizationWindowSeconds: 0 },
      },
      zero: {
        allowed: true,
        cooldown: `${COOLDOWN_MS / 1_000}s`,
        signals: [{ source: "rates", above: 0 }],
      },
    },
  });
  await set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input: text });
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
});

test("an application that is not used is put to rest after the cooldown, and not before", async () => {
  await eventually(
    async () => (await conditions(set, team, "clicks"))["Ready"],
    (seen) => seen?.status === "True",
    60_000,
  );
  expect(await asked()).toBeGreaterThan(0);
  rate(0);
  const quiet = performance.now();
  await becomes(0);
  const took = performance.now() - quiet;
  // The first pass that saw no load began the cooldown, at most a scrape and an interval after it.
  expect(took).toBeGreaterThanOrEqual(COOLDOWN_MS - INTERVAL_MS);
}, 120_000);

test("what is not known wakes nobody, and puts nobody to rest", async () => {
  rate(Number.NaN);
  await eventually(
    async () => (await conditions(set, team, "clicks"))["SourcesHealthy"],
    (seen) => seen?.status === "False",
    60_000,
  );
  expect(await asked()).toBe(0);
}, 120_000);

test("the first sign of use wakes it at once, whatever the window for scaling up", async () => {
  rate(0);
  await eventually(
    async () => (await conditions(set, team, "clicks"))["SourcesHealthy"],
    (seen) => seen?.status === "True",
    60_000,
  );
  const began = performance.now();
  rate(420);
  await becomes(1);
  const tookMs = performance.now() - began;
  // Prometheus scrapes once a second here: what the operator can know is as old as that. Others may have the processor as well.
  process.stdout.write(`woken ${(tookMs / 1_000).toFixed(1)} s after the first record\n`);
  expect(tookMs).toBeLessThan(10_000);
}, 120_000);

test("without data nothing that runs is put to rest", async () => {
  rate(Number.NaN);
  await eventually(
    async () => (await conditions(set, team, "clicks"))["SourcesHealthy"],
    (seen) => seen?.status === "False",
    60_000,
  );
  await new Promise((resolve) => setTimeout(resolve, COOLDOWN_MS + 3 * INTERVAL_MS));
  expect(await asked()).toBe(1);
}, 120_000);
