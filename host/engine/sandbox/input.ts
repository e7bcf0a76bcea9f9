import type { Step } from "../../policy/index.ts";

/** The texts that the operator gives once for a whole pass; each is JSON. */
const SHARED = ["iteration", "policy", "topology", "sources", "history", "carry", "config"] as const;

/**
 * The input of a step as JSON text. Texts are put together and never parsed on the way, so a number arrives as it was
 * spelled: integers above 2^53 and `1.0` survive.
 */
export function inputOf(
  step: Step,
  shared: Readonly<Record<string, string>>,
  answers: Readonly<Partial<Record<Step, string>>>,
): string {
  const texts: Record<string, string | undefined> = { monitor: answers.monitor, analyze: answers.analyze };
  for (const name of SHARED) texts[name] = shared[name];
  const fields = Object.entries(texts).filter(([, text]) => text !== undefined && text !== "");
  return `{"api":"sluice/v1","step":"${step}",${fields.map(([name, text]) => `"${name}":${text}`).join(",")}}`;
}
