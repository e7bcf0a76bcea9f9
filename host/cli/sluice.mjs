#!/usr/bin/env node
// The `sluice` command. Plain JavaScript, because the Node that starts it may be older than the one that Sluice runs on.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const NODE_NEEDED = [24, 15];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const newEnough = major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1]);

if (newEnough) await import("./main.ts");
else runUnder(fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url)));

function runUnder(node) {
  if (!existsSync(node)) {
    process.stderr.write(
      "sluice: Node 24 is missing: run `npm ci --include=optional`, or start this with Node 24.15 or newer.\n",
    );
    process.exit(1);
  }
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const command = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to the command as well: it ends by itself, and this waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => command.kill("SIGTERM"));
  command.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
}
