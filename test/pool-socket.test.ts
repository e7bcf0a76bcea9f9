import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEngine, type SandboxEngine } from "../host/engine/index.ts";
import { readFlags } from "../host/flags.ts";
import { tenantKey } from "../host/policy/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { until } from "./engine/bed.ts";
import { answering, digestOf, doing } from "./hostile/wat.ts";

const PROGRAM = resolve(import.meta.dirname, "../host/engine/supervisor/main.ts");
const plan = '{"nodes":{}}';
const modules = new Map(
  [answering({ plan }), doing("(loop $l (br $l))")].map((one) => [digestOf(one), one] as const),
);
const [good = "", endless = ""] = modules.keys();

/** A supervisor that listens, as it runs in a container of its own. */
async function listening(socket: string, ...flags: string[]) {
  const child = spawn(process.execPath, ["--no-warnings", PROGRAM, "--listen", socket, ...flags], {
    env: {},
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  await Promise.race([until(() => said.includes("listening")), ended]);
  return {
    ended,
    said: () => said,
    /** Its processes, those that serve and those that wait. */
    sandboxes: async () => {
      const tasks = await readdir(`/proc/${child.pid}/task`);
      const children = tasks.map((task) => readFile(`/proc/${child.pid}/task/${task}/children`, "utf8"));
      return (await Promise.all(children)).join(" ").trim().split(/\s+/).map(Number);
    },
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

type StepLimits = Parameters<SandboxEngine["pass"]>[0]["limits"];
const limits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
const pass = (engine: SandboxEngine, tenant: string, digest = good, over: StepLimits = limits) =>
  engine.pass({
    tenant: tenantKey(tenant),
    steps: [{ step: "plan", digest }],
    texts: {},
    limits: over,
  });

describe("replicas that share a supervisor", () => {
  let folder: string;
  let socket: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-pool-"));
    socket = join(folder, "supervisor.sock");
  });
  afterAll(() => rm(folder, { recursive: true }));
  const replica = (path = socket) =>
    startEngine({
      socket: path,
      modules: async (_tenant, digest) => modules.get(digest) ?? new Uint8Array(),
    });

  test("share its processes, however many they are: 3 replicas and 6 tenants in the 2 that serve", async () => {
    const supervisor = await listening(socket, "--sandboxes", "2", "--isolation", "tenant");
    const replicas = await Promise.all([replica(), replica(), replica()]);
    const passes = replicas.flatMap((one, at) => [
      pass(one, `a${at}`),
      pass(one, `b${at}`),
      pass(one, "all"),
    ]);
    for (const { answers } of await Promise.all(passes)) expect(answers).toEqual({ plan });
    expect((await supervisor.sandboxes()).length).toBeLessThanOrEqual(3);
    await Promise.all(replicas.map((one) => one.close()));
    await supervisor.stop();
  });

  test("do not lose a pass when another goes away in the middle of its own", async () => {
    const path = join(folder, "leaving.sock");
    const supervisor = await listening(path, "--sandboxes", "1", "--isolation", "shared");
    const [leaving, staying] = await Promise.all([replica(path), replica(path)]);
    await pass(staying, "stays");
    const long = { cpuMs: 300, wallMs: limits.wallMs, fuel: 1e12 };
    const left = Array.from({ length: 5 }, () =>
      pass(leaving, "leaves", endless, long).then(
        () => "ran",
        (fault: { code: string }) => fault.code,
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await leaving.close();
    expect((await pass(staying, "stays")).answers).toEqual({ plan });
    expect(await Promise.all(left)).toEqual(Array(5).fill("SandboxLost"));
    await staying.close();
    await supervisor.stop();
  });

  test.each([
    ["--isolation", "both", "it takes tenant or shared"],
    ["--blanks", "0", "it takes a whole number from 1"],
    ["--sandboxes", "many", "it takes a whole number from 1"],
  ])("do not find one that was told %s %s", async (flag, value, message) => {
    const supervisor = await listening(join(folder, "wrong.sock"), flag, value);
    expect(await supervisor.ended).toBe(1);
    expect(supervisor.said()).toContain(message);
  });
});

describe("the operator's flags", () => {
  test("keep tenants apart and one blank ready, unless they say otherwise", () => {
    expect(readFlags(["operator"])).toMatchObject({ isolation: "tenant", blanks: 1, sandboxes: 8 });
    expect(readFlags(["operator", "--isolation", "shared", "--blanks", "4"])).toMatchObject({
      isolation: "shared",
      blanks: 4,
    });
  });

  test("name what they take where they are wrong", () => {
    expect(() => readFlags(["operator", "--isolation", "none"])).toThrow("--isolation none");
    expect(() => readFlags(["operator", "--blanks", "0"])).toThrow("--blanks 0");
  });
});
