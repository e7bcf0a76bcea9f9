// `npm run check`: types, lint, format, unused code and generated files, each by its own tool.
import { spawnSync } from "node:child_process";

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  types: ["tsc", "-p", "."],
  lint: ["oxlint", "--type-aware", "--deny-warnings"],
  format: ["prettier", "--check", "--log-level", "warn", "."],
  unused: ["knip"],
  generated: ["node", "--no-warnings", "launcher/generate.ts", "--check"],
};

const failed = Object.entries(CHECKS).flatMap(([name, [command = "", ...options]]) => {
  const began = performance.now();
  const { status } = spawnSync(command, options, { stdio: "inherit" });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  process.stdout.write(`${name}: ${status === 0 ? "ok" : "failed"} (${seconds} s)\n`);
  return status === 0 ? [] : [name];
});
process.exitCode = failed.length > 0 ? 1 : 0;
