import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAlive, processes, until } from "../engine/bed.ts";
import { doing } from "../hostile/wat.ts";
import { conditions, replicas, ROOT, scaleWriters, stage, type Stage } from "./bed.ts";
import { policyKey } from "../../host/policy/index.ts";
import { openStore } from "../../host/store/index.ts";
import { known, told } from "./known.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";
import type { LoadStep } from "./report.ts";
import { holdScale } from "./webhook.ts";

const THRESHOLD = join(ROOT, "build/algorithms/threshold.wasm");
const CHAIN = ["split", "count", "sink"];

let set: Stage;
let team: string;
let other: string;
let running: OperatorProcess;
let artifact: string;

const steps: LoadStep[] = [];
const passesDone = async () => {
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  return [...metrics.matchAll(/^sluice_passes_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, one]) => sum + Number(one),
    0,
  );
};
/** Turns the load, waits for what it needs by hand, and lets three more passes see that it stays so. */
async function step(name: string, load: Record<string, number>, needed: Record<string, number>) {
  const fromMs = Date.now();
  turn(load);
  await reach(Object.fromEntries(Object.entries(needed).map(([node, count]) => [node, `${count}/${count}`])));
  const done = await passesDone();
  await eventually(passesDone, (seen) => seen >= done + 3);
  steps.push({ name, fromMs, untilMs: Date.now(), needed, caughtUpAt: 0 });
}
const turn = (load: Record<string, number>) => {
  for (const [name, rate] of Object.entries(load)) set.load.set("records_rate", rate, { operator: name });
};
const apply = (namespace: string, text: string) =>
  set.cluster.kubectl(["apply", "--namespace", namespace, "--filename", "-"], { input: text });
const reach = (wanted: Record<string, string>, namespace = team) =>
  eventually(
    () => replicas(set, namespace),
    (seen) => Object.entries(wanted).every(([name, count]) => seen[name] === count),
  );
const condition = (namespace: string, name: string, type: string, reason: string) =>
  eventually(
    async () => (await conditions(set, namespace, name))[type],
    (seen) => seen?.reason === reason,
  );
const start = () =>
  operator({ kubeconfig: set.kubeconfig, state: join(set.folder, "state"), flags: set.flags([team, other]) });

beforeAll(async () => {
  set = await stage();
  [team, other] = await Promise.all([set.tenant(CHAIN), set.tenant(["victim"])]);
  artifact = await set.push(THRESHOLD, "threshold:1.0.0");
  turn({ split: 80, count: 90, sink: 50, victim: 500 });
  running = await start();
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
});

describe("a team's application, from a policy to scaled Deployments", () => {
  test("a policy whose algorithm is in a registry becomes ready, with the tag resolved to a digest", async () => {
    const config = { targetPerInstance: 100, tolerance: 0 };
    await apply(
      team,
      policyText({
        name: "clicks",
        nodes: CHAIN,
        artifact,
        config,
        guardrails: { bounds: { min: 1, max: 16 }, total: { max: 22 } },
      }),
    );
    await condition(team, "clicks", "Ready", "Ready");
    const text = await set.cluster.kubectl([
      "get",
      "scalingpolicy",
      "clicks",
      "--namespace",
      team,
      "--output",
      "jsonpath={.status.algorithms[0].digest}",
    ]);
    expect(text).toMatch(/^sha256:[0-9a-f]{64}$/);
    await reach({ split: "1/1", count: "1/1", sink: "1/1" });
  });

  test("load rises: 420, 1230 and 190 records a second at 100 an instance make 5, 13 and 2", async () => {
    const load = { split: 420, count: 1_230, sink: 190 };
    await step("3 nodes: 80, 90, 50 → 420, 1230, 190 records/s", load, { split: 5, count: 13, sink: 2 });
  });

  test("load rises further: 16 at most a node, 22 for all; 5 and 2 are kept, and count gets what is left, 15", async () => {
    turn({ count: 2_500 });
    await reach({ split: "5/5", count: "15/15", sink: "2/2" });
    expect((await condition(team, "clicks", "ScalingLimited", "OutOfBounds"))?.message).toBe(
      "count: OutOfBounds, TotalExceeded",
    );
  });

  test("load falls: 80, 90 and 50 records a second need one instance each", async () => {
    const load = { split: 80, count: 90, sink: 50 };
    await step("420, 2500, 190 → 80, 90, 50 records/s", load, { split: 1, count: 1, sink: 1 });
  });

  test("each of the steps took one decision for all three, and nothing that served was taken away before", async () => {
    await using knows = await known(join(set.folder, "state"));
    const taken = await told("Deployments", { passes: await knows.passes(team, "clicks"), steps });
    expect(taken).toMatchObject([
      { decisions: 1, astray: [], downSeconds: 0 },
      { decisions: 1, astray: [], downSeconds: 0 },
    ]);
    expect(taken.map(({ settledSeconds }) => settledSeconds)).not.toContain(undefined);
  });

  test("every scaling was done with the rights of the policy's own account", async () => {
    expect(await scaleWriters(set, team)).toEqual([`system:serviceaccount:${team}:scaler`]);
  });

  test("users see it: printer columns, events, and metrics on the console", async () => {
    const table = await set.cluster.kubectl(["get", "scalingpolicies", "--namespace", team]);
    expect(table).toMatch(/clicks\s+.*Enforce.*True/);
    const events = await set.cluster.kubectl([
      "get",
      "events.events.k8s.io",
      "--namespace",
      team,
      "--output",
      'jsonpath={range .items[*]}{.reason} {.note}{"\\n"}{end}',
    ]);
    expect(events).toContain("Rescaled split: 1 → 5");
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    expect(metrics).toMatch(/sluice_passes_total\{outcome="Scaled"\} [1-9]/);
    expect(metrics).toContain(
      `sluice_node_parallelism{namespace="${team}",policy="clicks",node="count",kind="granted"} 1`,
    );
  });

  test("a pass that changes nothing writes nothing: the policy keeps its version", async () => {
    const version = () =>
      set.cluster.kubectl([
        "get",
        "scalingpolicy",
        "clicks",
        "--namespace",
        team,
        "--output",
        "jsonpath={.metadata.resourceVersion}",
      ]);
    const passes = async () =>
      Number(
        /sluice_passes_total\{outcome="Unchanged"\} (\d+)/.exec(
          await (await fetch(`${running.url}/metrics`)).text(),
        )?.[1],
      );
    await condition(team, "clicks", "ScalingLimited", "WithinGuardrails");
    const [before, counted] = [await version(), await passes()];
    await eventually(passes, (seen) => seen >= counted + 5);
    expect(await version()).toBe(before);
  });
});

