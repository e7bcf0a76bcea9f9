import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conditions, ROOT, stage, type Stage } from "./bed.ts";
import { known, told } from "./known.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";
import type { Waiting } from "./report.ts";

const TEMPLATE = `apiVersion: batch/v1
kind: CronJob
metadata: { name: work }
spec:
  schedule: "0 0 31 2 *"
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          # Where no such node is, a job waits.
          nodeSelector: { for: work }
          containers: [{ name: main, image: "example.invalid/work:1", resources: { requests: { cpu: 10m, memory: 16Mi } } }]`;
const RIGHTS = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: jobs }
rules:
  - { apiGroups: [batch], resources: [jobs], verbs: [get, list, create, delete] }
  - { apiGroups: [batch], resources: [cronjobs], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: jobs }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: jobs }
subjects: [{ kind: ServiceAccount, name: scaler }]`;

let set: Stage;
let team: string;
let running: OperatorProcess;

const apply = (text: string) =>
  set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input: text });
const jobs = async () => {
  const text = await set.cluster.kubectl(["get", "jobs", "--namespace", team, "--output", "json"]);
  const { items } = JSON.parse(text) as { items: readonly { status: { succeeded?: number } }[] };
  return { made: items.length, done: items.filter(({ status }) => status.succeeded === 1).length };
};
const work = (value: number) => set.load.set("records_rate", value, { operator: "work" });

beforeAll(async () => {
  set = await stage();
  team = await set.tenant([]);
  const artifact = await set.push(join(ROOT, "build/algorithms/threshold.wasm"), "threshold:1.0.0");
  await apply(TEMPLATE);
  await apply(RIGHTS);
  work(320);
  running = await operator({
    kubeconfig: set.kubeconfig,
    state: join(set.folder, "state"),
    flags: set.flags([team]),
  });
  const config = { targetPerInstance: 100, tolerance: 0 };
  const policy = JSON.parse(policyText({ name: "batch", nodes: [], artifact, config })) as { spec: object };
  const target = {
    jobs: { name: "work", templateRef: { apiVersion: "batch/v1", kind: "CronJob", name: "work" }, max: 6 },
  };
  await apply(JSON.stringify({ ...policy, spec: { ...policy.spec, target } }));
}, 300_000);
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await set?.[Symbol.asyncDispose]();
});

test("work of 320 at 100 a job makes four jobs, and not more while they wait", async () => {
  await eventually(jobs, ({ made }) => made === 4, 90_000);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(await jobs()).toEqual({ made: 4, done: 0 });
  expect((await conditions(set, team, "batch"))["Ready"]).toMatchObject({ status: "True" });
}, 120_000);

test("more work than may run makes as many as may run", async () => {
  work(5_000);
  await eventually(jobs, ({ made }) => made === 6, 60_000);
}, 120_000);

test("jobs that finish are followed by others only as long as there is work", async () => {
  work(0);
  await eventually(
    async () => (await conditions(set, team, "batch"))["ScalingLimited"],
    (seen) => seen?.status === "False",
    60_000,
  );
  await set.cluster.applyNode(`node-of-${team}`, { labels: { for: "work" } });
  await eventually(jobs, ({ done }) => done === 6, 90_000);
  expect(await jobs()).toEqual({ made: 6, done: 6 });
  work(150);
  await eventually(jobs, ({ made }) => made >= 8, 60_000);
}, 180_000);

test("a queue of 550, of which a job takes 100, is worked off by six jobs at least, and then nothing is made", async () => {
  work(0);
  const before = await eventually(jobs, ({ made, done }) => made === done, 120_000);
  const [fromMs, waiting] = [Date.now(), [] as Waiting[]];
  work(550);
  const queue = async () => {
    const records = Math.max(0, 550 - 100 * ((await jobs()).done - before.done));
    work(records);
    waiting.push({ atMs: Date.now(), records });
    return records;
  };
  await eventually(queue, (left) => left === 0, 120_000);
  const after = await eventually(jobs, ({ made, done }) => made === done, 60_000);
  const untilMs = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect((await jobs()).made).toBe(after.made);
  const made = after.made - before.made;
  expect(made).toBeGreaterThanOrEqual(6);

  await using knows = await known(join(set.folder, "state"));
  const steps = [{ name: "0 → 550 waiting", fromMs, untilMs, needed: { work: 6 }, caughtUpAt: 0 }];
  // What is over is jobs that had nothing to do: the queue's length is as old as a scrape.
  const own = { overPercent: (100 * (made - 6)) / 6, underPercent: Number.NaN };
  const [taken] = await told("Jobs", { passes: await knows.passes(team, "batch"), steps, waiting }, own);
  expect(taken?.astray).toEqual([]);
  expect(taken?.caughtUpSeconds).toBeDefined();
}, 400_000);
