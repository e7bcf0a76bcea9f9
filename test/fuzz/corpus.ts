import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "../../host/policy/index.ts";
import type { Trial } from "./campaign.ts";

/** Answers that were the first to reach something, each with what it came to: written by `npm run fuzz -- --save`. */
export const CORPUS = join(import.meta.dirname, "corpus", "answers.json");

/** A trial as it is kept in a file. */
export interface Entry {
  readonly step: Step;
  readonly stage: number;
  readonly verdict?: string;
  /** The bytes in Base64, or as text where they are UTF-8. */
  readonly text?: string;
  readonly base64?: string;
}

export function entryOf({ output, step, stage, verdict }: Trial & { verdict?: string }): Entry {
  const text = Buffer.from(output).toString("utf8");
  const content = Buffer.from(text, "utf8").equals(output)
    ? { text }
    : { base64: Buffer.from(output).toString("base64") };
  return { step, stage, ...(verdict === undefined ? {} : { verdict }), ...content };
}

export const readEntries = (): Entry[] =>
  existsSync(CORPUS) ? (JSON.parse(readFileSync(CORPUS, "utf8")) as Entry[]) : [];

export const trialOf = ({ step, stage, text, base64 }: Entry): Trial => ({
  step,
  stage,
  output: text === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(text, "utf8"),
});

export const readCorpus = (): Trial[] => readEntries().map(trialOf);
