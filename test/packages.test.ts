import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const DIRECT = 16;
const WITH_WHAT_THEY_BRING = 150;

interface Entry {
  readonly dev?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const read = async (file: string) =>
  JSON.parse(await readFile(join(ROOT, file), "utf8")) as Record<string, Record<string, unknown>>;
const manifest = await read("package.json");
const packages = (await read("package-lock.json"))["packages"] as Record<string, Entry>;
const names = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));

test("packages are few, and their versions exact", () => {
  const direct = { ...manifest["dependencies"], ...manifest["optionalDependencies"] };
  expect(Object.keys(direct).length).toBeLessThanOrEqual(DIRECT);
  const all = { ...direct, ...manifest["devDependencies"] } as Record<string, string>;
  expect(Object.values(all).filter((version) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  const shipped = Object.values(packages).filter((entry) => entry.dev !== true);
  expect(shipped.length).toBeLessThanOrEqual(WITH_WHAT_THEY_BRING);
});

test("no package runs a script when it is installed", () => {
  expect(Object.keys(packages).filter((path) => packages[path]?.hasInstallScript === true)).toEqual([]);
});

test("the lock file holds every platform's packages and no registry's address, so that a clean install works everywhere", () => {
  const missing = Object.values(packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}).filter((name) => !names.has(name)),
  );
  expect(missing).toEqual([]);
  expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
});
