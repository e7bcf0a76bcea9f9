// `npm run generate`: writes everything that is derived from a source in this repository; `--check` only compares.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { generateContract } from "./generate/contract.ts";
import { generateCrds } from "./generate/crd.ts";
import { generateEvents } from "./generate/events.ts";
import { generateFaults } from "./generate/faults.ts";
import { generateMetrics } from "./generate/metrics.ts";
import { generateReference } from "./generate/reference.ts";
import { generateTypes } from "./generate/types.ts";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const check = process.argv.includes("--check");
const files = [
  generateContract,
  generateCrds,
  generateEvents,
  generateFaults,
  generateMetrics,
  generateReference,
  generateTypes,
].map((generate) => generate());
const stale: string[] = [];
for (const generated of await Promise.all(files)) {
  for (const [path, content] of generated) {
    const present = await readFile(path, "utf8").catch(() => undefined);
    if (present === content) continue;
    stale.push(path);
    if (check) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
if (stale.length > 0)
  process.stdout.write(`${check ? "out of date, run `npm run generate`" : "written"}: ${stale.join(", ")}\n`);
if (check && stale.length > 0) process.exitCode = 1;
