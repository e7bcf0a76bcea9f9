import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Iteration } from "../../host/knowledge/index.ts";
import type { Driver } from "../../host/loop/index.ts";
import type { Settle } from "../../host/policy/index.ts";
import { anybody, change, flinkDriverAt, flinkPolicy, noCluster, nodeOf, settled } from "../flink-bed.ts";
import { realFlink } from "../flink-world.ts";
import { passesOf } from "../passes.ts";
import { flink, type Flink } from "../world/flink.ts";

const there = (await realFlink()) !== undefined;
const HEARTBEAT_MS = 6_000;

/** A way to Flink's REST interface that counts what is put. */
async function counting(to: URL) {
  let puts = 0;
  const server = createServer((asked, response) => {
    if (asked.method === "PUT") puts += 1;
    const through = request(new URL(asked.url ?? "/", to), { method: asked.method, headers: asked.headers });
    through.on("response", (from) => {
      response.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(response);
    });
    through.on("error", () => response.destroy());
    asked.pipe(through);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    puts: () => puts,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const hold: Settle = { timeoutSeconds: 60, onFailure: "Hold" };
const rollback: Settle = { timeoutSeconds: 60, onFailure: "Rollback" };
const stateOf = ({ followed }: Iteration) => followed?.find(({ node }) => node === "work")?.state;

/** Nothing is on its way any more; that it settled is told in one pass alone. */
const isSettled = (one: Iteration) =>
  one.fault === undefined && stateOf(one) !== "Settling" && stateOf(one) !== "Late";

describe.skipIf(!there)("a Flink job", { timeout: 240_000 }, () => {
  let jobs: Flink;
  let way: Awaited<ReturnType<typeof counting>>;
  let driver: Driver;
  let job: string;
  const ways = new Set<() => void>();

  /** Starts a cluster of three TaskManagers with two slots each, and a job. */
  async function begin(config: Readonly<Record<string, string>> = {}, perSecond = 50) {
    jobs = await flink({ taskManagers: 3, config });
    way = await counting(jobs.url);
    ways.add(way.close);
    ({ driver } = flinkDriverAt(() => way.url, noCluster, 20_000));
    job = await jobs.start({ name: "clicks", perSecond });
  }
  const policyOf = (settle: Settle) => flinkPolicy({ job: { name: "clicks" } }, { settle });
  const clicks = policyOf(hold);
  const restartsOf = async () => {
    const [answer] = (await jobs.rest("GET", `/jobs/${job}/metrics?get=numRestarts`)) as { value: string }[];
    return Number(answer?.value ?? 0);
  };
  async function until(so: () => Promise<boolean>): Promise<void> {
    for (const endMs = performance.now() + 90_000; performance.now() < endMs; await sleep(500))
      if (await so()) return;
    throw new Error("not within 90 s");
  }
  const back = async () => {
    const found = await settled(driver, clicks);
    const { parallelism } = nodeOf(found, "work");
    if (parallelism !== 1) await driver.scale(clicks, [change(found, "work", 1)], anybody);
    await settled(driver, clicks);
  };

  beforeAll(() => begin(), 120_000);
  afterEach(back, 120_000);
  afterAll(async () => {
    for (const close of ways) close();
    await jobs?.[Symbol.asyncDispose]();
  });

  test("that is started anew between decision and write is left alone, and scaled by the next decision", async () => {
    const found = await settled(driver, clicks);
    const before = way.puts();
    await jobs.cancel(job);
    job = await jobs.start({ name: "clicks", perSecond: 50 });
    const outcome = await driver.scale(clicks, [change(found, "work", 3)], anybody);
    expect(outcome).toMatchObject([{ outcome: "Failed", code: "Conflict" }]);
    expect(way.puts()).toBe(before);
    const { pass } = passesOf(clicks, driver);
    await until(async () => (await pass({ work: 2 }, 5_000)).outcome === "Scaled");
    expect(nodeOf(await settled(driver, clicks), "work").ready).toBe(2);
    expect(way.puts()).toBe(before + 1);
  });

  test("that somebody else scales between decision and write is not scaled over them", async () => {
    const found = await settled(driver, clicks);
    await driver.scale(clicks, [change(found, "work", 3)], anybody);
    const outcome = await driver.scale(clicks, [change(found, "work", 4)], anybody);
    expect(outcome).toMatchObject([{ outcome: "Failed", code: "Conflict" }]);
    expect(nodeOf(await settled(driver, clicks), "work").ready).toBe(3);
  });

  test("that loses a TaskManager while it is rescaled comes to its number by one request", async () => {
    const { pass } = passesOf(clicks, driver);
    const [before, restarts] = [way.puts(), await restartsOf()];
    expect((await pass({ work: 4 })).outcome).toBe("Scaled");
    await jobs.killTaskManager("tm-1");
    await until(async () => isSettled(await pass({ work: 4 }, 1_000)));
    expect(nodeOf(await settled(driver, clicks), "work").ready).toBe(4);
    expect(way.puts()).toBe(before + 1);
    // For the request, and for what was lost: no loop.
    expect((await restartsOf()) - restarts).toBeLessThanOrEqual(3);
    await jobs.startTaskManager("tm-1");
  });

  test("of which a TaskManager hangs for longer than its heartbeat is not asked twice, and settles", async () => {
    await until(async () => (await driver.discover(clicks)).slots?.total === 6);
    const { pass } = passesOf(clicks, driver);
    const before = way.puts();
    const hanging = jobs.pids().taskManagers.get("tm-2") ?? 0;
    process.kill(hanging, "SIGSTOP");
    try {
      expect((await pass({ work: 4 })).outcome).toBe("Scaled");
      for (const endMs = performance.now() + 2 * HEARTBEAT_MS; performance.now() < endMs; await sleep(1_000))
        await pass({ work: 4 }, 1_000).catch(() => undefined);
      await until(async () => isSettled(await pass({ work: 4 }, 100)));
    } finally {
      process.kill(hanging, "SIGCONT");
    }
    expect(nodeOf(await settled(driver, clicks), "work").ready).toBe(4);
    expect(way.puts()).toBe(before + 1);
  });

  test("that cannot have as many slots runs with what there is, is late, and comes to its number when there are more", async () => {
    await until(async () => (await driver.discover(clicks)).slots?.total === 6);
    const { pass } = passesOf(clicks, driver);
    const before = way.puts();
    expect((await pass({ work: 8 })).outcome).toBe("Scaled");
    await until(async () => nodeOf(await driver.discover(clicks), "work").ready === 6);
    expect(stateOf(await pass({ work: 8 }, 30_000))).toBe("Settling");
    for (let again = 0; again < 5; again += 1) expect(stateOf(await pass({ work: 8 }, 31_000))).toBe("Late");
    expect(way.puts()).toBe(before + 1);
    await jobs.startTaskManager("tm-4");
    await until(async () => isSettled(await pass({ work: 8 }, 1_000)));
    expect(way.puts()).toBe(before + 1);
    await jobs.killTaskManager("tm-4");
    await until(async () => (await driver.discover(clicks)).slots?.total === 6);
  });

  test("that cannot have as many slots is given back what it had, once, where that is wanted", async () => {
    const own = policyOf(rollback);
    const { pass } = passesOf(own, driver);
    const before = way.puts();
    expect((await pass({ work: 8 })).outcome).toBe("Scaled");
    await until(async () => nodeOf(await driver.discover(own), "work").ready === 6);
    const taken = await pass({ work: 8 }, 61_000);
    expect(taken.decision?.verdicts.find(({ node }) => node === "work")).toMatchObject({
      ...{ granted: 1, reasons: ["RolledBack"] },
    });
    await settled(driver, own);
    for (let again = 0; again < 5; again += 1)
      expect((await pass({ work: 8 }, 60_000)).decision?.changes).toEqual([]);
    expect(way.puts()).toBe(before + 2);
  });

  test("whose JobManager dies before it has settled is waited for, and scaled when it is there again", async () => {
    const { pass } = passesOf(clicks, driver);
    const before = way.puts();
    expect((await pass({ work: 4 })).outcome).toBe("Scaled");
    await jobs.killJobManager();
    for (let again = 0; again < 3; again += 1)
      expect(await pass({ work: 4 }, 5_000)).toMatchObject({ fault: { code: "TargetUnavailable" } });
    await jobs.startJobManager();
    // It has no memory of its jobs.
    expect(await pass({ work: 4 }, 5_000)).toMatchObject({ fault: { code: "TargetNotFound" } });
    expect(way.puts()).toBe(before + 1);
    job = await jobs.start({ name: "clicks", perSecond: 50 });
    await until(async () => {
      const { outcome } = await pass({ work: 4 }, 5_000);
      return outcome === "Scaled";
    });
    expect(nodeOf(await settled(driver, clicks), "work").ready).toBe(4);
    expect(way.puts()).toBe(before + 2);
  });

  test("whose checkpoints never complete is rescaled all the same, by one request", async () => {
    await jobs[Symbol.asyncDispose]();
    // A record waits longer in the queue before `work` than a checkpoint may take.
    const config = {
      "execution.checkpointing.timeout": "50 ms",
      "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
    };
    await begin(config, 5_000);
    await settled(driver, clicks);
    const completed = async () => {
      const { counts } = (await jobs.rest("GET", `/jobs/${job}/checkpoints`)) as {
        counts: { completed: number; failed: number };
      };
      return counts;
    };
    await until(async () => (await completed()).failed > 2);
    const done = (await completed()).completed;
    const { pass } = passesOf(clicks, driver);
    expect((await pass({ work: 4 })).outcome).toBe("Scaled");
    await until(async () => isSettled(await pass({ work: 4 }, 1_000)));
    expect(way.puts()).toBe(1);
    expect((await completed()).completed).toBe(done);
    await jobs.load("clicks", 50);
  });
});
