import { asFault, Fault, type FaultCode } from "../fault/index.ts";
import type { Compared, Decision, Iteration } from "../knowledge/index.ts";
import { shadowKey, type Policy } from "../policy/index.ts";
import { guard, notScaled } from "./guardrails/index.ts";
import { readPlan } from "./plan.ts";
import { PassEnded, type PassInput, type World } from "./world.ts";

/**
 * A policy's shadow as a policy of its own: everything is as in the other, but that its algorithm is another one, that what it
 * is kept and counted by is its own, and that it never acts. Undefined for a policy without a shadow.
 */
export function shadowOf(policy: Policy): Policy | undefined {
  const { shadow, ...rest } = policy;
  if (shadow === undefined) return undefined;
  return { ...rest, key: shadowKey(policy.key), mode: "DryRun", algorithm: shadow, shadow: undefined };
}

/**
 * A pass of a shadow beside the live one that was made on the same input: what it wanted, what the guardrails would have
 * granted, and how that differs. It has its own carry, is remembered under its own key with the live pass's number, and acts
 * on nothing. Throws if it was not run, as there was no sandbox to spare, and if it cannot be remembered.
 */
export async function shadowed(
  shadow: Policy,
  input: PassInput,
  live: Decision,
  world: Pick<World, "engine" | "store">,
): Promise<Iteration> {
  const { carry: before, memory } = await world.store.recall(shadow);
  let pass = begin(input, before);
  try {
    const past = { ...input.past, carry: before };
    const { carry, ...done } = await world.engine.run(shadow, { ...input, past });
    pass = { ...pass, ...done };
    const plan = readPlan(done.answers.plan ?? noPlan(), input.topology);
    const at = new Date(pass.at);
    const { topology, sources } = input;
    const guarded = guard(plan.wanted, { topology, sources, memory, at }, shadow.guardrails);
    const { decision } = guarded;
    // It remembers what it wanted; what runs is scaled by others.
    pass = { ...pass, memory: notScaled(guarded.memory, decision.changes, at) };
    const outcome = decision.changes.length === 0 ? "Unchanged" : "DryRun";
    pass = { ...pass, decision, outcome, carry: carry ?? before, compared: compare(live, decision) };
  } catch (thrown) {
    const fault = asFault(thrown);
    if (NOT_RUN.has(fault.code)) throw fault;
    if (fault instanceof PassEnded) pass = { ...pass, ...fault.done, carry: undefined };
    pass = { ...pass, outcome: "Failed", fault: { code: fault.code, message: fault.sentence } };
  }
  await world.store.remember(shadow, pass);
  return pass;
}

/** Why a shadow's pass was not made, or given up for a live one. */
export const NOT_RUN: ReadonlySet<string> = new Set<FaultCode>(["EngineBusy", "BreakerOpen"]);

/** Node by node, what was granted and what would have been; in the order of the live decision. Pure. */
export function compare(live: Decision, shadow: Decision): Compared[] {
  const granted = new Map(shadow.verdicts.map((verdict) => [verdict.node, verdict.granted]));
  return live.verdicts.map((verdict) => ({
    node: verdict.node,
    live: verdict.granted,
    shadow: granted.get(verdict.node) ?? verdict.current,
  }));
}

const begin = ({ iteration, topology, sources }: PassInput, carry: string | undefined): Iteration => ({
  id: iteration.id,
  number: iteration.number,
  at: iteration.time,
  topology,
  sources,
  answers: {},
  decision: undefined,
  outcome: "Failed",
  changes: [],
  fault: undefined,
  carry,
});

function noPlan(): never {
  throw new Fault("OutputInvalid", "The algorithm returned no plan");
}
