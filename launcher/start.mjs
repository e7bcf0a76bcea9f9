// `npm start`: installs what the lock file asks for, builds the algorithms, and runs the standalone host under Node 24.
// Plain JavaScript, because the Node that starts it may be older than the one that Sluice runs on.
import { spawn, spawnSync } from "node:child_process";
import { installation, machineProblem, nodeBinary, ROOT } from "./requirements.mjs";

const HELP = `Sluice, standalone: the autoscaling host over a simulated streaming application, without a cluster.

  npm start                       run it; Ctrl-C ends it, and the next start continues from what it learned
  npm start -- --port 9090        serve the console elsewhere (default 127.0.0.1:8080)
  npm start -- --state DIR        keep knowledge elsewhere (default .sluice/)
  npm start -- --policy FILE      run your own ScalingPolicy over the simulated application
  npm start -- --for 30s          end by itself after a while
  npm start -- --help             this text

The console answers on /, its data on /api/v1/policies, metrics on /metrics, probes on /healthz and /readyz.
`;

main();

function main() {
  const options = process.argv.slice(2);
  if (options.includes("--help") || options.includes("-h")) return void process.stdout.write(HELP);
  const problem = machineProblem();
  if (problem !== undefined) return fail(problem);
  const before = installation();
  if (before.problem !== undefined) return fail(before.problem);
  if (before.state === "stale") install();
  const node = nodeBinary();
  if (node === undefined) return fail("Node 24 is missing: run `npm ci --include=dev --include=optional`.");
  const built = spawnSync(node, ["--no-warnings", "launcher/build.ts"], { cwd: ROOT, stdio: "inherit" });
  if (built.status !== 0) process.exit(built.status ?? 1);
  run(node, options);
}

function install() {
  process.stderr.write("sluice: installing packages, as the lock file says\n");
  const flags = ["ci", "--include=dev", "--include=optional", "--loglevel=error"];
  const done = spawnSync("npm", flags, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0)
    fail("The packages could not be installed: see the lines above, and run `npm ci` for more of them.");
}

function run(node, options) {
  const host = spawn(node, ["--no-warnings", "host/main.ts", "standalone", ...options], {
    cwd: ROOT,
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to the host as well: it ends by itself, and this waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => host.kill("SIGTERM"));
  host.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 0 : 1)));
}

function fail(problem) {
  process.stderr.write(`sluice: ${problem}\n`);
  process.exit(1);
}
