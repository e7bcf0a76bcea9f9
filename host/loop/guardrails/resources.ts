import type {
  Change,
  Decision,
  Memory,
  Reason,
  ResourceVerdict,
  Verdict,
  Wanted,
} from "../../knowledge/index.ts";
import { openWindows, type Guardrails, type ResourceRails } from "../../policy/index.ts";
import {
  DIMENSIONS,
  reshapeOf,
  type Dimension,
  type Resources,
  type Topology,
  type TopologyNode,
} from "../../topology/index.ts";

/** What keeps the resources of nodes as they are, or lets them move one way only. */
export interface Stays {
  /** Nodes whose resources stay, and why. */
  readonly nodes: ReadonlyMap<string, Reason>;
  readonly isUpPaused: boolean;
  readonly isDownPaused: boolean;
}

/** What a decision on resources is made on, besides what is wanted. */
export interface Footing {
  readonly topology: Topology;
  readonly memory: Memory | undefined;
  readonly at: Date;
  /** `job`: a change replaces the instances of all nodes, so that all have one cooldown. */
  readonly scope: "node" | "job";
  readonly stays: Stays;
}

/** The same for every node of a decision. */
interface Judging extends Footing {
  readonly rails: ResourceRails | undefined;
  readonly isFrozen: boolean;
}

/**
 * The decision with what is granted of the resources that are wanted: inside the policy's bounds, no oftener than its
 * cooldown allows, and as far as the driver can. What is not wanted is left alone, also where it is outside of the bounds:
 * to bring it inside would replace every instance for nobody. Pure.
 */
export function reshaped(
  { verdicts, changes }: Decision,
  wanted: readonly Wanted[],
  footing: Footing,
  { resources: rails, windows }: Guardrails,
): Decision {
  if (wanted.every(({ resources }) => resources === undefined)) return { verdicts, changes };
  const isFrozen = openWindows(windows, footing.at).some((window) => window.isFreeze);
  const judging = { ...footing, rails, isFrozen };
  const wants = new Map(wanted.map(({ node, resources }) => [node, resources]));
  const nodes = new Map(footing.topology.nodes.map((node) => [node.name, node]));
  const judged = verdicts.map((verdict): Verdict => {
    const [want, node] = [wants.get(verdict.node), nodes.get(verdict.node)];
    return want === undefined || node === undefined
      ? verdict
      : { ...verdict, resources: judge(node, want, judging) };
  });
  return { verdicts: judged, changes: changesOf(judged, changes, nodes) };
}

function judge(node: TopologyNode, wanted: Resources, judging: Judging): ResourceVerdict {
  const { rails, isFrozen, stays, memory } = judging;
  const { resources: current = {} } = node;
  const held = (reason: Reason): ResourceVerdict => ({
    current,
    wanted,
    granted: current,
    reasons: [reason],
  });
  if (rails === undefined) return held("ResourcesNotAllowed");
  let granted: Resources = current;
  const reasons = new Set<Reason>();
  for (const dimension of DIMENSIONS) {
    const want = wanted[dimension];
    if (want === undefined) continue;
    const one = grant(node, dimension, want, rails);
    if (one.reason !== undefined) reasons.add(one.reason);
    if (one.granted !== undefined) granted = { ...granted, [dimension]: one.granted };
  }
  if (reshapeOf(current, granted) === undefined)
    return { current, wanted, granted: current, reasons: [...reasons] };
  if (isFrozen) return held("Frozen");
  const why = stays.nodes.get(node.name) ?? coolingDown(node.name, judging, rails);
  if (why !== undefined) return held(why);
  const directed = inDirections(current, granted, stays, memory?.lostAtMs !== undefined);
  return { current, wanted, granted: directed.granted, reasons: [...reasons, ...directed.reasons] };
}

/** What one dimension gets; undefined leaves it as it is. */
function grant(
  { resources: current = {}, adjustable = [] }: TopologyNode,
  dimension: Dimension,
  want: number,
  { bounds, tolerance }: ResourceRails,
): { readonly granted?: number; readonly reason?: Reason } {
  if (!adjustable.includes(dimension)) return { reason: "NotAdjustable" };
  const ends = bounds[dimension];
  if (ends === undefined) return { reason: "ResourcesNotAllowed" };
  const granted = Math.min(ends.max, Math.max(ends.min, want));
  const has = current[dimension];
  const isNear = has !== undefined && granted >= has * (1 - tolerance) && granted <= has * (1 + tolerance);
  if (isNear && granted !== has) return { reason: "WithinTolerance" };
  return granted === want ? { granted } : { granted, reason: "OutOfBounds" };
}

function coolingDown(name: string, { memory, at, scope }: Footing, { cooldownSeconds }: ResourceRails) {
  const known = Object.entries(memory?.nodes ?? {});
  const counts = scope === "job" ? known : known.filter(([node]) => node === name);
  const lastMs = Math.max(...counts.map(([, { reshaped: last }]) => last?.atMs ?? -Infinity), -Infinity);
  // Where the machine's clock was set back, what lies ahead counts as just done.
  return at.getTime() < Math.min(lastMs, at.getTime()) + cooldownSeconds * 1_000 ? "CoolingDown" : undefined;
}

/** Without what moves in a direction in which nothing moves now. */
function inDirections(current: Resources, granted: Resources, stays: Stays, isBlind: boolean) {
  let left = granted;
  const reasons: Reason[] = [];
  for (const dimension of DIMENSIONS) {
    const [has, gets] = [current[dimension], granted[dimension]];
    if (has === undefined || gets === undefined || has === gets) continue;
    const isPaused = gets > has ? stays.isUpPaused : stays.isDownPaused;
    const reason = isPaused ? "DirectionPaused" : gets < has && isBlind ? "WindowUnknown" : undefined;
    if (reason === undefined) continue;
    left = { ...left, [dimension]: has };
    reasons.push(reason);
  }
  return { granted: left, reasons };
}

/** The changes with what each instance is to have; a node that only gets other instances has a change of its own. */
function changesOf(
  verdicts: readonly Verdict[],
  changes: readonly Change[],
  nodes: ReadonlyMap<string, TopologyNode>,
): Change[] {
  const counts = new Map(changes.map((change) => [change.node, change]));
  return verdicts.flatMap(({ node, current, resources }) => {
    const change = counts.get(node);
    const reshape = resources && reshapeOf(resources.current, resources.granted);
    if (reshape === undefined) return change ?? [];
    const revision = nodes.get(node)?.revision ?? "";
    return [{ ...(change ?? { node, from: current, to: current, revision }), resources: reshape }];
  });
}
