import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import type { Topology } from "../host/topology/index.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, noCluster, nodeOf } from "./flink-bed.ts";
import { JOB_ID, jobReply, SOURCE_ID, standIn, WORK_ID, type Reply, type StandIn } from "./flink-stand-in.ts";

const JOB = `GET /jobs/${JOB_ID}`;
const REQUIREMENTS = `GET /jobs/${JOB_ID}/resource-requirements`;
const clicks = flinkPolicy();

let jobs: StandIn;
let reached: ReturnType<typeof flinkDriverAt>;
beforeEach(async () => {
  jobs = await standIn();
  reached = flinkDriverAt(() => jobs.url, noCluster, 300);
});
afterEach(async () => {
  await reached.close();
  await jobs[Symbol.asyncDispose]();
});
const discover = (): Promise<Topology> => reached.driver.discover(clicks);
const scaleWork = async (to: number, permit: () => Fault | undefined = anybody) =>
  reached.driver.scale(clicks, [change(await discover(), "work", to)], permit);

describe("a JobManager that lies", () => {
  const vertices = jobReply().vertices;
  const [source, work] = vertices;
  const lies: [string, string, Reply][] = [
    ["is not JSON", JOB, { text: "<html>" }],
    ["is a list", JOB, { body: [] }],
    ["is another job", JOB, { body: jobReply({ jid: "0".repeat(32) }) }],
    ["has no state", JOB, { body: jobReply({ state: 7 }) }],
    ["has a vertex of minus one", JOB, { body: jobReply({ vertices: [{ ...work, parallelism: -1 }] }) }],
    ["has a vertex of 1e9", JOB, { body: jobReply({ vertices: [{ ...work, parallelism: 1e9 }] }) }],
    ["has a vertex of a text", JOB, { body: jobReply({ vertices: [{ ...work, parallelism: "2" }] }) }],
    ["has an id that leads elsewhere", JOB, { body: jobReply({ vertices: [{ ...work, id: "../../x" }] }) }],
    ["has one vertex twice", JOB, { body: jobReply({ vertices: [source, source] }) }],
    ["has 101 vertices", JOB, { body: jobReply({ vertices: Array.from({ length: 101 }, () => work) }) }],
    ["is larger than 4 MiB", JOB, { text: `"${"x".repeat(4 * 1_024 * 1_024)}"` }],
    ["leaves a vertex out", REQUIREMENTS, { body: {} }],
    [
      "asks for less than its own lower bound",
      REQUIREMENTS,
      { body: { [SOURCE_ID]: { parallelism: { lowerBound: 2, upperBound: 1 } } } },
    ],
    ["is a redirect", JOB, { status: 307, text: "" }],
    ["is an error of its own", JOB, { status: 500, body: { errors: ["Internal server error."] } }],
  ];
  test.each(lies)("whose answer %s is not believed, and nothing is put", async (_what, path, reply) => {
    const before = await discover();
    jobs.replies.set(path, reply);
    await expect(discover()).rejects.toMatchObject({ code: "TargetUnavailable", retry: true });
    const outcome = await reached.driver.scale(clicks, [change(before, "work", 4)], anybody);
    expect(outcome).toMatchObject([{ node: "work", outcome: "Failed", code: "TargetUnavailable" }]);
    expect(jobs.puts).toEqual([]);
  });

  test("has more free slots than slots, and no topology is made of it", async () => {
    jobs.replies.set("GET /overview", { body: { "slots-total": 1, "slots-available": 2 } });
    await expect(discover()).rejects.toMatchObject({ code: "TargetUnavailable" });
  });

  test("and says that it took what it did not is seen by what runs", async () => {
    expect(await scaleWork(4)).toEqual([{ node: "work", outcome: "Scaled" }]);
    jobs.replies.set(REQUIREMENTS, {
      body: {
        [SOURCE_ID]: { parallelism: { lowerBound: 1, upperBound: 1 } },
        [WORK_ID]: { parallelism: { lowerBound: 2, upperBound: 4 } },
      },
    });
    expect(nodeOf(await discover(), "work")).toMatchObject({ parallelism: 4, ready: 2, settled: false });
  });
});

test("a JobManager that takes a request and does not answer costs five seconds, and the job stays as it is", async () => {
  jobs.replies.set(JOB, { silent: true });
  const beganMs = performance.now();
  await expect(discover()).rejects.toMatchObject({
    code: "TargetUnavailable",
    message: "The JobManager did not answer in time",
  });
  expect(performance.now() - beganMs).toBeGreaterThan(4_900);
});

