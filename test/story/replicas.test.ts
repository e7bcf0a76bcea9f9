import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replicas, ROOT, stage, type Stage } from "./bed.ts";
import { eventually, operator, type OperatorProcess } from "./operator.ts";
import { policyText } from "./policy.ts";

const THRESHOLD = join(ROOT, "build/algorithms/threshold.wasm");
const TEAMS = 4;
/** `npm run test:full` makes fifty rounds with leases as they are by default, on a machine that it has for itself. */
const ROUNDS = Number(process.env["SLUICE_FAILOVERS"] ?? 1);
// Where others have the processor, a replica may not come to its turn for two.
const LEASE_SECONDS = ROUNDS > 1 ? 15 : 5;
const TAKEN_OVER_MS = ROUNDS > 1 ? 20_000 : 120_000;

let set: Stage;
let teams: string[];
let running: OperatorProcess[] = [];
let started = 0;

const start = async (): Promise<OperatorProcess> => {
  started += 1;
  const sharing = ["--replicas", "3", "--shards", "6", "--lease-seconds", String(LEASE_SECONDS)];
  const one = await operator({
    kubeconfig: set.kubeconfig,
    state: join(set.folder, `state-${started}`),
    flags: [...set.flags(teams), ...sharing, "--sandboxes", "1"],
  });
  running.push(one);
  return one;
};
const without = (gone: OperatorProcess) => void (running = running.filter((one) => one !== gone));

beforeAll(async () => {
  set = await stage();
  teams = await Promise.all(Array.from({ length: TEAMS }, () => set.tenant(["split"])));
  const artifact = await set.push(THRESHOLD, "threshold:1.0.0");
  set.load.set("records_rate", 150, { operator: "split" });
  const config = { targetPerInstance: 100, tolerance: 0 };
  for (const namespace of teams) {
    const input = policyText({ name: "clicks", nodes: ["split"], artifact, config });
    await set.cluster.kubectl(["apply", "--namespace", namespace, "--filename", "-"], { input });
  }
}, 300_000);
afterAll(async () => {
  await Promise.all(running.map((one) => one[Symbol.asyncDispose]()));
  await set?.[Symbol.asyncDispose]();
});

/** The holder of each shard, by its number; "" where nobody is. */
async function holders(): Promise<string[]> {
  const label = ["--selector", "sluice.dev/lease=shard", "--namespace", "sluice-system"];
  const text = await set.cluster.kubectl(["get", "leases", ...label, "--output", "json"]);
  const { items } = JSON.parse(text) as { items: { spec: { holderIdentity?: string } }[] };
  return items.map(({ spec }) => spec.holderIdentity ?? "");
}

/** How many shards each replica holds, the largest first. */
const shares = async (): Promise<number[]> => {
  const held = await holders();
  const each = [...new Set(held)].filter((one) => one !== "");
  return each.map((one) => held.filter((other) => other === one).length).sort((one, other) => other - one);
};

const isShared = (...wanted: number[]) =>
  eventually(shares, (seen) => JSON.stringify(seen) === JSON.stringify(wanted), 60_000);

/** Sets the load, and waits until every team's Deployment has so many; returns how long that took. */
async function reach(count: number): Promise<number> {
  set.load.set("records_rate", count * 100 - 50, { operator: "split" });
  const sinceMs = Date.now();
  await eventually(
    () => Promise.all(teams.map(async (namespace) => (await replicas(set, namespace))["split"])),
    (seen) => seen.every((one) => one?.endsWith(`/${count}`) === true),
    90_000,
  );
  return Date.now() - sinceMs;
}

/** How many writes to a team's scale the API server accepted. */
async function written(namespace: string): Promise<number> {
  const lines = (await readFile(set.cluster.auditLog ?? "", "utf8")).trim().split("\n");
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(
      ({ objectRef, verb, stage, responseStatus }) =>
        objectRef?.namespace === namespace &&
        objectRef.subresource === "scale" &&
        verb === "update" &&
        stage === "ResponseComplete" &&
        responseStatus?.code === 200,
    ).length;
}

interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly responseStatus?: { readonly code: number };
  readonly objectRef?: { readonly namespace?: string; readonly subresource?: string };
}

/** The writes that every team's scale is to see while something is done: one for each. */
async function writesOnce(act: () => Promise<unknown>): Promise<void> {
  const before = await Promise.all(teams.map(written));
  await act();
  const after = await Promise.all(teams.map(written));
  expect(after.map((count, at) => count - (before[at] ?? 0))).toEqual(teams.map(() => 1));
}

/** Kills one of two replicas, so many times; the other has all in time, and makes the next decision once. */
async function failOver(rounds: number): Promise<void> {
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (running.length < 2) await start();
    await isShared(3, 3);
    const [dying] = running as [OperatorProcess];
    await writesOnce(async () => {
      const sinceMs = Date.now();
      await dying.kill();
      without(dying);
      await isShared(6);
      tookMs.push(Date.now() - sinceMs);
      expect(tookMs.at(-1)).toBeLessThan(TAKEN_OVER_MS);
      await reach(4 + (round % 2));
    });
  }
  const sorted = tookMs.toSorted((one, other) => one - other);
  const seconds = (ms = 0) => (ms / 1_000).toFixed(1);
  process.stdout.write(
    `taken over after ${seconds(sorted[sorted.length >> 1])} s (median of ${rounds}), at most ${seconds(sorted.at(-1))} s\n`,
  );
}

test("one replica has all shards, and of two and three each has its share", async () => {
  await start();
  await isShared(6);
  await start();
  await isShared(3, 3);
  await start();
  await isShared(2, 2, 2);
  await reach(2);
}, 180_000);

test("a replica that is asked to end gives its shards back before it ends, and does not let them run out", async () => {
  const leaving = running[0] as OperatorProcess;
  const before = new Set(await holders());
  expect(await leaving.stop()).toBe(0);
  const atItsEnd = await holders();
  without(leaving);
  const after = await eventually(holders, (seen) => new Set(seen).size === 2 && !seen.includes(""), 20_000);
  const gone = [...before].filter((one) => !after.includes(one));
  expect(gone).toHaveLength(1);
  expect(atItsEnd).not.toContain(gone[0]);
  await reach(3);
}, 180_000);

test(
  "what a replica that is killed worked on is another's after its lease, and every decision is made once",
  async () => {
    await failOver(ROUNDS);
  },
  180_000 * ROUNDS,
);

test("a leader that was stopped and goes on writes nothing for what another works on meanwhile", async () => {
  const [old] = running as [OperatorProcess];
  process.kill(old.pid, "SIGSTOP");
  await start();
  await isShared(6);
  await reach(6);
  await writesOnce(async () => {
    process.kill(old.pid, "SIGCONT");
    await isShared(3, 3);
    await reach(7);
  });
}, 180_000);