describe("a hostile policy beside it", () => {
  test("is refused with its code and leaves its replicas as they are, while the team's policy goes on", async () => {
    const file = join(set.folder, "loop.wasm");
    await writeFile(file, doing("(loop $l (br $l))"));
    const hostile = await set.push(file, "loop:1");
    await apply(other, policyText({ name: "loop", nodes: ["victim"], artifact: hostile }));
    expect((await condition(other, "loop", "Ready", "FuelExhausted"))?.message).toContain(
      "plan burned more than its 50000000 units of fuel",
    );
    expect(await replicas(set, other)).toEqual({ victim: "1/1" });
    turn({ split: 250 });
    await reach({ split: "3/3" });
  });
});

describe("an operator that is killed", () => {
  test("in the middle of a pass leaves no process behind, and its successor goes on where it stood", async () => {
    const apiServer = set.cluster.pids["kube-apiserver"] ?? 0;
    const before = processes(running.pid).map((one) => one.pid);
    expect(before.length).toBeGreaterThanOrEqual(2);
    // The pass that begins now waits for an answer when its operator dies.
    process.kill(apiServer, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await running.kill();
    process.kill(apiServer, "SIGCONT");
    expect(await until(() => !before.some(isAlive))).toBe(true);

    turn({ split: 620, count: 310 });
    running = await start();
    await reach({ split: "7/7", count: "4/4", sink: "1/1" });
    await condition(team, "clicks", "Ready", "Ready");
  });

  test("between two writes of one decision leaves it stored and unfinished, and its successor finishes what is due", async () => {
    const hold = await holdScale(set, team, "sink");
    turn({ split: 820, count: 560, sink: 320 });
    // All grow, upstream first: split and count are written, and sink waits in the API server.
    await eventually(
      async (): Promise<Record<string, string>> => ({
        ...(await replicas(set, team)),
        waiting: `${hold.waiting()}`,
      }),
      (seen) => seen["split"] === "9/9" && seen["count"] === "6/6" && seen["waiting"] !== "0",
    );
    await running.kill();
    await hold.release();
    expect(await replicas(set, team)).toMatchObject({ split: "9/9", count: "6/6", sink: "1/1" });

    running = await start();
    await reach({ split: "9/9", count: "6/6", sink: "4/4" });
  }, 90_000);

  test("ends within seconds when it is asked to, with nothing left behind but what it knows", async () => {
    const before = processes(running.pid).map((one) => one.pid);
    expect(await running.stop()).toBe(0);
    expect(await until(() => !before.some(isAlive))).toBe(true);

    const store = await openStore({
      file: join(set.folder, "state/knowledge.db"),
      clock: { now: () => new Date() },
    });
    const known = await store.entries(policyKey(team, "clicks"), 200);
    await store.close();
    // Three nodes of one decision: the operator that made it wrote two, and the next one the third.
    const resumed = known.find((one) => one.resumed === true);
    expect(resumed).toMatchObject({ outcome: "Scaled" });
    expect(resumed?.changes.map(({ node }) => node)).toEqual(["split", "count", "sink"]);
    expect(known.map((one) => one.number)).toEqual(known.map((_, at) => (known[0]?.number ?? 0) - at));
  });
});
