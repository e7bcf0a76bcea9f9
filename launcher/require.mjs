// Says in one line what a run of the tests is missing. Runs before anything else, on any Node.
import { spawnSync } from "node:child_process";
import { installation, machineProblem, nodeBinary } from "./requirements.mjs";

const installed = installation();
const problem =
  machineProblem() ??
  installed.problem ??
  (installed.state === "stale"
    ? "Packages are not installed as the lock file says: run `npm cit`."
    : undefined) ??
  (nodeBinary() === undefined
    ? "Node 24 is missing: run `npm ci --include=optional`, or install it."
    : undefined) ??
  goProblem();

if (problem !== undefined) {
  process.stderr.write(`sluice: ${problem}\n`);
  process.exit(1);
}

function goProblem() {
  if (process.env.SLUICE_TESTWORLD) return undefined;
  const go = spawnSync("go", ["version"], { encoding: "utf8" });
  if (go.status === 0) return undefined;
  return "Go is missing, which the cluster tests are built with: install Go 1.26 or newer and put it on PATH (or set SLUICE_TESTWORLD to a binary that was built elsewhere).";
}
