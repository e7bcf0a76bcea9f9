import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { told } from "../flink-bed.ts";
import { fleetOf, realFlink, type Fleet } from "../flink-world.ts";
import { bed, type Bed } from "../kube/bed.ts";
import type { Flink } from "../world/flink.ts";
import { conditions, push, ROOT, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";

const THRESHOLD = join(ROOT, "build/algorithms/threshold.wasm");
const page = await readFile(join(ROOT, "docs/how-to/scale-a-flink-job.md"), "utf8");
const [role = "", policy = ""] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block);
const world = await realFlink();

describe.skipIf(world === undefined)("a Flink job, by the policy of the manual", { timeout: 180_000 }, () => {
  let set: Stage;
  let ground: Bed;
  let flink: Flink;
  let fleet: Fleet;
  let job: string;
  let team: string;
  let running: OperatorProcess;
  beforeAll(async () => {
    set = await stage();
    ground = await bed(set.cluster.kubeconfig);
    team = await set.tenant([]);
    ({ flink, fleet } = await fleetOf(ground, team, 1));
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
    const own = policy.replace(/oci:\S+/, artifact);
    for (const input of [role, own])
      await set.cluster.kubectl(["apply", "--namespace", team, "--filename", "-"], { input });
  }, 300_000);
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
    await fleet?.[Symbol.asyncDispose]();
    await flink?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
    await set?.[Symbol.asyncDispose]();
  });
  const reach = async (work: number, pods: number) => {
    const beganMs = performance.now();
    await eventually(
      async () => [await fleet.parallelism(job, "work"), await fleet.replicas()],
      ([now, replicas]) => now === work && replicas === pods,
      120_000,
    );
    // That a change is one restart is held in flink-fleet.test.ts; how many changes a step of the load takes is measured.
    const ms = Math.round(performance.now() - beganMs);
    const restarts = await fleet.restarts(job);
    told(
      `work runs with ${work} on ${pods} TaskManagers ${ms} ms after the load, restarted ${restarts} times so far`,
    );
  };

  test("is ready, and has one instance of each vertex where 50 records a second cost it 250 ms", async () => {
    const ready = async () => (await conditions(set, team, "clicks"))["Ready"];
    await eventually(ready, (seen) => seen?.reason === "Ready");
    expect(await fleet.parallelism(job, "work")).toBe(1);
  });

  test("load rises to 350 a second: 1750 ms at 500 ms an instance are 3.5, so 4, and two TaskManagers of two slots", async () => {
    await flink.load("clicks", 350);
    await reach(4, 2);
  });

  test("load falls to 50: one instance, and one TaskManager", async () => {
    await flink.load("clicks", 50);
    await reach(1, 1);
    expect((await conditions(set, team, "clicks"))["Ready"]?.status).toBe("True");
  });
});
