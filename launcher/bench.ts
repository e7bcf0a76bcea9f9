// `npm run bench`: what Sluice costs, as a table with the machine's description. Nothing else should run meanwhile. Parts may be
// named (engine, fuel, algorithms, peers, pool, operator); `--write` puts what algorithms take into their READMEs.
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { measureAlgorithms, rowsOf, withFigures } from "../test/bench/algorithms.ts";
import { benchEngine } from "../test/bench/engine.ts";
import { benchFuel } from "../test/bench/fuel.ts";
import { benchPool } from "../test/bench/pool.ts";
import { buildAlgorithms } from "./build/algorithms.ts";
import { benchPeers } from "../test/bench/peers.ts";
import { operatorIdle } from "../test/bench/operator.ts";

const algorithms = await buildAlgorithms();
const threshold = algorithms.find((one) => one.name === "threshold");
if (threshold === undefined) throw new Error("the algorithm threshold was not built");
const load = loadavg()[0]?.toFixed(2) ?? "?";
const gib = (totalmem() / 1_024 ** 3).toFixed(0);
process.stdout.write(
  `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? "?"}), ${gib} GiB, Linux ${release()}, Node ${process.versions.node}, load ${load}\n\n`,
);
const parts = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const isAsked = (part: string) => parts.length === 0 || parts.includes(part);

async function benchAlgorithms() {
  const measured = await measureAlgorithms(algorithms);
  if (process.argv.includes("--write")) {
    for (const figures of measured) {
      const readme = `algorithms/${figures.name}/README.md`;
      await writeFile(readme, withFigures(await readFile(readme, "utf8"), figures));
    }
  }
  return rowsOf(measured);
}

const rust = async () => ({ Rust: new Uint8Array(await readFile("test/guests/rust.wasm")) });
const rows = [
  ...(isAsked("engine") ? await benchEngine(threshold.file) : []),
  ...(isAsked("fuel") ? benchFuel(threshold.file) : []),
  ...(isAsked("algorithms") ? await benchAlgorithms() : []),
  ...(isAsked("peers") ? await benchPeers(await rust()) : []),
  ...(isAsked("pool") ? await benchPool() : []),
  ...(isAsked("operator") ? await operatorIdle() : []),
];
for (const { what, figure } of rows) {
  process.stdout.write(`${what.padEnd(80)} ${figure}\n`);
}
