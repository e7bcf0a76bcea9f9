// `npm run bench`: what Sluice costs, as a table with the machine's description. Nothing else should run meanwhile.
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { benchAlgorithms } from "../test/bench/algorithms.ts";
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
const rust = new Uint8Array(await readFile("test/guests/rust.wasm"));
const rows = [
  ...(await benchEngine(threshold.file)),
  ...benchFuel(threshold.file),
  ...(await benchAlgorithms(algorithms)),
  ...(await benchPeers({ Rust: rust })),
  ...(await benchPool()),
  ...(await operatorIdle()),
];
for (const { what, figure } of rows) {
  process.stdout.write(`${what.padEnd(80)} ${figure}\n`);
}
