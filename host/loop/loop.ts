import { asFault, Fault } from "../fault/index.ts";
import type { ChangeOutcome, Iteration, IterationOutcome, Memory, Past } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import { guard, notScaled } from "./guardrails/index.ts";
import { readPlan } from "./plan.ts";
import { PassEnded, type World } from "./world.ts";

/**
 * One MAPE-K pass for one policy. The cluster is the truth; knowledge is advice. A decision is stored before it is acted
 * on, and a pass that fails changes nothing and is remembered with its fault. Throws only if it cannot be remembered.
 */
export async function iterate(policy: Policy, world: World): Promise<Iteration> {
  const past = await world.store.recall(policy);
  if (past.open !== undefined) await world.store.remember(policy, abandoned(past.open));
  let pass = begin(past, world.clock.now());
  try {
    const topology = await world.driver.discover(policy);
    const sources = await world.sources.observe(policy, new Date(pass.at));
    pass = { ...pass, topology, sources };

    const iteration = { id: pass.id, number: pass.number, time: pass.at };
    const { carry, ...done } = await world.engine.run(policy, { iteration, topology, sources, past });
    pass = { ...pass, ...done };

    const plan = readPlan(done.answers.plan ?? noPlan(), topology);
    const before = memoryOf(past, pass.at);
    const ground = { topology, sources, memory: before, at: new Date(pass.at) };
    const { decision, memory } = guard(plan.wanted, ground, policy.guardrails);
    pass = {
      ...pass,
      decision,
      memory:
        policy.mode === "Enforce"
          ? memory
          : notScaled(
              memory,
              before,
              decision.changes.map(({ node }) => node),
            ),
      carry: carry ?? past.carry,
      outcome: intent(policy, decision.changes.length),
    };
    await world.store.remember(policy, pass);
    if (pass.outcome !== "Open") return pass;

    const changes = await world.driver.scale(policy, decision.changes);
    const failed = changes.flatMap(({ node, outcome }) => (outcome === "Failed" ? [node] : []));
    pass = {
      ...pass,
      changes,
      outcome: outcomeOf(changes),
      fault: faultOf(changes),
      memory: notScaled(memory, before, failed),
    };
  } catch (thrown) {
    const fault = asFault(thrown);
    if (fault.code === "StoreUnavailable") throw fault;
    if (fault instanceof PassEnded) pass = { ...pass, ...fault.done, carry: undefined };
    pass = { ...pass, outcome: "Failed", fault: { code: fault.code, message: fault.sentence } };
  }
  await world.store.remember(policy, pass);
  return pass;
}

const begin = (past: Past, at: Date): Iteration => ({
  id: `${past.number + 1}@${at.toISOString()}`,
  number: past.number + 1,
  at: at.toISOString(),
  topology: undefined,
  sources: {},
  answers: {},
  decision: undefined,
  outcome: "Failed",
  changes: [],
  fault: undefined,
  carry: undefined,
});

/** What is remembered; of a policy that is not new and of which nothing is, that it was lost. */
function memoryOf({ memory, memoryLost }: Past, at: string): Memory | undefined {
  return memoryLost === true ? { nodes: {}, ...memory, lostAtMs: Date.parse(at) } : memory;
}

/** The operator ended between storing and finishing this decision: what it left undone is decided anew. */
const abandoned = (open: Iteration): Iteration => ({ ...open, outcome: "Abandoned" });

function intent(policy: Policy, changes: number): IterationOutcome {
  if (changes === 0) return "Unchanged";
  return policy.mode === "Enforce" ? "Open" : "DryRun";
}

function outcomeOf(changes: readonly ChangeOutcome[]): IterationOutcome {
  const scaled = changes.filter((change) => change.outcome === "Scaled").length;
  if (scaled === changes.length) return "Scaled";
  return scaled > 0 ? "PartlyScaled" : "Failed";
}

function faultOf(changes: readonly ChangeOutcome[]): Iteration["fault"] {
  const failed = changes.find((change) => change.outcome === "Failed");
  return failed && { code: failed.code, message: `${failed.node}: ${failed.message}` };
}

function noPlan(): never {
  throw new Fault("OutputInvalid", "The algorithm returned no plan");
}
