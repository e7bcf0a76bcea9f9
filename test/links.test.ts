import { existsSync, statSync } from "node:fs";
import { glob, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const PAGES = ["README.md", "docs/**/*.md", "algorithms/*/README.md", "pdk/**/*.md", "test/**/README.md"];
const LINK = /\]\((?<to>[^)\s]+)\)/g;
/** Blocks of code have brackets of their own. */
const CODE = /```[\s\S]*?```|`[^`\n]*`/g;

/** What stands behind the # of a link to a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

async function anchorsOf(page: string): Promise<string[]> {
  const text = (await readFile(page, "utf8")).replaceAll(/```[\s\S]*?```/g, "");
  return [...text.matchAll(/^#+ (?<heading>.+)$/gm)].map((found) =>
    anchorOf(found.groups?.["heading"] ?? ""),
  );
}

async function leadsNowhere(page: string, to: string): Promise<boolean> {
  if (/^[a-z]+:/.test(to)) return false;
  const [path = "", anchor] = to.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(file)) return true;
  if (anchor === undefined) return false;
  return statSync(file).isDirectory() || !(await anchorsOf(file)).includes(anchor);
}

test("every link of the documentation leads to a file, and to a heading that is there", async () => {
  const pages: string[] = [];
  for await (const page of glob(PAGES, { cwd: ROOT, exclude: (name) => name.includes("node_modules") }))
    pages.push(resolve(ROOT, page));
  const dead: string[] = [];
  let links = 0;
  for (const page of pages) {
    const text = (await readFile(page, "utf8")).replaceAll(CODE, "");
    for (const { groups } of text.matchAll(LINK)) {
      links += 1;
      const to = groups?.["to"] ?? "";
      if (await leadsNowhere(page, to)) dead.push(`${page.slice(ROOT.length + 1)}: ${to}`);
    }
  }
  expect(dead).toEqual([]);
  expect(pages.length).toBeGreaterThan(25);
  expect(links).toBeGreaterThan(60);
});

test("a heading is linked by its words", () => {
  expect(anchorOf("Fuel, and what `it` is: 200,000 a ms")).toBe("fuel-and-what-it-is-200000-a-ms");
});
