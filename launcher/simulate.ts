// `npm run simulate:faults`: a million seeds of bad days. Takes `--from N` and `--seeds N`; a seed that breaks a rule is
// named, and repeats exactly with `--from <seed> --seeds 1`.
import { parseArgs } from "node:util";
import { simulate } from "../test/simulation/simulate.ts";

const { values } = parseArgs({
  options: { from: { type: "string", default: "1" }, seeds: { type: "string", default: "1000000" } },
});
const first = Number(values.from);
const seeds = Number(values.seeds);
const sum = { writes: 0, lives: 0, simulatedMs: 0, broken: 0 };
const began = performance.now();
for (let seed = first; seed < first + seeds; seed += 1) {
  const { broken, writes, lives, simulatedMs } = await simulate(seed);
  for (const what of broken) process.stdout.write(`seed ${seed}: ${what}\n`);
  sum.writes += writes;
  sum.lives += lives;
  sum.simulatedMs += simulatedMs;
  sum.broken += broken.length > 0 ? 1 : 0;
}
const days = (sum.simulatedMs / 86_400_000).toFixed(0);
const seconds = ((performance.now() - began) / 1_000).toFixed(0);
process.stdout.write(
  `${seeds} seeds, ${days} simulated days, ${sum.lives} lives of an operator, ${sum.writes} writes, ${sum.broken} seeds broke a rule; ${seconds} s\n`,
);
process.exitCode = sum.broken > 0 ? 1 : 0;
