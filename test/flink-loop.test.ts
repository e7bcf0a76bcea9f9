import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Iteration } from "../host/knowledge/index.ts";
import { iterate, type World } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { flinkDriverAt, flinkPolicy, noCluster } from "./flink-bed.ts";
import { JOB_ID, jobReply, SOURCE_ID, standIn, WORK_ID, type StandIn } from "./flink-stand-in.ts";
import { wanting } from "./passes.ts";
import { recordsStore } from "./records-store.ts";

const JOB = `GET /jobs/${JOB_ID}`;
const PUT = `PUT /jobs/${JOB_ID}/resource-requirements`;
const REQUIREMENTS = `GET /jobs/${JOB_ID}/resource-requirements`;

/** A JobManager that does what it is asked, or holds back; and passes of a policy over its job, with a clock to turn. */
interface Stage {
  readonly jobs: StandIn;
  readonly clock: { nowMs: number };
  readonly records: Map<string, Iteration>;
  state: string;
  /** Whether the job comes to run with what it is asked for. */
  follows: boolean;
  asked: Record<string, number>;
  runs: Record<string, number>;
  engineRuns: number;
  /** The next write of knowledge of this number is the last thing that happens. */
  crashAt: number;
  pass(of: Policy, wants: Record<string, number>): Promise<Iteration>;
  close(): Promise<void>;
}

class Crash extends Error {}

const bounds = (asked: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(asked).map(([id, upperBound]) => [id, { parallelism: { lowerBound: 1, upperBound } }]),
  );

function vertices({ runs, state }: Stage) {
  const all = jobReply({}).vertices as { id: string; tasks: object }[];
  return all.map((one) => {
    const parallelism = runs[one.id] ?? 0;
    return { ...one, parallelism, tasks: { RUNNING: state === "RUNNING" ? parallelism : 0 } };
  });
}

function wire(stage: Stage): void {
  const { replies } = stage.jobs;
  replies.set(JOB, () => ({ body: jobReply({ state: stage.state, vertices: vertices(stage) }) }));
  replies.set(REQUIREMENTS, () => ({ body: bounds(stage.asked) }));
  replies.set(PUT, () => {
    const body = stage.jobs.puts.at(-1)?.body as Record<string, { parallelism: { upperBound: number } }>;
    stage.asked = Object.fromEntries(
      Object.entries(body).map(([id, { parallelism }]) => [id, parallelism.upperBound]),
    );
    if (stage.follows) stage.runs = stage.asked;
    return { body: {} };
  });
}

async function begin(): Promise<Stage> {
  const jobs = await standIn();
  const { driver, close } = flinkDriverAt(() => jobs.url, noCluster, 200);
  const records = new Map<string, Iteration>();
  const both = { [SOURCE_ID]: 1, [WORK_ID]: 2 };
  let remembered = 0;
  const stage: Stage = {
    ...{ jobs, records, clock: { nowMs: Date.parse("2026-03-01T12:00:00Z") } },
    ...{ state: "RUNNING", follows: true, asked: both, runs: both, engineRuns: 0, crashAt: Infinity },
    async pass(of, wants) {
      const { recall, remember } = recordsStore(records);
      const world: World = {
        clock: { now: () => new Date(stage.clock.nowMs) },
        ...{ driver, sources: { observe: async () => ({}) } },
        engine: {
          run: (...asked) => {
            stage.engineRuns += 1;
            return wanting(wants).run(...asked);
          },
        },
        store: {
          recall,
          remember: async (policy, one) => {
            remembered += 1;
            if (remembered === stage.crashAt) throw new Crash("the host is gone");
            await remember(policy, one);
          },
        },
      };
      return iterate(of, world);
    },
    close: async () => {
      await close();
      await jobs[Symbol.asyncDispose]();
    },
  };
  wire(stage);
  return stage;
}

let stage: Stage;
beforeEach(async () => void (stage = await begin()));
afterEach(() => stage.close());

const clicks = flinkPolicy({}, { settle: { timeoutSeconds: 60, onFailure: "Rollback" } });

test("all that a pass grants is put at once; while it settles no vertex moves, and then all may again", async () => {
  stage.follows = false;
  expect((await stage.pass(clicks, { in: 2, work: 4 })).outcome).toBe("Scaled");
  expect(stage.jobs.puts).toHaveLength(1);
  stage.clock.nowMs += 15_000;
  // `in` could grow by itself: of a job nothing moves while something of it does.
  const held = await stage.pass(clicks, { in: 4, work: 8 });
  expect(held.decision?.verdicts.map(({ granted, reasons }) => [granted, reasons])).toEqual([
    [2, ["Settling"]],
    [4, ["Settling"]],
  ]);
  stage.runs = stage.asked;
  stage.clock.nowMs += 15_000;
  expect((await stage.pass(clicks, { in: 4, work: 8 })).outcome).toBe("Scaled");
  expect(stage.asked).toEqual({ [SOURCE_ID]: 4, [WORK_ID]: 8 });
});

test("a number is aligned to the key groups where records come by key, and only there", async () => {
  await stage.pass(clicks, { in: 3, work: 3 });
  expect(stage.asked).toEqual({ [SOURCE_ID]: 3, [WORK_ID]: 4 });
});

test("a job that runs with less than it was given for too long gets back what it had, also while it restarts", async () => {
  stage.follows = false;
  await stage.pass(clicks, { work: 8 });
  expect(stage.asked[WORK_ID]).toBe(8);
  stage.state = "RESTARTING";
  stage.clock.nowMs += 61_000;
  const back = await stage.pass(clicks, { work: 8 });
  expect(back.decision?.verdicts.find(({ node }) => node === "work")).toMatchObject({
    granted: 2,
    reasons: ["RolledBack"],
  });
  expect(back.outcome).toBe("Scaled");
  expect(stage.asked[WORK_ID]).toBe(2);
});

