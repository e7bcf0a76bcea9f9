import { setFlagsFromString } from "node:v8";
import { LIMITS } from "../../../host/tenant/index.ts";
import { Random } from "../random.ts";
import { compare, type Comparison } from "./compare.ts";
import { mutant } from "./mutant.ts";

export interface ModulesResult {
  readonly trials: number;
  readonly verdicts: ReadonlyMap<string, number>;
  readonly found: readonly { readonly module: Uint8Array; readonly broken: readonly string[] }[];
}
interface ModulesOptions {
  readonly seed: number;
  /** Mutants, besides the modules that they are made of. */
  readonly mutants: number;
  readonly modules: readonly Uint8Array[];
}

const FOUND_MOST = 20;
/** Accepted mutants are what later ones are made of; past this the oldest give way. */
const POOL_MOST = 3_000;

/** As in a sandbox: what the host's limits are to a rewritten module, they are to the one that it was made of. */
function limitMemory(): void {
  setFlagsFromString(`--wasm-max-mem-pages=${LIMITS.memoryPages}`);
  setFlagsFromString(`--wasm-max-table-size=${LIMITS.tableElements}`);
}

/** Compares every module with its rewritten self, then mutants of them and of mutants that were accepted. */
export function compareModules({ seed, mutants, modules }: ModulesOptions): ModulesResult {
  limitMemory();
  const random = new Random(seed);
  const pool = [...modules];
  const verdicts = new Map<string, number>();
  const found: { module: Uint8Array; broken: readonly string[] }[] = [];
  const look = (module: Uint8Array): Comparison => {
    const comparison = compare(module, seed);
    verdicts.set(comparison.verdict, (verdicts.get(comparison.verdict) ?? 0) + 1);
    if (comparison.broken.length > 0) found.push({ module, broken: comparison.broken });
    return comparison;
  };
  for (const module of modules) look(module);
  for (let done = 0; done < mutants && found.length < FOUND_MOST; done += 1) {
    const made = mutant(random, random.pick(pool), random.pick(pool));
    if (!look(made).verdict.startsWith("accepted")) continue;
    if (pool.length < POOL_MOST) pool.push(made);
    else pool[modules.length + random.below(POOL_MOST - modules.length)] = made;
  }
  const trials = [...verdicts.values()].reduce((all, one) => all + one, 0);
  return { trials, verdicts, found };
}
