import type { Static } from "typebox";
import { checker, type Problem } from "./check.ts";
import { SCHEMAS } from "./schemas.ts";

export type { Problem } from "./check.ts";
export { SCHEMAS } from "./schemas.ts";
export { SECTION, withSection } from "./section.ts";

/** The version of the contract that this host speaks. */
export const API = "sluice/v1";
/**
 * Counts what was added to that version since it began: `1.3` has all that `1.2` has, in the same places and of the same
 * types. A later one may add fields to inputs, and optional fields to answers; anything else is a new `API`.
 */
export const CONTRACT_VERSION = "1.1";

/** What every step is given. */
export type StepInput = Static<(typeof SCHEMAS)["input"]>;
/** What monitor and analyze return. */
export type StepAnswer = Static<(typeof SCHEMAS)["answer"]>;
/** What plan returns. */
export type PlanAnswer = Static<(typeof SCHEMAS)["plan"]>;
/** What a module says about itself in its section `sluice.algorithm`. */
export type AlgorithmMetadata = Static<(typeof SCHEMAS)["algorithm"]>;
type Step = StepInput["step"];

/** What is wrong with the input of a step; nothing if it is what the contract says. */
export const checkInput = checker(SCHEMAS.input);
/** What is wrong with the answer of the plan step. */
export const checkPlan = checker(SCHEMAS.plan);
/** What is wrong with the metadata of a module. The config schema itself is only checked for being an object. */
export const checkMetadata = checker(SCHEMAS.algorithm);

const checkAnswer = checker(SCHEMAS.answer);

/** What is wrong with the answer of a step. */
export const checkStepAnswer = (step: Step, answer: unknown): readonly Problem[] =>
  step === "plan" ? checkPlan(answer) : checkAnswer(answer);
