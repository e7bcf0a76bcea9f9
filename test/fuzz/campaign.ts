import { createHash } from "node:crypto";
import type { Step } from "../../host/policy/index.ts";
import { answer } from "./answers.ts";
import { Coverage } from "./coverage.ts";
import { mutated } from "./mutation.ts";
import { treat, type Treatment } from "./pass.ts";
import { Random } from "./random.ts";
import { pollution } from "./rules.ts";
import { STAGES } from "./stages.ts";

/** An answer, the step that gives it and the application it is given for. */
export interface Trial {
  readonly output: Uint8Array;
  readonly step: Step;
  readonly stage: number;
}
export interface Found {
  readonly trial: Trial;
  readonly broken: readonly string[];
}
export interface CampaignResult {
  readonly trials: number;
  /** How often each verdict came. */
  readonly verdicts: ReadonlyMap<string, number>;
  /** Answers that were the first to reach something, and what they came to. */
  readonly kept: readonly (Trial & { readonly verdict: string })[];
  /** Lines of the host that answers pass through and of which nothing ran; undefined if nobody looked. */
  readonly missed: readonly string[] | undefined;
  readonly found: readonly Found[];
  /** Of all trials and verdicts: the same for the same seed. */
  readonly digest: string;
}
interface CampaignOptions {
  readonly seed: number;
  readonly trials: number;
  /** For so many of the trials the code that runs is looked at, besides the verdicts: thirty times as slow. */
  readonly watched?: number;
  readonly seeds?: readonly Trial[];
  readonly onProgress?: (done: number, kept: number) => void;
}

/** So many trials are looked at together; which of them reached something new is found by running them again. */
const BATCH = 1_000;
/** Answers that later ones are made of; those that reach something new push the oldest out. */
const KEPT_MOST = 4_000;
const FOUND_MOST = 20;

/** Tries answers on the host, and makes more of those that led somewhere new. */
export async function campaign({
  seed,
  trials,
  watched = 0,
  seeds = [],
  onProgress,
}: CampaignOptions): Promise<CampaignResult> {
  const random = new Random(seed);
  const coverage = watched > 0 ? new Coverage() : undefined;
  const verdicts = new Map<string, number>();
  const pool: Trial[] = [...seeds];
  const kept: (Trial & { verdict: string })[] = [];
  const found: Found[] = [];
  const hash = createHash("sha256");
  const keep = (trial: Trial, verdict: string) => {
    kept.push({ ...trial, verdict });
    if (pool.length < KEPT_MOST) pool.push(trial);
    else pool[random.below(KEPT_MOST)] = trial;
  };
  for (let done = 0; done < trials && found.length < FOUND_MOST;) {
    const batch = Array.from({ length: Math.min(BATCH, trials - done) }, () => next(random, pool));
    for (const trial of batch) {
      const treatment = await tried(trial);
      hash.update(trial.output).update(treatment.verdict);
      if (treatment.broken.length > 0) found.push({ trial, broken: treatment.broken });
      const times = verdicts.get(treatment.verdict) ?? 0;
      verdicts.set(treatment.verdict, times + 1);
      if (times === 0) keep(trial, treatment.verdict);
    }
    if (done < watched && coverage?.reached({ mark: false }) === true) {
      for (const trial of await firsts(batch, coverage)) keep(trial, (await tried(trial)).verdict);
      coverage.reached({ mark: true });
    }
    if (done < watched && done + batch.length >= watched) coverage?.close();
    const polluted = pollution(true);
    if (polluted.length > 0) throw new Error(`the language changed: ${polluted.join(", ")}`);
    done += batch.length;
    onProgress?.(done, kept.length);
  }
  const total = [...verdicts.values()].reduce((all, one) => all + one, 0);
  return {
    trials: total,
    verdicts,
    kept,
    missed: coverage?.missed(),
    found,
    digest: hash.digest("hex").slice(0, 16),
  };
}

/** Those of a batch that were the first to reach some code: it is run again in ever smaller parts. */
async function firsts(batch: readonly Trial[], coverage: Coverage): Promise<readonly Trial[]> {
  for (const trial of batch) await tried(trial);
  if (!coverage.reached({ mark: batch.length === 1 })) return [];
  if (batch.length === 1) return batch;
  const middle = batch.length >> 1;
  const before = await firsts(batch.slice(0, middle), coverage);
  return [...before, ...(await firsts(batch.slice(middle), coverage))];
}

/** Tries one answer; what the host throws at it is broken too. */
export async function tried({ output, step, stage }: Trial): Promise<Treatment> {
  const on = STAGES[stage] ?? STAGES[0];
  if (on === undefined) throw new Error("there is no stage");
  try {
    return await treat(output, step, on);
  } catch (thrown) {
    return { verdict: "crash", broken: [`it threw ${String(thrown)}`] };
  }
}

function next(random: Random, pool: readonly Trial[]): Trial {
  if (pool.length > 0 && random.once(2)) {
    const from = random.pick(pool);
    const output = mutated(random, from.output, random.pick(pool).output);
    return random.once(4) ? { ...place(random), output } : { ...from, output };
  }
  const at = place(random);
  return { ...at, output: answer(random, STAGES[at.stage]?.names ?? []) };
}

const place = (random: Random): Omit<Trial, "output"> => ({
  step: random.once(8) ? random.pick(["monitor", "analyze"]) : "plan",
  stage: random.below(STAGES.length),
});
