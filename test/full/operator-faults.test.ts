import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { processes } from "../engine/bed.ts";
import type { Asked, Script } from "../kube/gateway.ts";
import { Ordeal, reads, writes } from "../story/ordeal.ts";

const run = promisify(execFile);
vi.setConfig({ testTimeout: 300_000 });

/** Of one kind: a chain of three, so that a plan can grow and shrink, and what is upstream comes first. */
const NODES = ["split", "count", "store"] as const;

/** Where an operator may die in a decision: what it was doing, and whether the API server still did it. */
const STEPS: readonly {
  readonly step: string;
  readonly at: (asked: Asked) => boolean;
  readonly how: "cut" | "cut afterwards";
}[] = [
  { step: "1, before it reads a target", at: reads, how: "cut" },
  { step: "2, as it has read a target", at: reads, how: "cut afterwards" },
  { step: "3, before its first write arrives", at: writes, how: "cut" },
  { step: "4, as its first write was carried out", at: writes, how: "cut afterwards" },
  { step: "5, before it tells its status", at: ({ method }) => method === "PATCH", how: "cut" },
  { step: "6, as it has told its status", at: ({ method }) => method === "PATCH", how: "cut afterwards" },
];

const PLANS = [
  { plan: "one node grows", to: { split: 4, count: 1, store: 1 } },
  { plan: "two nodes shrink and one grows", to: { split: 2, count: 4, store: 2 } },
  { plan: "all nodes grow", to: { split: 5, count: 5, store: 5 } },
  { plan: "all nodes shrink", to: { split: 2, count: 2, store: 2 } },
] as const;

let ordeal: Ordeal;
beforeAll(async () => {
  ordeal = await Ordeal.begin({ nodes: NODES });
}, 300_000);
afterAll(() => ordeal?.[Symbol.asyncDispose]());
afterEach(() => ordeal.recovered(), 120_000);

function wantAll(to: Readonly<Record<string, number>>): void {
  for (const [node, count] of Object.entries(to)) ordeal.want(count, node);
}

/** Kills the operator at the n-th request that counts; resolves when it is dead. */
function deathAt(at: (asked: Asked) => boolean, how: "cut" | "cut afterwards", nth = 1): Promise<void> {
  let seen = 0;
  return new Promise((resolve) =>
    ordeal.way.play((asked): Script => {
      if (!at(asked) || (seen += 1) !== nth) return undefined;
      if (how === "cut") {
        void ordeal.running.kill().then(resolve);
        return "cut";
      }
      // The API server has the request by the time that the operator is gone.
      setTimeout(() => void ordeal.running.kill().then(resolve), 100);
      return { delayMs: 0 };
    }),
  );
}

describe.each(PLANS)("an operator that is killed while $plan,", ({ to }) => {
  test.each(STEPS)("at step $step", async ({ at, how }) => {
    // From somewhere else, so that every node of the plan has to move.
    const from = Object.fromEntries(Object.entries(to).map(([node, count]) => [node, count === 1 ? 1 : 3]));
    wantAll(from);
    await ordeal.settled();
    const before = ordeal.way.asked.length;
    const died = deathAt(at, how);
    wantAll(to);
    await died;
    ordeal.way.calm();
    await ordeal.start();
    await ordeal.settled();
    const wrong = ordeal.sent(before).filter(({ node, replicas }) => ordeal.wanted[node] !== replicas);
    expect(wrong).toEqual([]);
  });
});

describe("an operator that is asked to end while the API server takes five seconds for each write", () => {
  test.each([
    [1, "is killed after one second: the next one goes on"],
    [30, "has thirty seconds: it ends by itself, with what it had begun"],
  ])("%i s: %s", async (graceSeconds) => {
    ordeal.want(3);
    await ordeal.settled();
    const before = ordeal.way.asked.length;
    const begun = new Promise<void>((resolve) =>
      ordeal.way.play((asked) => {
        if (!writes(asked)) return undefined;
        resolve();
        return { delayMs: 5_000 };
      }),
    );
    ordeal.want(4);
    await begun;
    const ended = ordeal.running.stop();
    const inTime = await Promise.race([ended, pause(graceSeconds * 1_000, "late" as const)]);
    expect(inTime).toBe(graceSeconds === 1 ? "late" : 0);
    await ordeal.running.kill();

    ordeal.way.calm();
    await ordeal.start();
    await ordeal.settled();
    expect(new Set(ordeal.sent(before).map(({ replicas }) => replicas))).toEqual(new Set([4]));
  });
});

describe("a process that", () => {
  const children = (program: "supervisor" | "sandbox") =>
    processes(ordeal.running.pid).filter((one) => one.program === program);
  test("is stopped, the supervisor of the sandboxes: nothing is scaled until it goes on, or another takes its place", async () => {
    for (const { pid } of children("supervisor")) process.kill(pid, "SIGSTOP");
    ordeal.want(4);
    await pause(5_000);
    for (const { pid } of children("supervisor")) process.kill(pid, "SIGCONT");
    await ordeal.settled();
  });
  test("is stopped for ten seconds, the operator: it goes on from what it finds", async () => {
    const { pid } = ordeal.running;
    process.kill(pid, "SIGSTOP");
    ordeal.want(2);
    await pause(10_000);
    process.kill(pid, "SIGCONT");
    await ordeal.settled();
  });
  test("is killed again and again, each sandbox", async () => {
    ordeal.want(5);
    for (let times = 0; times < 10; times += 1) {
      for (const { pid } of children("sandbox")) process.kill(pid, "SIGKILL");
      await pause(300);
    }
    await ordeal.settled(120);
  });
});

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("a disk that is full", () => {
  test("keeps decisions from being remembered, so that nothing is scaled; with room again they are", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-full-"));
    await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]);
    try {
      const state = join(folder, "state");
      await mkdir(state);
      await using small = await Ordeal.begin({ nodes: ["split"], state });
      const ballast = join(folder, "ballast");
      const { bavail, bsize } = await statfs(folder);
      await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => undefined);
      small.want(5);
      await small.condition("Ready", "StoreUnavailable");
      const from = small.way.asked.length;
      await pause(3_000);
      expect(small.sent(from)).toEqual([]);
      await rm(ballast);
      await small.settled(120);
      await small.recovered();
    } finally {
      await run("umount", ["--lazy", folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });
});
