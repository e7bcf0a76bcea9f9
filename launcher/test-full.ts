// `npm run test:full`: what takes longer than a change should wait, about an hour. Files may be named, as for `npm test`.
import { spawnSync } from "node:child_process";

const files = process.argv.slice(2);
const vitest = (config: readonly string[], environment: NodeJS.ProcessEnv = {}): boolean => {
  const env = { ...process.env, ...environment };
  return (
    spawnSync("vitest", ["run", "--no-file-parallelism", ...config], { stdio: "inherit", env }).status === 0
  );
};

const built = spawnSync("node", ["--no-warnings", "launcher/build.ts"], { stdio: "inherit" }).status === 0;
const faults = vitest(["--config", "vitest.full.config.ts", ...files]);
// Fifty replicas are killed, with leases as they are by default.
const replicas = files.length > 0 || vitest(["test/story/replicas.test.ts"], { SLUICE_FAILOVERS: "50" });
process.exitCode = built && faults && replicas ? 0 : 1;
