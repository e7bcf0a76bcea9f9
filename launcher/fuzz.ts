// `npm run fuzz`: a million answers that no plugin should give, through all that reads them, then modules, each run as it is
// and as it is rewritten. Takes `--seed N`, `--trials N`, `--modules N` and `--save`, which writes the answers that reached
// something new to the corpus of the short run.
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { campaign } from "../test/fuzz/campaign.ts";
import { compareModules } from "../test/fuzz/modules/campaign.ts";
import { readModules } from "../test/fuzz/modules/pack.ts";
import { CORPUS, entryOf, readCorpus } from "../test/fuzz/corpus.ts";

/** More reached no more of the code: five times as many left the same lines out. */
const WATCHED = 10_000;
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 2 ** 32) },
    trials: { type: "string", default: "1000000" },
    modules: { type: "string", default: "300000" },
    save: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const trials = Number(values.trials);
process.stdout.write(
  `seed ${seed}: to repeat this run, npm run fuzz -- --seed ${seed} --trials ${trials} --modules ${values.modules}\n`,
);
const began = performance.now();
const seconds = () => (performance.now() - began) / 1_000;
const result = await campaign({
  seed,
  trials,
  watched: WATCHED,
  seeds: readCorpus(),
  onProgress: (done, kept) => {
    if (done % 100_000 === 0)
      process.stdout.write(`${done} answers, ${kept} reached something new, ${seconds().toFixed(0)} s\n`);
  },
});
const verdicts = [...result.verdicts].sort(([, one], [, other]) => other - one);
for (const [verdict, times] of verdicts) process.stdout.write(`${String(times).padStart(9)}  ${verdict}\n`);
for (const line of result.missed ?? []) process.stdout.write(`nothing reached ${line}\n`);
for (const { trial, broken } of result.found)
  process.stdout.write(
    `BROKEN ${JSON.stringify(entryOf(trial)).slice(0, 2_000)}\n       ${broken.join("\n       ")}\n`,
  );
process.stdout.write(
  `\n${result.trials} answers in ${seconds().toFixed(0)} s, ${verdicts.length} verdicts, ${result.kept.length} kept, ` +
    `${result.found.length} broken, digest ${result.digest}\n`,
);
if (values.save) {
  const small = result.kept.filter(({ output }) => output.length <= 1_024);
  writeFileSync(CORPUS, `${JSON.stringify(small.map(entryOf), undefined, 1)}\n`);
}

const start = seconds();
const compared = compareModules({ seed, mutants: Number(values.modules), modules: readModules() });
for (const [verdict, times] of [...compared.verdicts].sort(([, one], [, other]) => other - one))
  process.stdout.write(`${String(times).padStart(9)}  ${verdict}\n`);
for (const [at, { module, broken }] of compared.found.entries()) {
  const file = `build/fuzz-${seed}-${at}.wasm`;
  mkdirSync("build", { recursive: true });
  writeFileSync(file, module);
  process.stdout.write(`BROKEN ${file}\n       ${broken.join("\n       ")}\n`);
}
process.stdout.write(
  `\n${compared.trials} modules in ${(seconds() - start).toFixed(0)} s, ${compared.found.length} broken\n`,
);
process.exitCode = result.found.length + compared.found.length > 0 ? 1 : 0;