describe("a job that somebody scales by Flink's own interface", () => {
  const yields = flinkPolicy({}, { ownership: { onDrift: "Yield", onDelete: "Keep" } });
  const by = (parallelism: number) => (stage.asked = stage.runs = { ...stage.asked, [WORK_ID]: parallelism });

  test("is left to them where the policy yields, and decided on from there where it does not", async () => {
    await stage.pass(yields, { work: 4 });
    by(8);
    const left = await stage.pass(yields, { work: 4 });
    expect(left.drifted).toEqual([{ node: "work", from: 4, to: 8, isYielded: true }]);
    expect(left.decision?.changes).toEqual([]);
    const back = await stage.pass({ ...clicks, settle: undefined, generation: 2 }, { work: 4 });
    expect(back.drifted).toBeUndefined();
    expect(stage.asked[WORK_ID]).toBe(4);
    by(2);
    const corrected = await stage.pass({ ...clicks, settle: undefined, generation: 2 }, { work: 4 });
    expect(corrected.drifted).toEqual([{ node: "work", from: 4, to: 2, isYielded: false }]);
    expect(stage.asked[WORK_ID]).toBe(4);
  });

  test("is told from one that is started anew with what its code says: that is nobody's change", async () => {
    await stage.pass(yields, { work: 4 });
    const other = "d".repeat(32);
    stage.asked = stage.runs = { [SOURCE_ID]: 1, [WORK_ID]: 2 };
    const { replies } = stage.jobs;
    replies.set("GET /jobs/overview", { body: { jobs: [{ jid: other, name: "clicks", state: "RUNNING" }] } });
    replies.set(`GET /jobs/${other}`, () => ({ body: jobReply({ jid: other, vertices: vertices(stage) }) }));
    replies.set(`GET /jobs/${other}/config`, { body: {} });
    replies.set(`GET /jobs/${other}/resource-requirements`, () => ({ body: bounds(stage.asked) }));
    const pass = await stage.pass(yields, { work: 2 });
    expect(pass).toMatchObject({ outcome: "Unchanged", fault: undefined });
    expect(pass.drifted).toBeUndefined();
  });
});

test("while a job restarts no algorithm is asked, and nothing is put", async () => {
  stage.state = "RESTARTING";
  const pass = await stage.pass(clicks, { work: 4 });
  expect(pass).toMatchObject({ outcome: "Failed", fault: { code: "TargetUnavailable" } });
  expect(pass.fault?.message).toContain("The job clicks is RESTARTING");
  expect([stage.engineRuns, stage.jobs.puts.length]).toEqual([0, 0]);
});

test("a decision that the JobManager did not take stays open, and the next pass puts it", async () => {
  const takes = stage.jobs.replies.get(PUT);
  stage.jobs.replies.set(PUT, { status: 503, text: "" });
  expect((await stage.pass(clicks, { work: 4 })).outcome).toBe("Open");
  expect(stage.asked[WORK_ID]).toBe(2);
  if (takes !== undefined) stage.jobs.replies.set(PUT, takes);
  stage.clock.nowMs += 15_000;
  expect(await stage.pass(clicks, { work: 8 })).toMatchObject({ outcome: "Scaled", resumed: true });
  expect([stage.engineRuns, stage.asked[WORK_ID]]).toEqual([1, 4]);
});

describe("a host that dies", () => {
  test.each([
    ["before the decision is stored", 1, 0],
    ["after it was put, before that is stored", 2, 1],
  ])("%s leaves a job that the next one finishes with one put", async (_when, crashAt, puts) => {
    stage.crashAt = crashAt;
    await expect(stage.pass(clicks, { in: 2, work: 4 })).rejects.toThrow(Crash);
    expect(stage.jobs.puts).toHaveLength(puts);
    stage.clock.nowMs += 15_000;
    expect(await stage.pass(clicks, { in: 2, work: 4 })).toMatchObject({ outcome: "Scaled" });
    expect(stage.asked).toEqual({ [SOURCE_ID]: 2, [WORK_ID]: 4 });
    expect(stage.jobs.puts).toHaveLength(1);
    stage.clock.nowMs += 15_000;
    expect(await stage.pass(clicks, { in: 2, work: 4 })).toMatchObject({ outcome: "Unchanged" });
    expect(stage.jobs.puts).toHaveLength(1);
  });

  test("while the job is started anew finishes nothing of what was decided on the old one", async () => {
    stage.crashAt = 2;
    await expect(stage.pass(clicks, { work: 4 })).rejects.toThrow(Crash);
    const other = "d".repeat(32);
    stage.jobs.replies.set("GET /jobs/overview", {
      body: { jobs: [{ jid: other, name: "clicks", state: "RUNNING" }] },
    });
    stage.runs = stage.asked = { [SOURCE_ID]: 1, [WORK_ID]: 2 };
    stage.jobs.replies.set(`GET /jobs/${other}`, () => ({
      body: jobReply({ jid: other, vertices: vertices(stage) }),
    }));
    stage.jobs.replies.set(`GET /jobs/${other}/config`, { body: {} });
    stage.jobs.replies.set(`GET /jobs/${other}/resource-requirements`, () => ({ body: bounds(stage.asked) }));
    stage.clock.nowMs += 15_000;
    const pass = await stage.pass(clicks, { work: 4 });
    expect(pass).toMatchObject({ resumed: true, fault: { code: "Conflict" } });
    expect(stage.jobs.puts).toHaveLength(1);
  });
});
