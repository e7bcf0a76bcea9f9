import { readFile, stat, writeFile } from "node:fs/promises";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Isolation } from "../../../host/engine/index.ts";
import { compile } from "../../../launcher/build/compile.ts";
import { processes, rssMb } from "../../engine/bed.ts";
import { push, stage, type Stage } from "../../story/bed.ts";
import { operator, type OperatorProcess } from "../../story/operator.ts";
import { registry } from "../../world/index.ts";
import type { Row } from "../engine.ts";
import { COPIES, populate, WORK_CRD } from "./populate.ts";

export interface Scale {
  readonly tenants: number;
  readonly policies: number;
  readonly intervalSeconds: number;
  readonly isolation: Isolation;
  /** How long is looked at, once every policy has passed. */
  readonly seconds: number;
  readonly flags: readonly string[];
}

/** An algorithm that wants what is there: nothing is to change, which is what most passes find. */
const STEADY = `
import { answer, Plan, read } from "@sluice/pdk";

export function plan(): i32 {
  const step = read();
  const plan = new Plan();
  for (let i = 0; i < step.topology.nodes.length; i++) {
    const node = step.topology.nodes[i];
    plan.want(node.name, node.parallelism, "as it is");
  }
  return answer(plan);
}
`;
/** From the first policy's first pass to the last one's: a new tenant's module is pulled and compiled meanwhile. */
const START_SECONDS = 600;

/** What one operator does with very many policies on a real API server, with the real sandbox, when nothing changes. */
export async function benchScale(scale: Scale): Promise<Row[]> {
  await using set = await stage();
  // Open to everybody: five hundred tenants with a pull secret each would measure those.
  await using open = await registry({ auth: "none" });
  const artifact = await ready(set, open);
  const began = performance.now();
  await populate({
    ...{ kubeconfig: set.cluster.kubeconfig, artifact },
    ...{ tenants: scale.tenants, policies: scale.policies, interval: `${scale.intervalSeconds}s` },
  });
  const made = (performance.now() - began) / 1_000;
  const state = join(set.folder, "state");
  await using running = await operator({
    ...{ kubeconfig: set.kubeconfig, state },
    flags: ["--insecure-registry", open.host, "--isolation", scale.isolation, ...scale.flags],
  });
  const first = await everyOnePassed(running, scale);
  await sleep(scale.intervalSeconds * 1_000);
  const [before, auditBefore, cpuBefore] = [
    await numbers(running),
    await auditLines(set),
    cpuSeconds(running),
  ];
  await sleep(scale.seconds * 1_000);
  const [after, auditAfter, cpuAfter] = [await numbers(running), await auditLines(set), cpuSeconds(running)];
  const what = `${scale.tenants} tenants x ${scale.policies} policies at ${scale.intervalSeconds} s, isolation ${scale.isolation}`;
  const rate = (before.passes === undefined ? 0 : (after.passes ?? 0) - before.passes) / scale.seconds;
  const calls = callsOf(auditAfter.slice(auditBefore.length));
  return [
    {
      what: `${what}: passes/s (wanted ${((scale.tenants * scale.policies) / scale.intervalSeconds).toFixed(0)})`,
      figure: rate.toFixed(0),
    },
    {
      what: "  objects made in; every policy has passed after",
      figure: `${made.toFixed(0)} s; ${first.toFixed(0)} s`,
    },
    {
      what: "  lateness of passes, p50 / p99",
      figure: `${lateness(before.text, after.text, 0.5)} / ${lateness(before.text, after.text, 0.99)}`,
    },
    { what: "  resident memory: operator, supervisor, sandboxes", figure: memoryOf(running) },
    {
      what: "  processor time a second: operator, supervisor, sandboxes",
      figure: shareOf(cpuBefore, cpuAfter, scale.seconds),
    },
    { what: "  calls to the API server in that time, by verb", figure: calls },
    { what: "  connections to the API server", figure: String(connectionsTo(set, running)) },
    {
      what: "  knowledge on disk, a policy",
      figure: `${((await sizeOf(state)) / 1_024 / (scale.tenants * scale.policies)).toFixed(1)} KB`,
    },
  ];
}

/** The kind of the targets is there, and the algorithm is in the registry, open to every tenant of the bench. */
async function ready(set: Stage, open: Awaited<ReturnType<typeof registry>>): Promise<string> {
  const { kubectl } = set.cluster;
  const given = [WORK_CRD, ...COPIES].map((one) => JSON.stringify(one)).join("\n---\n");
  await kubectl(["apply", "--filename", "-"], { input: given });
  await kubectl(["wait", "--for=condition=Established", "crd/works.bench.sluice.dev", "--timeout=30s"]);
  const file = join(set.folder, "steady.wasm");
  await writeFile(file, (await compile({ text: STEADY })).wasm);
  return push(file, `oci://${open.host}/algorithms/steady:1.0.0`, open);
}

