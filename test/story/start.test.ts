import { spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../engine/bed.ts";
import { ROOT } from "./bed.ts";
import { eventually } from "./operator.ts";

/** What a fresh clone does not have. */
const MADE = ["node_modules", "build", ".git", ".sluice"];
let clone: string;

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "sluice-clone-"));
  cpSync(ROOT, clone, { recursive: true, filter: (path) => !MADE.includes(relative(ROOT, path)) });
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  output(): string;
  readonly ended: Promise<number | null>;
}

/** Runs `npm start` as somebody would who has just cloned: with the machine's own Node, and nothing of ours in the environment. */
function npmStart(options: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|VITEST)/.test(name));
  const path = (process.env["PATH"] ?? "").split(":").filter((folder) => !folder.includes("node_modules"));
  const child = spawn("npm", ["start", "--", ...options], {
    cwd: clone,
    env: { ...Object.fromEntries(clean), PATH: path.join(":"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that Ctrl-C reaches all of it as a terminal's does.
    detached: true,
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text));
  return { child, output: () => output, ended: new Promise((resolve) => child.on("exit", resolve)) };
}

const consoleOf = (started: Started, timeoutMs: number) =>
  eventually(
    async () => /console on (http:\/\/127\.0\.0\.1:\d+)/.exec(started.output())?.[1] ?? started.output(),
    (seen) => /^http:\/\/127\.0\.0\.1:\d+$/.test(seen) || started.child.exitCode !== null,
    timeoutMs,
  );

interface Shown {
  readonly policies: readonly {
    readonly number: number;
    readonly nodes: readonly { name: string; rate?: number; granted: number }[];
  }[];
}
const shown = async (url: string) => (await (await fetch(`${url}/api/v1/policies`)).json()) as Shown;

/** Ctrl-C in a terminal reaches npm, the launcher and the host alike; returns whether all of them are gone in time. */
async function ctrlC({ child, ended }: Started): Promise<boolean> {
  const group = -(child.pid ?? 0);
  process.kill(group, "SIGINT");
  await ended;
  return until(() => {
    try {
      process.kill(group, 0);
      return false;
    } catch {
      return true;
    }
  });
}

test("a fresh clone installs, builds and scales the simulated application, also where NODE_ENV is production", async () => {
  const started = npmStart(["--port", "0"], { NODE_ENV: "production" });
  const url = await consoleOf(started, 240_000);
  const view = await eventually(
    () => shown(url),
    ({ policies }) => (policies[0]?.nodes.find(({ name }) => name === "count")?.granted ?? 0) >= 3,
    60_000,
  );
  expect(view.policies[0]?.nodes.map((node) => node.name)).toEqual(["source", "split", "count", "sink"]);
  expect(view.policies[0]?.nodes.every((node) => (node.rate ?? 0) > 0)).toBe(true);

  const page = await fetch(url);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain("<title>Sluice");
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/sluice_passes_total\{outcome="Scaled"\} [1-9]/);
  expect(metrics).toMatch(/nodejs_version_info\{version="v24\./);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  // What each pass did is told as it happens, one line each where there is no terminal.
  expect(started.output()).toMatch(/demo\/word-count pass \d+ Scaled: /);

  expect(await ctrlC(started)).toBe(true);
  expect(started.output()).not.toMatch(/error/i);
}, 300_000);

test("a second start installs nothing and goes on from what the first one learned", async () => {
  const started = npmStart(["--port", "0"]);
  const url = await consoleOf(started, 60_000);
  const { policies } = await eventually(
    () => shown(url),
    (view) => view.policies.length > 0,
  );
  expect(started.output()).not.toContain("installing");
  expect(policies[0]?.number).toBeGreaterThan(3);
  expect(await ctrlC(started)).toBe(true);
}, 120_000);

test("a port that is taken is said in one line, with the remedy", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const { port } = holder.address() as AddressInfo;
  const started = npmStart(["--port", String(port)]);
  expect(await started.ended).toBe(1);
  const said = started
    .output()
    .split("\n")
    .filter((line) => line.startsWith("sluice:"));
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(new RegExp(`PortTaken: .*${port}.*--port N`));
  await new Promise((resolve) => holder.close(resolve));
}, 60_000);

test("it ends by itself when it is asked to, and leaves its knowledge behind", async () => {
  const started = npmStart(["--port", "0", "--for", "3s"]);
  expect(await started.ended).toBe(0);
  expect(existsSync(join(clone, ".sluice/knowledge.db"))).toBe(true);
}, 60_000);
