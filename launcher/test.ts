// `npm test`: everything that has to hold before a change lands, and a plain closing line.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { helmBinary, prometheusBinary, testworldBinary } from "../test/world/build.ts";

const REPORT = "build/test-report.json";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
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
  run("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`, ...files]);
  const report = await readReport();
  if (report === undefined) return close(0, 1, 0);
  printSuites(report);
  const broken = report.testResults.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + broken + (checked ? 0 : 1) + (built ? 0 : 1);
  // Where everything is to be had, a test that was left out is a failure.
  const skippedIsFailure = process.env["CI"] === "true" ? report.numPendingTests : 0;
  return close(
    report.numPassedTests + (checked ? 1 : 0),
    failed + skippedIsFailure,
    report.numPendingTests - skippedIsFailure,
  );
}

function run(command: string, options: readonly string[]): boolean {
  return spawnSync(command, options, { stdio: "inherit" }).status === 0;
}

async function readReport(): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(REPORT, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

function printSuites({ testResults }: Report): void {
  process.stdout.write("\nseconds per suite\n");
  for (const suite of [...testResults].sort((a, b) => b.endTime - b.startTime - (a.endTime - a.startTime))) {
    const seconds = ((suite.endTime - suite.startTime) / 1_000).toFixed(1).padStart(7);
    process.stdout.write(`${seconds}  ${suite.name.replace(`${process.cwd()}/`, "")}\n`);
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
