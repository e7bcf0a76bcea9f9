import { asFault, type Fault, type FaultCode } from "../fault/index.ts";
import type { Change, ChangeOutcome, Iteration, IterationOutcome } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import { notScaled } from "./guardrails/index.ts";
import { noted, UNKNOWN } from "./settle.ts";
import type { World } from "./world.ts";

/** After these the write was not made, or nobody knows: the node is read again in the next pass, and finished. */
const RESUMED: ReadonlySet<FaultCode> = new Set(["ClusterUnavailable", "TargetUnavailable", "NotLeader"]);
/** A call that nobody answers costs up to 30 s; after this many in a row the others wait for the next pass. */
const UNANSWERED_IN_A_ROW = 3;
/** A decision that is older than so many intervals was made on another world. */
const RESUME_INTERVALS = 3;
/** But a restart, or another replica's taking over, has to fit in. */
const RESUME_LEAST_SECONDS = 60;

/**
 * Carries out a decision that is stored: batch after batch in the driver's order, what became of each stored before the
 * next begins. May be called again with what was stored last, after any end in between: what is done is not done again.
 * The answer is stored too; it stays `Open` as long as a node is left to be written. Throws only if it cannot be stored.
 */
export async function carryOut(policy: Policy, world: World, open: Iteration): Promise<Iteration> {
  const batches = world.driver.order(policy, pending(open));
  let pass = open;
  let unanswered = 0;
  for (const [at, batch] of batches.entries()) {
    const outcomes = await write(policy, world, batch);
    pass = { ...pass, changes: merged(pass, outcomes) };
    const codes = outcomes.flatMap((one) => (one.outcome === "Failed" ? [one.code] : []));
    unanswered = codes.includes("ClusterUnavailable") ? unanswered + 1 : 0;
    if (codes.includes("NotLeader") || unanswered >= UNANSWERED_IN_A_ROW) break;
    if (at < batches.length - 1) await world.store.remember(policy, pass);
  }
  // A fallback is carried out because of a fault, which stays.
  const fault = faultOf(pass.changes) ?? (open.fallback === true ? open.fault : undefined);
  pass =
    pending(pass).length > 0
      ? { ...pass, outcome: "Open", fault }
      : withMemory({ ...pass, outcome: outcomeOf(pass.changes), fault }, policy, world.clock.now());
  await world.store.remember(policy, pass);
  return pass;
}

/**
 * Finishes a decision that an earlier pass left open, or abandons it with a record of why, where it is too old or the
 * policy no longer is what it was: then `outcome` is `Abandoned`, and a new decision may be made.
 */
export async function resume(policy: Policy, world: World, open: Iteration): Promise<Iteration> {
  const now = world.clock.now();
  const why = outdated(policy, open, now);
  if (why === undefined) return carryOut(policy, world, { ...open, resumed: true });
  const fault = { code: "DecisionAbandoned" as const, message: why };
  const left = pending(open).map(({ node }) => ({ node, outcome: "Failed" as const, ...fault }));
  const changes = merged(open, left);
  const closed = withMemory({ ...open, changes, outcome: "Abandoned", fault }, policy, now);
  await world.store.remember(policy, closed);
  return closed;
}

function outdated(policy: Policy, open: Iteration, now: Date): string | undefined {
  if (open.generation !== policy.generation) return "the policy was changed since it was made";
  if (policy.mode !== "Enforce") return `the policy's mode is ${policy.mode}`;
  const ageSeconds = (now.getTime() - Date.parse(open.at)) / 1_000;
  const mostSeconds = Math.max(RESUME_INTERVALS * policy.intervalSeconds, RESUME_LEAST_SECONDS);
  // A clock that was set back says nothing of its age.
  if (ageSeconds >= 0 && ageSeconds <= mostSeconds) return undefined;
  return `it was made at ${open.at}, and more than ${mostSeconds} s from now it is not acted on`;
}

async function write(policy: Policy, world: World, batch: readonly Change[]) {
  try {
    return await world.driver.scale(policy, batch, () => world.mayWrite?.(policy));
  } catch (thrown) {
    return batch.map(({ node }) => failed(node, asFault(thrown)));
  }
}

const failed = (node: string, { code, sentence }: Fault): ChangeOutcome => ({
  node,
  outcome: "Failed",
  code,
  message: sentence,
});

/** The changes that are still to be written. */
function pending({ decision, changes }: Iteration): Change[] {
  const done = new Set(changes.filter((one) => !isResumed(one)).map(({ node }) => node));
  return (decision?.changes ?? []).filter(({ node }) => !done.has(node));
}

const isResumed = (change: ChangeOutcome) => change.outcome === "Failed" && RESUMED.has(change.code);

/** What became of each change so far, in the order of the decision. */
function merged({ decision, changes }: Iteration, outcomes: readonly ChangeOutcome[]): ChangeOutcome[] {
  const known = new Map([...changes, ...outcomes].map((one) => [one.node, one]));
  return (decision?.changes ?? []).flatMap(({ node }) => known.get(node) ?? []);
}

function withMemory(pass: Iteration, policy: Policy, now: Date): Iteration {
  const memory = noted(pass, policy, now.getTime());
  if (memory === undefined) return pass;
  // What may have been written counts as written: the rates have less room then, never more.
  const failed = pass.changes.filter((one) => one.outcome === "Failed" && !UNKNOWN.has(one.code));
  return { ...pass, memory: notScaled(memory, failed, new Date(pass.at)) };
}

function outcomeOf(changes: readonly ChangeOutcome[]): IterationOutcome {
  const scaled = changes.filter((change) => change.outcome === "Scaled").length;
  if (scaled === changes.length) return "Scaled";
  return scaled > 0 ? "PartlyScaled" : "Failed";
}

function faultOf(changes: readonly ChangeOutcome[]): Iteration["fault"] {
  const first = changes.find((change) => change.outcome === "Failed");
  return first && { code: first.code, message: `${first.node}: ${first.message}` };
}
