import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
let copy: string;

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "sluice-launcher-"));
  cpSync(join(ROOT, "launcher"), join(copy, "launcher"), { recursive: true });
  cpSync(join(ROOT, "package-lock.json"), join(copy, "package-lock.json"));
  mkdirSync(join(copy, "node_modules"));
});
afterEach(() => rmSync(copy, { recursive: true }));

interface Lock {
  packages: Record<string, { version?: string; dev?: boolean; optional?: boolean }>;
}
const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;

/** Leaves behind what npm writes after an install of only some packages. */
function installed(keep: (entry: Lock["packages"][string]) => boolean): void {
  const packages = Object.fromEntries(
    Object.entries(lock.packages).filter(([path, entry]) => path !== "" && keep(entry)),
  );
  writeFileSync(join(copy, "node_modules/.package-lock.json"), JSON.stringify({ packages }));
}

/** Runs a launcher as a machine would that says these things of itself. */
function launch(script: string, says: Record<string, unknown> = {}, env: NodeJS.ProcessEnv = {}) {
  const lies = Object.entries(says).map(
    ([name, value]) =>
      `Object.defineProperty(process,${JSON.stringify(name)},{value:${JSON.stringify(value)}});`,
  );
  const options = [
    "--import",
    `data:text/javascript,${encodeURIComponent(lies.join(""))}`,
    join(copy, "launcher", script),
  ];
  const done = spawnSync(process.execPath, options, {
    encoding: "utf8",
    cwd: copy,
    env: { ...process.env, ...env },
  });
  return { status: done.status, says: done.stderr.trim() };
}

describe("what is missing is said in one line, with the remedy", () => {
  test("another operating system", () => {
    expect(launch("start.mjs", { platform: "darwin" })).toEqual({
      status: 1,
      says: "sluice: Sluice runs on Linux, and this is darwin: use a Linux machine, container or virtual machine.",
    });
  });

  test("another architecture, on a Node that is too old to do without npm's", () => {
    expect(
      launch("start.mjs", { arch: "riscv64", versions: { ...process.versions, node: "20.20.2" } }),
    ).toEqual({
      status: 1,
      says: "sluice: npm has no Node 24 for linux-riscv64: install Node 24.15 or newer for it and run this with it.",
    });
  });

  test("a Node that is too old to start with", () => {
    expect(launch("start.mjs", { versions: { ...process.versions, node: "18.0.0" } }).says).toBe(
      "sluice: Node 18.0.0 is too old to start with: install Node 20 or newer.",
    );
  });

  test.each(["start.mjs", "require.mjs"])(
    "development packages that were left out, as NODE_ENV=production does (%s)",
    (script) => {
      installed((entry) => entry.dev !== true);
      expect(launch(script)).toEqual({
        status: 1,
        says: "sluice: Development packages are missing (NODE_ENV=production or --omit=dev): run `npm ci --include=dev --include=optional`.",
      });
    },
  );

  test.each(["start.mjs", "require.mjs"])(
    "optional packages that were left out, Node 24 among them (%s)",
    (script) => {
      installed((entry) => entry.optional !== true);
      expect(launch(script)).toEqual({
        status: 1,
        says: "sluice: Optional packages are missing (--omit=optional), among them Node 24: run `npm ci --include=dev --include=optional`.",
      });
    },
  );

  test("packages that are not as the lock file says, before the tests", () => {
    expect(launch("require.mjs").says).toBe(
      "sluice: Packages are not installed as the lock file says: run `npm cit`.",
    );
  });

  test("Go, before the tests", () => {
    installed(() => true);
    const { status, says } = launch("require.mjs", {}, { PATH: "/nowhere", SLUICE_TESTWORLD: "" });
    expect(status).toBe(1);
    expect(says).toMatch(/^sluice: Go is missing, .*: install Go 1\.26 or newer and put it on PATH/);
    expect(says.split("\n")).toHaveLength(1);
  });
});

test("`npm start -- --help` explains itself without installing anything", () => {
  const done = spawnSync(process.execPath, [join(copy, "launcher/start.mjs"), "--help"], {
    encoding: "utf8",
  });
  expect(done.status).toBe(0);
  expect(done.stdout).toContain("npm start -- --port 9090");
});
