import { asFault, Fault } from "../fault/index.ts";
import type { Iteration, IterationOutcome, Memory, Past, Trouble } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Topology } from "../topology/index.ts";
import { agreed, drift } from "./drift.ts";
import { failing, fallenBack, recovered } from "./fallback.ts";
import { counted, guard, notScaled, reshaped, windowed } from "./guardrails/index.ts";
import { holdOf, overridden } from "./hold.ts";
import { narrow, staysOf } from "./narrow.ts";
import { readPlan, type Plan } from "./plan.ts";
import { rollback } from "./rollback.ts";
import { carryOut, resume } from "./saga.ts";
import { followedOf, remembered, standings, type Standing } from "./settle.ts";
import { PassEnded, type World } from "./world.ts";

/**
 * One MAPE-K pass for one policy. The cluster is the truth; knowledge is advice. A decision is stored before it is acted
 * on, and a pass that fails changes nothing and is remembered with its fault. A decision that an earlier pass left open is
 * finished before there is another: then that is the whole pass. Throws only if it cannot be remembered.
 */
export async function iterate(policy: Policy, world: World): Promise<Iteration> {
  const past = await world.store.recall(policy);
  const open = past.open && (await resume(policy, world, past.open));
  if (open !== undefined && open.outcome !== "Abandoned") return open;
  let pass = begin(policy, past, open?.memory ?? past.memory, world.clock.now());
  const at = new Date(pass.at);
  try {
    const topology = windowed(await world.driver.discover(policy), policy.guardrails, at);
    pass = { ...pass, topology };
    pass = { ...pass, ...(await drift(policy, world, topology, pass.memory)) };
    const earlier = await look(policy, world, topology, pass);
    pass = { ...pass, ...earlier.seen };
    if (earlier.rollback === undefined) {
      expectSteady(topology);
      const sources = await world.sources.observe(policy, at);
      pass = { ...pass, sources };

      const iteration = { id: pass.id, number: pass.number, time: pass.at };
      const { carry, ...done } = await world.engine.run(policy, { iteration, topology, sources, past });
      pass = { ...pass, ...done, carry: carry ?? past.carry };

      const plan = readPlan(done.answers.plan ?? noPlan(), topology);
      const wanted = world.driver.meant?.(policy, topology, plan.wanted) ?? plan.wanted;
      pass = { ...pass, ...kept(agreed(pass.memory, topology, wanted)) };
      const hold = holdOf(policy, topology, pass.memory);
      const scope = world.driver.rescaleScope(policy);
      const allowed = narrow(topology, earlier.found, wanted, scope, hold);
      const ground = { topology: allowed.topology, sources, memory: pass.memory, at };
      const guarded = guard(wanted, ground, policy.guardrails);
      const stays = staysOf(topology, earlier.found, scope, hold);
      const footing = { topology, memory: pass.memory, at, scope, stays };
      const decision = reshaped(allowed.explain(guarded.decision), wanted, footing, policy.guardrails);
      const outcome = intent(policy, decision.changes.length);
      const memory = recovered(guarded.memory);
      pass = { ...pass, decision, outcome, ...recheckOf(plan) };
      // What is not carried out takes no room of the rates.
      pass = { ...pass, memory: outcome === "DryRun" ? notScaled(memory, decision.changes, at) : memory };
    } else {
      const { rollback: decision } = earlier;
      const memory = counted(pass.memory, decision, policy.guardrails, at);
      pass = { ...pass, decision, memory, carry: past.carry, outcome: "Open" };
    }
  } catch (thrown) {
    const fault = asFault(thrown);
    if (fault.code === "StoreUnavailable") throw fault;
    if (fault instanceof PassEnded) pass = { ...pass, ...fault.done };
    const told = { code: fault.code, message: fault.sentence };
    pass = { ...pass, carry: undefined, outcome: "Failed", fault: told, memory: failing(pass.memory, at) };
    pass = overridden(policy, fallenBack(policy, pass, at), at);
    if (pass.outcome === "Open" || pass.fallback === true) pass = { ...pass, carry: past.carry };
  }
  await world.store.remember(policy, pass);
  const ended = pass.outcome === "Open" ? await carryOut(policy, world, pass) : pass;
  if (policy.mode === "Enforce") await tidied(policy, world, at);
  return ended;
}

/** What is left of earlier work is taken away in this pass or in a later one. */
async function tidied(policy: Policy, { driver, mayWrite }: World, at: Date): Promise<void> {
  await driver.tidy?.(policy, () => mayWrite?.(policy), at).catch(() => undefined);
}

/** What moves by itself just now is shown to no algorithm: its figures would be those of a restart. */
function expectSteady({ unsteady }: Topology): void {
  if (unsteady !== undefined) throw new Fault("TargetUnavailable", unsteady, { retry: true });
}

const kept = (memory: Memory | undefined): Pick<Iteration, "memory"> =>
  memory === undefined ? {} : { memory };

const recheckOf = ({ recheckAfterSeconds }: Plan): Pick<Iteration, "recheckAfterSeconds"> =>
  recheckAfterSeconds === undefined ? {} : { recheckAfterSeconds };

/** What became of earlier changes. */
async function look(policy: Policy, world: World, topology: Topology, { at, memory }: Iteration) {
  const nowMs = Date.parse(at);
  const found = standings(memory, topology, policy, nowMs);
  const back = rollback(found, topology, policy, holdOf(policy, topology, memory));
  const takenBack = new Set(back?.changes.map(({ node }) => node));
  const followed = followedOf(found, await troublesOf(policy, world, found), takenBack, policy);
  const next = remembered(memory, found, takenBack, policy, nowMs);
  return {
    found,
    rollback: back,
    seen: {
      ...(followed === undefined ? {} : { followed }),
      ...kept(next),
    },
  };
}

/** What the cluster says of the changes that do not come to serve. */
async function troublesOf(policy: Policy, { driver }: World, found: readonly Standing[]) {
  const troubles = new Map<string, Trouble>();
  for (const { node, state, settling } of found) {
    if (settling === undefined || (state !== "Settling" && state !== "Late")) continue;
    const trouble = await driver.trouble?.(policy, node.name, new Date(settling.sinceMs));
    if (trouble !== undefined) troubles.set(node.name, trouble);
  }
  return troubles;
}

const begin = (policy: Policy, past: Past, memory: Memory | undefined, at: Date): Iteration => ({
  id: `${past.number + 1}@${at.toISOString()}`,
  number: past.number + 1,
  at: at.toISOString(),
  generation: policy.generation,
  topology: undefined,
  sources: {},
  answers: {},
  decision: undefined,
  outcome: "Failed",
  changes: [],
  fault: undefined,
  carry: undefined,
  ...memoryOf(past, memory, at),
});

/** What is remembered; of a policy that is not new and of which nothing is, that it was lost. */
function memoryOf({ memoryLost }: Past, memory: Memory | undefined, at: Date): Pick<Iteration, "memory"> {
  if (memoryLost === true) return { memory: { nodes: {}, ...memory, lostAtMs: at.getTime() } };
  return kept(memory);
}

function intent(policy: Policy, changes: number): IterationOutcome {
  if (changes === 0) return "Unchanged";
  return policy.mode === "Enforce" ? "Open" : "DryRun";
}

function noPlan(): never {
  throw new Fault("OutputInvalid", "The algorithm returned no plan");
}
