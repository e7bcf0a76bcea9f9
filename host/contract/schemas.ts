import { plan, stepAnswer } from "./answer.ts";
import { stepInput } from "./input.ts";
import { algorithm } from "./metadata.ts";

/** The documents of the contract, by the name of their file in `pdk/schema/`. */
export const SCHEMAS = { input: stepInput, answer: stepAnswer, plan, algorithm } as const;
