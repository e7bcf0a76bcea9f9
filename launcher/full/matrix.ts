import { readFile, writeFile } from "node:fs/promises";

/** What vitest reports of a file of tests. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly Cell[];
  }[];
}
interface Cell {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
  readonly duration?: number | null;
}

const HEAD = `# Fault matrix

What was done to a running operator, its surroundings and its replicas, on a real API server, and how each cell ended. A
cell is green only if what it says came true, what is wanted was there afterwards, and every write that was ever made was
made as the tenant's account, on a version that was read, with the object's UID, of a number within the bounds. Cells that
change the load check besides that no other number was written than the one that was wanted.

Written by \`npm run test:full\`, which takes about an hour; \`npm test\` runs the first table's cells with every change.
Crashes between any two steps of a decision, disks that fill up, clocks that jump and 2,000 random histories are
[simulated](../explanation/execution.md) besides.
`;

/** A run of cells, and what of them the page's head does not say. */
interface Run {
  readonly title: string;
  readonly about?: string;
  readonly report: string;
}

/** Writes docs/reference/fault-matrix.md from the reports of the runs, one table each. */
export async function writeMatrix(runs: readonly Run[]): Promise<void> {
  const parts = [HEAD];
  for (const { title, about, report } of runs) {
    const { testResults } = JSON.parse(await readFile(report, "utf8")) as Report;
    const cells = testResults.flatMap(({ assertionResults }) => assertionResults);
    const green = cells.filter(({ status }) => status === "passed").length;
    const words = about === undefined ? "" : `${about}\n\n`;
    parts.push(
      `\n## ${title}\n\n${words}${green} of ${cells.length} cells green.\n\n| what | cell | green | seconds |\n|---|---|---|---|\n`,
    );
    parts.push(...cells.map(rowOf));
  }
  await writeFile("docs/reference/fault-matrix.md", parts.join(""));
}

function rowOf({ ancestorTitles, title, status, duration }: Cell): string {
  const what = ancestorTitles.filter((one) => one !== "").join(" ");
  const seconds = ((duration ?? 0) / 1_000).toFixed(0);
  return `| ${what} | ${title} | ${status === "passed" ? "yes" : "no"} | ${seconds} |\n`;
}
