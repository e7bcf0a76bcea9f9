import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import { measureAlgorithms, withFigures, type Figures } from "./bench/algorithms.ts";

/** Enough for what is the same on every machine: only the times need more. */
const PASSES = 12;

describe("what the README of an algorithm says that it takes for a hundred nodes", () => {
  let measured: readonly Figures[];
  beforeAll(async () => {
    measured = await measureAlgorithms(await buildAlgorithms(), PASSES);
  }, 120_000);

  test("is the fuel and the memory that it takes here, and within the limits", async () => {
    expect(measured.length).toBeGreaterThan(9);
    for (const figures of measured) {
      const readme = await readFile(`algorithms/${figures.name}/README.md`, "utf8");
      const { ms } = /\| (?<ms>[\d.]+) ms +\|\n\n<!-- \/figures -->/.exec(readme)?.groups ?? {};
      expect(readme, figures.name).toBe(withFigures(readme, { ...figures, ms: Number(ms) }));
      expect(figures.fuel).toBeLessThan(50e6);
    }
  });

  test("has its place in every README", () => {
    expect(() =>
      withFigures("# an algorithm", { name: "a", ms: 1, fuel: 1, pages: 1, moduleBytes: 1 }),
    ).toThrow("there is no <!-- figures");
  });
});
