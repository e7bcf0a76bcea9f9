import { joinParts, splitParts } from "../../host/engine/message.ts";
import { exchange, EXTISM, OutputTooLarge } from "../../host/engine/sandbox/abi.ts";
import { NO_EFFECTS } from "../../host/engine/sandbox/effects.ts";
import { Fuel } from "../../host/engine/sandbox/fuel.ts";
import { inputOf } from "../../host/engine/sandbox/input.ts";
import { readAnswer, type ReadAnswer } from "../../host/engine/sandbox/json.ts";
import { Fault } from "../../host/fault/index.ts";
import type { Change, Iteration } from "../../host/knowledge/index.ts";
import { iterate, type PassAnswers, type World } from "../../host/loop/index.ts";
import type { Step } from "../../host/policy/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import { brokenRules } from "./rules.ts";
import type { Stage } from "./stages.ts";

/** What an answer came to: in words that are the same for answers that are treated alike. */
export interface Treatment {
  readonly verdict: string;
  /** What went against the rules, if anything did. */
  readonly broken: readonly string[];
}

const PAST = { number: 0, carry: undefined, history: [], open: undefined } as const;
const CLOCK = { now: () => new Date(0) };

/** One pass whose algorithm answers these bytes in this step: from the size check to what is written to the application. */
export async function treat(output: Uint8Array, step: Step, stage: Stage): Promise<Treatment> {
  const written: Change[] = [];
  const remembered: Iteration[] = [];
  const world: World = {
    clock: CLOCK,
    driver: {
      rescaleScope: () => "node",
      discover: async () => stage.topology,
      order: (_policy, changes) => [changes],
      scale: async (_policy, changes) => {
        written.push(...changes);
        return changes.map(({ node }) => ({ node, outcome: "Scaled" }));
      },
    },
    sources: { observe: async () => ({}) },
    engine: { run: async () => answersOf(output, step) },
    store: { recall: async () => PAST, remember: async (_policy, pass) => void remembered.push(pass) },
  };
  const pass = await iterate(stage.policy, world);
  return { verdict: verdictOf(pass), broken: brokenRules(pass, written, remembered, stage) };
}

/** What the sandbox and the way to the operator make of an answer. */
function answersOf(output: Uint8Array, step: Step): PassAnswers {
  const { text, carry } = understood(said(output), step);
  const texts = { [step]: text, ...(carry === undefined ? {} : { carry }) };
  const { parts, body } = joinParts(texts);
  const arrived = splitParts(parts, body);
  if (arrived[step] !== text || arrived["carry"] !== carry) throw new Error("an answer changed on its way");
  if (carry !== undefined) JSON.parse(carry);
  if (step !== "plan") checkShown(text, carry, step);
  const plan = step === "plan" ? text : '{"nodes":{}}';
  return { answers: { plan }, carry, logs: [], cpuMs: 1, fuel: {}, journal: {}, bodies: new Map() };
}

const USED = ["alloc", "store_u64", "output_set"].map((name) => ({ module: EXTISM, name, parameters: 2 }));

/** Gives the answer as a guest does: block, words of eight bytes, and which of it is the output. */
function said(output: Uint8Array): Uint8Array | Fault {
  const call = exchange({
    ...{ step: "plan", input: new Uint8Array(), effects: NO_EFFECTS, iteration: undefined, imports: USED },
    fuel: new Fuel(LIMITS.cpuMs * LIMITS.fuelPerCpuMs),
  });
  const [alloc, store_u64, output_set] = call.works as readonly ((...given: bigint[]) => bigint)[];
  const padded = new DataView(new ArrayBuffer((output.length + 7) & ~7));
  new Uint8Array(padded.buffer).set(output);
  try {
    const block = alloc?.(BigInt(output.length)) ?? 0n;
    for (let at = 0; at < output.length; at += 8)
      store_u64?.(block + BigInt(at), padded.getBigUint64(at, true));
    output_set?.(block, BigInt(output.length));
  } catch (thrown) {
    const ended = call.ended();
    if (!(ended instanceof OutputTooLarge)) throw thrown;
    return new Fault("OutputInvalid", `The answer of plan cannot be used: ${ended.message}`);
  }
  return call.output() ?? new Uint8Array();
}

function understood(output: Uint8Array | Fault, step: Step): ReadAnswer {
  if (output instanceof Fault) throw output;
  try {
    return readAnswer(output);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new Fault("OutputInvalid", `The answer of ${step} cannot be used: ${thrown.message}`);
  }
}

/** The next step is shown the answer in its place, and nothing of it in another. */
function checkShown(text: string, carry: string | undefined, step: "monitor" | "analyze"): void {
  const shared = { topology: '{"nodes":[]}', ...(carry === undefined ? {} : { carry }) };
  const input = JSON.parse(inputOf("plan", shared, { [step]: text })) as Record<string, unknown>;
  const names = ["api", "step", step, "topology", ...(carry === undefined ? [] : ["carry"])];
  if (Object.keys(input).join() !== names.join()) throw new Error("an answer reached out of its place");
  if (JSON.stringify(input[step]) !== JSON.stringify(JSON.parse(text)))
    throw new Error("an answer is shown as something else");
}

/** An outcome without what is only this answer's: names and numbers. */
function verdictOf({ outcome, fault, decision, carry, answers }: Iteration): string {
  if (fault !== undefined) return `${fault.code}: ${alike(fault.message)}`;
  const verdicts = decision?.verdicts ?? [];
  const reasons = new Set(verdicts.flatMap(({ reasons: moved }) => [moved.join("+")]));
  const wanted = verdicts.filter((one) => one.wanted !== undefined).length;
  const shapes = [...new Set(verdicts.flatMap(({ resources }) => resources?.reasons.join("+") ?? []))].sort();
  const parts = [
    outcome,
    [...reasons].sort().join(" "),
    `wants ${wanted === 0 ? "nothing" : wanted === verdicts.length ? "all" : "some"}`,
    verdicts.some(({ says }) => says !== undefined) ? "says" : "",
    shapes.length === 0 ? "" : `shapes ${shapes.join(" ")}`,
    carry === undefined ? "" : "carries",
    answers.plan?.includes('"demand"') === true ? "demands" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

const alike = (message: string) => {
  // The last part of a message is the host's; what stands before it may be names of the answer.
  const [sentence = ""] = message.split(". Correct the algorithm");
  const field = /cannot be used: (?<field>.*): /s.exec(sentence)?.groups?.["field"] ?? "";
  const at = field === "" ? "" : `${Math.min(6, field.split(/[.[]/).length)} deep: `;
  return (
    at +
    sentence.slice(sentence.lastIndexOf(": ") + 2).replaceAll(/-?[\d.]+(e[+-]?\d+)?|NaN|-?Infinity/g, "#")
  );
};
