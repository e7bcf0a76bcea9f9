import type { Decision, Reason, Verdict, Wanted } from "../knowledge/index.ts";
import type { ByHand } from "../policy/index.ts";
import type { Stays } from "./guardrails/index.ts";
import type { Topology, TopologyNode } from "../topology/index.ts";
import type { Standing } from "./settle.ts";

/** One end of a node's bounds that is nearer than the policy has it, and why. */
interface End {
  readonly at: number;
  readonly reason: Reason;
}
/** A number that a node is to have, whatever is wanted of it. */
export interface Fixed {
  readonly at: number;
  readonly reason: Reason;
}

/** What people want of the nodes: numbers that hold, and directions in which nothing moves. */
export interface Hold extends Pick<ByHand, "isUpPaused" | "isDownPaused"> {
  readonly fixed: ReadonlyMap<string, Fixed>;
}

/** Nobody wants anything. */
export const FREE: Hold = { fixed: new Map(), isUpPaused: false, isDownPaused: false };

interface Narrowing {
  readonly node: TopologyNode;
  readonly low: End | undefined;
  readonly high: End | undefined;
  /** Somebody has said what it is to be. */
  readonly fixed?: Fixed;
}

/** The bounds within which nodes may move in this pass. */
export interface Narrowed {
  /** For the guardrails, which know what else follows from a bound; what is stored is the topology as it was found. */
  readonly topology: Topology;
  /** Gives the verdicts that a nearer bound moved the reason for it. */
  explain(decision: Decision): Decision;
}

/**
 * Narrows the bounds of nodes to what earlier changes and disruption budgets allow now. While a change settles, its node
 * may grow further, and no more than that; where the driver moves all nodes together, none moves. What was refused, and
 * anything beyond it, waits. A node outside its bounds is never kept there, except by whoever it is left to. Pure.
 */
export function narrow(
  topology: Topology,
  found: readonly Standing[],
  wanted: readonly Wanted[],
  scope: "node" | "job",
  hold: Hold = FREE,
): Narrowed {
  const moves = found.some(({ state }) => state === "Settling");
  const wants = new Map(wanted.map((want) => [want.node, want.parallelism]));
  const standings = new Map(found.map((one) => [one.node.name, one]));
  const narrowings = topology.nodes.map((node) =>
    narrowing(node, standings.get(node.name), wants.get(node.name), scope === "job" && moves, hold),
  );
  const nodes = narrowings.map(({ node, low, high }) => ({
    ...node,
    min: low?.at ?? node.min,
    ...(low === undefined ? {} : { keep: low.at }),
    max: high?.at ?? node.max,
  }));
  return {
    topology: { ...topology, nodes },
    explain: ({ verdicts, ...rest }) => ({
      ...rest,
      verdicts: verdicts.map((verdict, at) => explained(verdict, narrowings[at])),
    }),
  };
}

/** Whose resources stay as they are: what moves already, what was refused, and what people hold. Pure. */
export function staysOf(
  topology: Topology,
  found: readonly Standing[],
  scope: "node" | "job",
  { fixed, isUpPaused, isDownPaused }: Hold,
): Stays {
  const standings = new Map(found.map((one) => [one.node.name, one]));
  const jobMoves = scope === "job" && found.some(({ state }) => state === "Settling");
  const nodes = topology.nodes.flatMap(({ name }): [string, Reason][] => {
    const { state, refused } = standings.get(name) ?? {};
    const held = fixed.get(name);
    if (held !== undefined) return [[name, held.reason]];
    if (jobMoves || state === "Settling") return [[name, "Settling"]];
    if (refused?.resources === undefined) return [];
    return [[name, refused.code === "SettleTimeout" ? "RolledBack" : "BackingOff"]];
  });
  return { nodes: new Map(nodes), isUpPaused, isDownPaused };
}

function narrowing(
  node: TopologyNode,
  standing: Standing | undefined,
  want: number | undefined,
  jobMoves: boolean,
  hold: Hold,
): Narrowing {
  const { parallelism: current, min, max, spare } = node;
  const fixed = hold.fixed.get(node.name);
  if (fixed !== undefined) return { node, low: fixed, high: fixed, fixed };
  if (current < min || current > max) return { node, low: undefined, high: undefined };
  const { state, settling, refused } = standing ?? {};
  const lows: End[] = [];
  const highs: End[] = [];
  if (jobMoves || state === "Settling") {
    lows.push({ at: current, reason: "Settling" });
    // Other instances of as many are no reason not to have more of them.
    const grows =
      settling !== undefined &&
      (settling.to > settling.from || (settling.to === settling.from && settling.resources !== undefined));
    if (jobMoves || !grows) highs.push({ at: current, reason: "Settling" });
  }
  if (refused !== undefined && want !== undefined) {
    const reason = refused.code === "SettleTimeout" ? "RolledBack" : "BackingOff";
    // A number in between is nobody's: the node stays where it is.
    if (refused.to > refused.from && want >= refused.to) highs.push({ at: current, reason });
    if (refused.to < refused.from && want <= refused.to) lows.push({ at: current, reason });
  }
  if (hold.isDownPaused) lows.push({ at: current, reason: "DirectionPaused" });
  if (hold.isUpPaused) highs.push({ at: current, reason: "DirectionPaused" });
  if (spare !== undefined) lows.push({ at: current - spare, reason: "DisruptionBudget" });
  return {
    node,
    low: lows.filter(({ at }) => at > min).toSorted((one, other) => other.at - one.at)[0],
    high: highs.filter(({ at }) => at < max).toSorted((one, other) => one.at - other.at)[0],
  };
}

/** The guardrails see a bound and say so; whose bound it was is known here. */
function explained(verdict: Verdict, narrowing: Narrowing | undefined): Verdict {
  if (narrowing?.fixed !== undefined) {
    const { at, reason } = narrowing.fixed;
    return { ...verdict, reasons: [reason, ...(verdict.granted === at ? [] : verdict.reasons)] };
  }
  if (narrowing === undefined || !verdict.reasons.includes("OutOfBounds")) return verdict;
  const { node, low, high } = narrowing;
  const asked = verdict.wanted ?? verdict.current;
  const end =
    low !== undefined && asked < low.at ? low : high !== undefined && asked > high.at ? high : undefined;
  if (end === undefined) return verdict;
  const own = asked < node.min || asked > node.max;
  const others = verdict.reasons.filter((reason) => own || reason !== "OutOfBounds");
  return { ...verdict, reasons: [end.reason, ...others] };
}
