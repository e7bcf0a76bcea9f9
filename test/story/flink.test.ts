import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fleetOf, realFlink, type Fleet } from "../flink-world.ts";
import { bed, type Bed } from "../kube/bed.ts";
import type { Flink } from "../world/flink.ts";
import { conditions, push, ROOT, stage, type Stage } from "./bed.ts";
import { watch, type Watch } from "./flink-watch.ts";
import { known, told } from "./known.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import type { LoadStep } from "./report.ts";

const THRESHOLD = join(ROOT, "build/algorithms/threshold.wasm");
const page = await readFile(join(ROOT, "docs/how-to/scale-a-flink-job.md"), "utf8");
const [role = "", policy = ""] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block);
const world = await realFlink();

describe.skipIf(world === undefined)("a Flink job, by the policy of the manual", { timeout: 240_000 }, () => {
  let set: Stage;
  let ground: Bed;
  let flink: Flink;
  let fleet: Fleet;
  let job: string;
  let team: string;
  let running: OperatorProcess;
  let seen: Watch;
  const steps: LoadStep[] = [];
  beforeAll(async () => {
    set = await stage();
    ground = await bed(set.cluster.kubeconfig);
    team = await set.tenant([]);
    // What its JobManager says of a job is three seconds old by default: too old to see how long a restart takes.
    const config = { "web.refresh-interval": "200 ms" };
    ({ flink, fleet } = await fleetOf(ground, team, 1, { config }));
    const service = { selector: { app: "jobmanager" }, ports: [{ port: 8081 }] };
    await ground.admin("POST", `/api/v1/namespaces/${team}/services`, {
      ...{ metadata: { name: "jobmanager" }, spec: service },
    });
    const artifact = await push(
      THRESHOLD,
      `oci://${set.registry.host}/algorithms/threshold:1.0.0`,
      set.registry,
    );
    const at = `${team}/jobmanager:8081=${flink.url.origin}`;
    const flags = [...set.flags([team]), "--service-address", at];
    running = await operator({ kubeconfig: set.kubeconfig, state: join(set.folder, "state"), flags });
    job = await flink.start({ name: "clicks", perSecond: 50 });
    seen = watch(flink, job);
    const own = policy.replace(/oci:\S+/, artifact);
    for (const input of [role, own])
      await set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input });
  }, 300_000);
  afterAll(async () => {
    await seen?.[Symbol.asyncDispose]();
    await running?.[Symbol.asyncDispose]();
    await fleet?.[Symbol.asyncDispose]();
    await flink?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
    await set?.[Symbol.asyncDispose]();
  });
  const reach = (work: number, pods: number, waits: number) =>
    eventually(
      async () => ({
        work: await fleet.parallelism(job, "work"),
        pods: await fleet.replicas(),
        waits: seen.waiting.at(-1)?.records ?? Number.NaN,
      }),
      (now) => now.work === work && now.pods === pods && now.waits <= waits,
      240_000,
    );
  const turn = async (name: string, perSecond: number, work: number, pods: number) => {
    const fromMs = await flink.load("clicks", perSecond);
    await reach(work, pods, perSecond);
    // What would swing swings when the figures of the restart are over.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await reach(work, pods, perSecond);
    steps.push({ name, fromMs, untilMs: Date.now(), needed: { work }, caughtUpAt: perSecond });
  };
  const passes = async () => {
    await using knows = await known(join(set.folder, "state"));
    return knows.passes(team, "clicks");
  };

  test("is ready, and has one instance of each vertex where 50 records a second cost it 250 ms", async () => {
    const ready = async () => (await conditions(set, team, "clicks"))["Ready"];
    await eventually(ready, (now) => now?.reason === "Ready");
    expect(await fleet.parallelism(job, "work")).toBe(1);
  });

  test("load rises to 350 a second: 1750 ms at 500 ms an instance are 3.5, so 4, and two TaskManagers of two slots; what waited is worked off", async () => {
    await turn("50 → 350 records/s", 350, 4, 2);
  }, 600_000);

  test("load falls to 50: one instance, and one TaskManager", async () => {
    await turn("350 → 50 records/s", 50, 1, 1);
    expect((await conditions(set, team, "clicks"))["Ready"]?.status).toBe("True");
  }, 600_000);

  test("when nothing comes any more, all that was offered has been worked on, and nothing is between two vertices", async () => {
    await flink.load("clicks", 0);
    await eventually(seen.isEmpty, (isEmpty) => isEmpty, 120_000);
  }, 150_000);

  test("no decision led astray, none was more than steps are between, and each was one restart", async () => {
    const { waiting, down } = seen;
    const [up, back] = await told("Flink", { passes: await passes(), steps, waiting, down });
    // One instance is busy for a second in a second at most, which is two at 500 ms: the first step up is no longer.
    expect(up).toMatchObject({ astray: [] });
    expect(up?.decisions).toBeGreaterThanOrEqual(2);
    expect(up?.decisions).toBeLessThanOrEqual(3);
    expect(back).toMatchObject({ astray: [] });
    expect(back?.decisions).toBeGreaterThanOrEqual(1);
    expect(back?.decisions).toBeLessThanOrEqual(3);
    expect(await fleet.restarts(job)).toBe((up?.decisions ?? 0) + (back?.decisions ?? 0));
    for (const one of [up, back]) {
      expect(one?.settledSeconds).toBeDefined();
      expect(one?.caughtUpSeconds).toBeDefined();
    }
  }, 60_000);
});