describe("what is put", () => {
  test("names every vertex: the upper bound is the target, the lower one is never raised to it", async () => {
    expect(await scaleWork(4)).toEqual([{ node: "work", outcome: "Scaled" }]);
    expect(jobs.puts.map(({ body }) => body)).toEqual([
      {
        [SOURCE_ID]: { parallelism: { lowerBound: 1, upperBound: 1 } },
        [WORK_ID]: { parallelism: { lowerBound: 2, upperBound: 4 } },
      },
    ]);
    await scaleWork(1);
    expect(jobs.puts[1]?.body).toMatchObject({
      [WORK_ID]: { parallelism: { lowerBound: 1, upperBound: 1 } },
    });
  });

  test("is all that was decided or nothing: what somebody changed for one node keeps the others back", async () => {
    const found = await discover();
    const both = [change(found, "in", 2), change(found, "work", 4)];
    jobs.replies.set(REQUIREMENTS, {
      body: {
        [SOURCE_ID]: { parallelism: { lowerBound: 1, upperBound: 1 } },
        [WORK_ID]: { parallelism: { lowerBound: 2, upperBound: 3 } },
      },
    });
    const outcome = await reached.driver.scale(clicks, both, anybody);
    expect(outcome.map((one) => "code" in one && one.code)).toEqual(["Conflict", "Conflict"]);
    expect(outcome[0]).toHaveProperty(
      "message",
      expect.stringContaining("Somebody set work to 3 while 2 to 4 was decided"),
    );
    expect(jobs.puts).toEqual([]);
  });

  test("is put by nobody who may not write", async () => {
    const outcome = await scaleWork(4, () => new Fault("NotLeader", "another replica may"));
    expect(outcome).toMatchObject([{ code: "NotLeader" }]);
    expect(jobs.puts).toEqual([]);
  });

  test("and answered with an error is not known to be put: the decision stays open", async () => {
    jobs.replies.set(`PUT /jobs/${JOB_ID}/resource-requirements`, { status: 503, text: "" });
    expect(await scaleWork(4)).toMatchObject([{ code: "TargetUnavailable" }]);
  });
});

describe("a job", () => {
  test.each([
    ["job.autoscaler.enabled", "TargetOwned"],
    ["kubernetes.operator.job.autoscaler.enabled", "TargetOwned"],
  ])("with %s is left to Flink's own autoscaler", async (key, code) => {
    const config = [
      { key: "jobmanager.scheduler", value: "adaptive" },
      { key, value: "true" },
    ];
    jobs.replies.set("GET /jobmanager/config", { body: config });
    await expect(discover()).rejects.toMatchObject({ code });
  });

  test.each([
    ["in the default scheduler", [], "The job is not in the adaptive scheduler"],
    [
      "in reactive mode whose TaskManagers nobody names",
      [{ key: "scheduler-mode", value: "REACTIVE" }],
      "In reactive mode the job takes every slot that there is",
    ],
  ])("%s cannot be scaled, and its user reads what to do", async (_what, body, message) => {
    jobs.replies.set("GET /jobmanager/config", { body });
    await expect(discover()).rejects.toMatchObject({ code: "TargetUnsuitable", message });
  });

  test("that restarts is shown as it is asked for, with nothing that serves, and does not grow now", async () => {
    const found = await discover();
    jobs.replies.set(JOB, { body: jobReply({ state: "RESTARTING" }) });
    const restarting = await discover();
    expect(restarting.unsteady).toBe("The job clicks is RESTARTING");
    expect(restarting.nodes.map(({ parallelism, ready, settled }) => [parallelism, ready, settled])).toEqual([
      [1, 0, false],
      [2, 0, false],
    ]);
    const more = await reached.driver.scale(clicks, [change(found, "work", 4)], anybody);
    expect(more).toMatchObject([{ code: "TargetUnavailable" }]);
    expect(jobs.puts).toEqual([]);
    // What is taken back because it does not come up is what helps it.
    const less = await reached.driver.scale(clicks, [change(found, "work", 1)], anybody);
    expect(less).toEqual([{ node: "work", outcome: "Scaled" }]);
  });

  test("that is gone between the decision and the write takes nothing with it", async () => {
    const found = await discover();
    jobs.replies.set("GET /jobs/overview", { body: { jobs: [] } });
    const outcome = await reached.driver.scale(clicks, [change(found, "work", 4)], anybody);
    expect(outcome).toMatchObject([{ code: "TargetNotFound" }]);
    expect(jobs.puts).toEqual([]);
  });

  test("never has a vertex without an instance", async () => {
    expect(await scaleWork(0)).toMatchObject([{ code: "NotSupported" }]);
    expect(jobs.puts).toEqual([]);
  });
});
