import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FlinkSource } from "../host/policy/index.ts";
import { flinkSource, sources } from "../host/source/index.ts";
import { policy } from "./builders.ts";
import { flinkDriverAt, flinkPolicy, noCluster } from "./flink-bed.ts";
import { JOB_ID, jobReply, SOURCE_ID, standIn, WORK_ID, type StandIn } from "./flink-stand-in.ts";

const NOON = new Date("2026-03-01T12:00:00.000Z");
const at = NOON.toISOString();
const metricsOf = (vertex: string) => `GET /jobs/${JOB_ID}/vertices/${vertex}/subtasks/metrics`;
const BUSY: FlinkSource = {
  name: "figures",
  kind: "flink",
  metrics: ["busyTimeMsPerSecond", "numRecordsIn", "currentInputWatermark", "busyTimeMsPerSecond:avg"],
  timeoutMs: 3_000,
};

let jobs: StandIn;
let reached: ReturnType<typeof flinkDriverAt>;
beforeEach(async () => {
  jobs = await standIn();
  for (const vertex of [SOURCE_ID, WORK_ID]) jobs.replies.set(metricsOf(vertex), { body: [] });
  reached = flinkDriverAt(() => jobs.url, noCluster);
});
afterEach(async () => {
  await reached.close();
  await jobs[Symbol.asyncDispose]();
});
const read = async (rest: Partial<FlinkSource> = {}, of = flinkPolicy()) => {
  const flink = flinkSource(reached.jobManagers);
  const all = sources({ endpoint: () => Promise.reject(new Error("nobody")), flink });
  return (await all.observe({ ...of, sources: [{ ...BUSY, ...rest }] }, NOON))["figures"];
};

describe("the metrics of a Flink job", () => {
  test("are one value for each vertex: the most of what is a time, the sum of what is counted, or what is asked for", async () => {
    jobs.replies.set(metricsOf(WORK_ID), {
      body: [
        { id: "numRecordsIn", min: 10, max: 20, avg: 15, sum: 30 },
        { id: "currentInputWatermark", min: 7, max: 9, avg: 8, sum: 16 },
        { id: "busyTimeMsPerSecond", min: 100, max: 900, avg: 500, sum: 1000 },
      ],
    });
    const one = (metric: string, aggregate: string, value: number) => ({
      labels: { metric, aggregate, vertex: "work" },
      ...{ node: "work", value, at },
    });
    expect(await read()).toEqual({
      at,
      series: [
        one("busyTimeMsPerSecond", "max", 900),
        one("numRecordsIn", "sum", 30),
        one("currentInputWatermark", "min", 7),
        one("busyTimeMsPerSecond", "avg", 500),
      ],
    });
  });

  test("are no data until somebody has fetched them", async () => {
    expect(await read()).toEqual({ noData: true, at });
  });

  test("are no data where Flink says NaN, which it writes as a text, and no number of a vertex is made of it", async () => {
    jobs.replies.set(metricsOf(WORK_ID), { body: [{ id: "busyTimeMsPerSecond", max: "NaN", avg: "NaN" }] });
    expect(await read()).toEqual({ noData: true, at });
  });

  test("are no data while the job does not run", async () => {
    jobs.replies.set(`GET /jobs/${JOB_ID}`, { body: jobReply({ state: "RESTARTING" }) });
    expect(await read()).toEqual({ noData: true, at });
  });

  test.each([
    ["a text", [{ id: "numRecordsIn", sum: "many" }], 'the sum of numRecordsIn of work is "many"'],
    [
      "no number",
      [{ id: "numRecordsIn", sum: { value: 3 } }],
      'the sum of numRecordsIn of work is {"value":3}',
    ],
  ])("that are %s are an error", async (_what, body, message) => {
    jobs.replies.set(metricsOf(WORK_ID), { body });
    const error = { code: "SourceInvalid", message: `figures: ${message}, which is no finite number` };
    expect(await read({ metrics: ["numRecordsIn"] })).toEqual({ error, at });
  });

  test("are an error where the JobManager does not answer, and not zero", async () => {
    await jobs[Symbol.asyncDispose]();
    expect(await read()).toMatchObject({ error: { code: "SourceUnavailable" } });
  });

  test("are an error where they do not come within the source's own time-out", async () => {
    jobs.replies.set(metricsOf(WORK_ID), { silent: true });
    expect(await read({ timeoutMs: 200 })).toEqual({
      error: { code: "SourceUnavailable", message: "figures: The JobManager did not answer in time" },
      at,
    });
  });

  test("are those of a Flink target alone", async () => {
    expect(await read({}, policy())).toMatchObject({
      error: { code: "SourceInvalid", message: "figures: the policy's target is no Flink job" },
    });
  });
});