async function everyOnePassed(running: OperatorProcess, { tenants, policies }: Scale): Promise<number> {
  const began = performance.now();
  for (;;) {
    const seconds = (performance.now() - began) / 1_000;
    const { passes = 0 } = await numbers(running);
    if (passes >= tenants * policies) return seconds;
    if (seconds > START_SECONDS)
      throw new Error(`only ${passes} passes after ${START_SECONDS} s\n${running.log().slice(-2_000)}`);
    await sleep(1_000);
  }
}

async function numbers({ url }: OperatorProcess): Promise<{ passes: number | undefined; text: string }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = [...text.matchAll(/^sluice_passes_total\{[^}]*\} (\d+)$/gm)].map((one) => Number(one[1]));
  return { passes: found.reduce((all, one) => all + one, 0), text };
}

/** The bound of the bucket that holds this share of what was counted between two texts. */
function lateness(before: string, after: string, share: number): string {
  const buckets = (text: string) =>
    [...text.matchAll(/^sluice_pass_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)].map(
      (one) => [one[1] ?? "", Number(one[2])] as const,
    );
  const earlier = new Map(buckets(before));
  const counted = buckets(after).map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)] as const);
  const all = counted.at(-1)?.[1] ?? 0;
  const bound = counted.find(([, count]) => count >= share * all)?.[0];
  return bound === undefined || all === 0 ? "not counted" : `at most ${bound} s`;
}

const auditLines = async (set: Stage) =>
  (await readFile(set.cluster.auditLog ?? "", "utf8")).trim().split("\n");

function callsOf(lines: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const { verb, user, objectRef } = JSON.parse(line) as {
      verb: string;
      user: { username: string };
      objectRef?: { resource?: string; subresource?: string };
    };
    if (user.username !== "system:serviceaccount:sluice-system:sluice") continue;
    const name = `${verb} ${objectRef?.resource ?? ""}${objectRef?.subresource === undefined ? "" : `/${objectRef.subresource}`}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ") || "none";
}

const members = (running: OperatorProcess) => [
  { program: "operator", pid: running.pid },
  ...processes(running.pid).map(({ program, pid }) => ({ program, pid })),
];
const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
const PROGRAMS = ["operator", "supervisor", "sandbox"];

const memoryOf = (running: OperatorProcess) =>
  PROGRAMS.map(
    (name) =>
      `${sum(
        members(running)
          .filter(({ program }) => program === name)
          .map(({ pid }) => rssMb(pid)),
      ).toFixed(0)} MB`,
  ).join(", ");

function cpuSeconds(running: OperatorProcess): Map<number, { program: string; seconds: number }> {
  return new Map(members(running).map(({ program, pid }) => [pid, { program, seconds: cpuOf(pid) }]));
}

/** User and system time in the hundredths of a second that Linux counts in. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function shareOf(
  before: ReturnType<typeof cpuSeconds>,
  after: ReturnType<typeof cpuSeconds>,
  seconds: number,
): string {
  return PROGRAMS.map((name) => {
    const used = [...after]
      .filter(([, one]) => one.program === name)
      .map(([pid, one]) => one.seconds - (before.get(pid)?.seconds ?? 0));
    return `${(sum(used) / seconds).toFixed(2)} s`;
  }).join(", ");
}

/** Established connections of the operator to the API server's port. */
/** Established connections of the operator's own process; the machine's table holds everybody's. */
function connectionsTo(set: Stage, running: OperatorProcess): number {
  const port = Number(new URL(set.cluster.server).port).toString(16).toUpperCase().padStart(4, "0");
  const folder = `/proc/${running.pid}/fd`;
  const own = new Set(readdirSync(folder).flatMap((name) => inodeOf(join(folder, name))));
  return readFileSync(`/proc/${running.pid}/net/tcp`, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[2]?.endsWith(`:${port}`) === true && fields[3] === "01")
    .filter((fields) => own.has(fields[9] ?? "")).length;
}

function inodeOf(path: string): readonly string[] {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(path)) ?? [];
    return inode === undefined ? [] : [inode];
  } catch {
    // Closed since the folder was read.
    return [];
  }
}

async function sizeOf(state: string): Promise<number> {
  const sizes = await Promise.all(
    ["knowledge.db", "knowledge.db-wal"].map((name) =>
      stat(join(state, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sum(sizes);
}
