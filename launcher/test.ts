// `npm test`: everything that has to hold before a change lands, and a plain closing line.
//
// Suites drive real servers, each with times of its own, on a machine that others may use too. A suite that failed is
// run once more, alone; if it holds then, that is said by name in the closing lines, since it is a fault of the suite.
import { spawnSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { helmBinary, prometheusBinary, testworldBinary } from "../test/world/build.ts";

const REPORT = "build/test-report.json";
/** More suites than these that fail are no accident of the machine, and are not run again. */
const AGAIN_AT_MOST = 4;

interface Report {
  readonly testResults: readonly Suite[];
}
interface Suite {
  readonly name: string;
  readonly status: string;
  readonly startTime: number;
  readonly endTime: number;
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
}

process.exitCode = await main();

async function main(): Promise<number> {
  const checked = run("node", ["--no-warnings", "launcher/check.ts"]);
  const built = run("node", ["--no-warnings", "launcher/build.ts"]);
  try {
    await testworldBinary();
    await prometheusBinary();
    await helmBinary();
  } catch (thrown) {
    process.stderr.write(`sluice: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return close(0, 1, 0);
  }
  const files = process.argv.slice(2);
  const first = await runSuites(files);
  if (first === undefined) return close(0, 1, 0);
  const { report, unsteady } = await againAlone(first);
  printSuites(report);
  if (unsteady.length > 0)
    process.stdout.write(`\nUNSTEADY, held only when it was run again:\n  ${unsteady.join("\n  ")}\n`);
  const failed = failedIn(report) + (checked ? 0 : 1) + (built ? 0 : 1);
  // Where everything is to be had, a test that was left out is a failure.
  const skipped = count(report, (status) => status !== "passed" && status !== "failed");
  const skippedIsFailure = process.env["CI"] === "true" ? skipped : 0;
  return close(
    count(report, (status) => status === "passed") + (checked ? 1 : 0),
    failed + skippedIsFailure,
    skipped - skippedIsFailure,
  );
}

async function runSuites(
  files: readonly string[],
  options: readonly string[] = [],
): Promise<Report | undefined> {
  await rm(REPORT, { force: true });
  run("vitest", [
    ...["run", "--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`],
    ...options,
    ...files,
  ]);
  try {
    return JSON.parse(await readFile(REPORT, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

/** The report in which each suite that failed is replaced by its second run, and the names of what held only then. */
async function againAlone(report: Report): Promise<{ report: Report; unsteady: readonly string[] }> {
  const failed = report.testResults.filter(({ status }) => status === "failed");
  if (failed.length === 0 || failed.length > AGAIN_AT_MOST) return { report, unsteady: [] };
  const again = await runSuites(
    failed.map(({ name }) => name),
    ["--no-file-parallelism"],
  );
  const second = again?.testResults ?? [];
  const results = report.testResults.map((suite) => second.find(({ name }) => name === suite.name) ?? suite);
  const held = second.filter(({ status }) => status === "passed").map(({ name }) => name);
  const unsteady = failed
    .filter(({ name }) => held.includes(name))
    .flatMap((suite) => [
      short(suite),
      ...suite.assertionResults.filter(isFailed).map(({ fullName }) => fullName),
    ]);
  return { report: { testResults: results }, unsteady };
}

function isFailed({ status }: { readonly status: string }): boolean {
  return status === "failed";
}

function short({ name }: Suite): string {
  return name.replace(`${process.cwd()}/`, "");
}

function count({ testResults }: Report, of: (status: string) => boolean): number {
  return testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => of(status))
    .length;
}

/** How many tests failed; a suite that could not be run at all is one. */
function failedIn(report: Report): number {
  const broken = report.testResults.filter(
    (suite) => suite.status === "failed" && !suite.assertionResults.some(isFailed),
  );
  return count(report, (status) => status === "failed") + broken.length;
}

function run(command: string, options: readonly string[]): boolean {
  return spawnSync(command, options, { stdio: "inherit" }).status === 0;
}

function printSuites({ testResults }: Report): void {
  process.stdout.write("\nseconds per suite\n");
  for (const suite of [...testResults].sort((a, b) => b.endTime - b.startTime - (a.endTime - a.startTime))) {
    const seconds = ((suite.endTime - suite.startTime) / 1_000).toFixed(1).padStart(7);
    process.stdout.write(`${seconds}  ${short(suite)}\n`);
    for (const test of suite.assertionResults) {
      if (test.status !== "passed" && test.status !== "failed")
        process.stdout.write(`         skipped: ${test.fullName}\n`);
    }
  }
}

function close(passed: number, failed: number, skipped: number): number {
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}
