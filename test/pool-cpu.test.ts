import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CpuClock } from "../host/engine/supervisor/cpu.ts";

/** Burns processor time in a thread of its own when it is told to, and says when it has; the main thread only waits. */
const BURNER = `
  const { Worker } = require("node:worker_threads");
  const worker = new Worker(\`
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", (ms) => {
      const begin = process.threadCpuUsage().user;
      while (process.threadCpuUsage().user - begin < ms * 1000);
      parentPort.postMessage("done");
    });
  \`, { eval: true });
  worker.on("online", () => process.stdout.write("ready\\n"));
  worker.on("message", () => process.stdout.write("done\\n"));
  process.stdin.on("data", (ms) => worker.postMessage(Number(ms)));
`;

test("a step is charged for the thread that it runs on, a tenant for all threads: 400 ms elsewhere", async () => {
  const child = spawn(process.execPath, ["-e", BURNER], { stdio: ["pipe", "pipe", "inherit"] });
  const said = () =>
    new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text))));
  expect(await said()).toBe("ready\n");
  const clock = new CpuClock(child.pid ?? 0);
  const [main, all] = [clock.mainMs(), clock.processMs()];
  child.stdin.write("400");
  expect(await said()).toBe("done\n");
  expect(clock.mainMs() - main).toBeLessThan(200);
  expect(clock.processMs() - all).toBeGreaterThanOrEqual(350);
  const ended = new Promise((resolve) => child.on("close", resolve));
  child.stdin.end();
  child.kill();
  await ended;
  // What was seen last stays, also when the kernel has forgotten the process.
  expect(clock.processMs() - all).toBeGreaterThanOrEqual(350);
  clock.close();
});

describe("what the kernel shows", () => {
  let proc: string;
  const stat = (user: number, system: number) =>
    `7 (a ) name) S ${Array.from({ length: 10 }, () => 0).join(" ")} ${user} ${system} 0 0`;
  beforeAll(async () => {
    proc = await mkdtemp(join(tmpdir(), "sluice-proc-"));
    await mkdir(join(proc, "7/task/7"), { recursive: true });
    await writeFile(join(proc, "7/stat"), stat(50, 10));
    await writeFile(join(proc, "7/task/7/stat"), stat(20, 5));
  });
  afterAll(() => rm(proc, { recursive: true }));

  test("is read in hundredths of a second where nothing finer is there", () => {
    const clock = new CpuClock(7, proc);
    expect([clock.mainMs(), clock.processMs()]).toEqual([250, 600]);
    clock.close();
  });

  test("is read in nanoseconds where it is, and a whole is never less than its part", async () => {
    await writeFile(join(proc, "7/task/7/schedstat"), "612345678 99 3\n");
    const clock = new CpuClock(7, proc);
    expect([clock.mainMs(), clock.processMs()]).toEqual([612.345678, 612.345678]);
    clock.close();
  });

  test("is nothing of a process that never started", () => {
    const clock = new CpuClock(0, proc);
    expect([clock.mainMs(), clock.processMs()]).toEqual([0, 0]);
    clock.close();
  });
});
