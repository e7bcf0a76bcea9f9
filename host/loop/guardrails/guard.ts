import type {
  Change,
  Decision,
  Memory,
  Moment,
  NodeMemory,
  Observations,
  Reason,
  Verdict,
  Wanted,
} from "../../knowledge/index.ts";
import { openWindows, type Behavior, type Bounds, type Guardrails } from "../../policy/index.ts";
import type { Topology, TopologyNode } from "../../topology/index.ts";
import { normalize, normalizePlainly, type Normalized } from "./normalize.ts";
import {
  periodSeconds,
  rememberedWants,
  scaled,
  turnsTooOften,
  untilNow,
  windowSeconds,
} from "./remember.ts";
import { sleepOf, type Sleep } from "./zero.ts";
import { total, type Claim } from "./total.ts";
import { moved } from "./verdict.ts";

/** What a decision is made on, besides what is wanted. */
export interface Ground {
  readonly topology: Topology;
  /** What the sources said: signals for scaling to zero are among them. */
  readonly sources: Observations;
  /** Of the pass before; undefined for a policy that is new. */
  readonly memory: Memory | undefined;
  readonly at: Date;
}

/** A decision, and what is to be remembered of it. */
export interface Guarded {
  readonly decision: Decision;
  readonly memory: Memory;
}

/** A node on its way through the rails. */
interface Passage {
  readonly node: TopologyNode;
  readonly want: Wanted | undefined;
  readonly known: NodeMemory;
  readonly bounds: Bounds;
  readonly behavior: Behavior | undefined;
  readonly sleep: Sleep;
  readonly isFrozen: boolean;
  /** What was remembered was lost, and may still matter. */
  readonly isBlind: boolean;
  readonly nowMs: number;
}

/**
 * What is granted of what is wanted, with a reason for every number that was moved. Pure. The order: tolerance,
 * stabilisation, rates, ceiling and alignment, reversals, zero, windows, bounds; then the total of all nodes. What stands
 * outside its bounds is brought inside at once.
 */
export function guard(wanted: readonly Wanted[], ground: Ground, guardrails: Guardrails): Guarded {
  const { topology, at } = ground;
  const nowMs = at.getTime();
  const memory = untilNow(ground.memory ?? { nodes: {} }, nowMs);
  const wants = new Map(wanted.map((want) => [want.node, want]));
  const isFrozen = openWindows(guardrails.windows, at).some((window) => window.isFreeze);
  const passages = topology.nodes.map((node) =>
    passageOf(node, wants.get(node.name), { ...ground, memory }, guardrails, isFrozen),
  );
  const railed = passages.map((passage) => ({ passage, ...rail(passage, guardrails) }));
  const claims = railed.map(({ passage, verdict }) => claimOf(passage, verdict, guardrails));
  const verdicts = total(claims, guardrails.totalMax).map((verdict, at) =>
    uncut(verdict, topology.nodes[at]),
  );
  const nodes = Object.fromEntries(
    railed.map(({ passage: { node, known, sleep, behavior }, wants: said }) => {
      const { quietSinceMs: _quiet, wantedIdle: _idle, wants: _wants, ...kept } = known;
      const left = rememberedWants(said, behavior, nowMs);
      return [node.name, { ...kept, ...sleep.memory, ...(left.length > 0 && { wants: left }) }];
    }),
  );
  const { lostAtMs: _lost, ...rest } = memory;
  const stillBlind = passages.some(({ isBlind }) => isBlind) && memory.lostAtMs !== undefined;
  const remembered = { ...rest, nodes, ...(stillBlind ? { lostAtMs: memory.lostAtMs } : {}) };
  const decision = { verdicts, changes: changesOf(verdicts, topology.nodes) };
  return { decision, memory: counted(remembered, decision, guardrails, at) };
}

/** The memory after a decision was granted: what is about to be scaled counts from now on. */
export function counted(
  memory: Memory = { nodes: {} },
  { verdicts }: Decision,
  { nodes, behavior }: Guardrails,
  at: Date,
): Memory {
  return scaled(memory, verdicts, (name) => nodes[name]?.behavior ?? behavior, at.getTime());
}

/** The topology with the bounds of the window that is open, where one is; what a node has of its own wins. */
export function windowed(topology: Topology, { windows, nodes: own }: Guardrails, at: Date): Topology {
  const open = openWindows(windows, at).find((window) => window.bounds !== undefined)?.bounds;
  if (open === undefined) return topology;
  const nodes = topology.nodes.map((node) => {
    const { min = open.min, max = open.max } = own[node.name] ?? {};
    return { ...node, min, max };
  });
  return { ...topology, nodes };
}

function passageOf(
  node: TopologyNode,
  want: Wanted | undefined,
  { sources, memory, at }: Ground & { memory: Memory },
  guardrails: Guardrails,
  isFrozen: boolean,
): Passage {
  const nowMs = at.getTime();
  const own = guardrails.nodes[node.name] ?? {};
  const behavior = own.behavior ?? guardrails.behavior;
  const known = memory.nodes[node.name] ?? {};
  const blindSeconds =
    behavior === undefined ? 0 : Math.max(windowSeconds(behavior), periodSeconds(behavior));
  return {
    ...{ node, want, known, behavior, nowMs, isFrozen },
    bounds: node,
    sleep: sleepOf(guardrails.zero, sources, {
      node: node.name,
      wanted: want?.parallelism,
      memory: known,
      nowMs,
    }),
    isBlind: memory.lostAtMs !== undefined && nowMs < memory.lostAtMs + blindSeconds * 1_000,
  };
}

/** The rails of one node, one after the other; the later has the last word. */
function rail(passage: Passage, guardrails: Guardrails): { verdict: Verdict; wants: readonly Moment[] } {
  const { node, known, bounds, sleep, isFrozen, nowMs } = passage;
  const start = tolerate(verdictOf(passage), passage);
  const paced = pace(start, passage);
  let verdict = joint(moved(paced.verdict, Math.min(bounds.max, paced.verdict.granted), "OutOfBounds"), node);
  if (turnsTooOften(known, verdict.granted - verdict.current, guardrails.maxReversalsPerHour, nowMs))
    verdict = moved(verdict, verdict.current, "TooManyReversals");
  if (passage.isBlind && verdict.granted < verdict.current)
    verdict = moved(verdict, verdict.current, "WindowUnknown");
  if (isFrozen) return { verdict: moved(verdict, verdict.current, "Frozen"), wants: paced.wants };
  return { verdict: whole(awake(verdict, passage, guardrails, sleep), node), wants: paced.wants };
}

const verdictOf = ({ node, want }: Passage): Verdict => ({
  node: node.name,
  current: node.parallelism,
  wanted: want?.parallelism,
  granted: want?.parallelism ?? node.parallelism,
  reasons: [],
  ...(want?.says === undefined ? {} : { says: want.says }),
});

/** A demand that differs by no more than the tolerance moves nothing; without a behavior the tolerance is 0. */
function tolerate(verdict: Verdict, { want, behavior, node }: Passage): Verdict {
  if (want?.demand === undefined || behavior === undefined) return verdict;
  const { parallelism } = node;
  const least = parallelism * (1 - behavior.down.tolerance);
  const most = parallelism * (1 + behavior.up.tolerance);
  return want.demand >= least && want.demand <= most
    ? moved(verdict, parallelism, "WithinTolerance")
    : verdict;
}

/** Stabilisation and rates, from what runs or, where that is outside the bounds, from the nearest that is inside. */
function pace(verdict: Verdict, passage: Passage): { verdict: Verdict; wants: readonly Moment[] } {
  const { want, known, bounds, behavior, nowMs } = passage;
  const wants = known.wants ?? [];
  if (behavior === undefined || want === undefined) return { verdict, wants };
  const current = Math.min(bounds.max, Math.max(bounds.min, verdict.current));
  // Where it is told to be like the HorizontalPodAutoscaler, what is outside is brought inside and that is all.
  if (behavior.arithmetic === "Doubles" && current !== verdict.current)
    return { verdict: moved(verdict, current, "OutOfBounds"), wants };
  // A node that was never decided on stands as it was found: that counts as wanted until now.
  const heard = wants.length === 0 ? [[nowMs, current] as const] : wants;
  const wish = { current, wanted: verdict.granted, bounds, wants: heard, scaled: known.scaled ?? [], nowMs };
  const result = behavior.isPlain
    ? normalizePlainly(wish, behavior.down.windowSeconds)
    : normalize(wish, behavior);
  return { verdict: explained(verdict, result, current), wants: result.wants };
}

function explained(verdict: Verdict, { value, stabilized, limited }: Normalized, current: number): Verdict {
  const reasons: Reason[] = [...verdict.reasons];
  if (stabilized !== undefined) reasons.push("Stabilized");
  if (limited === "UpByRate" || limited === "DownByRate") reasons.push("RateLimited");
  if (limited === "Most" || limited === "Least" || (value === current && current !== verdict.current))
    reasons.push("OutOfBounds");
  return { ...verdict, granted: value, reasons };
}

/** What the application can use: no more than its ceiling, and a number that divides its work evenly where there is one. */
function joint(verdict: Verdict, { ceiling = Infinity, alignTo, max }: TopologyNode): Verdict {
  const limited = moved(verdict, Math.min(ceiling, verdict.granted), "AboveCeiling");
  if (alignTo === undefined || limited.granted === limited.current || limited.granted <= 0) return limited;
  for (let even = limited.granted; even <= Math.min(max, ceiling, alignTo); even += 1)
    if (alignTo % even === 0) return moved(limited, even, "Aligned");
  return limited;
}

/** Zero rules, then bounds: the last word on one node. */
function awake(
  verdict: Verdict,
  { bounds, node, want }: Passage,
  { zero }: Guardrails,
  { isUsed, mayIdle }: Sleep,
): Verdict {
  const most = Math.min(bounds.max, node.ceiling ?? Infinity);
  const sleeps = zero.allowed && node.parallelism <= zero.idle && node.parallelism < Math.max(bounds.min, 1);
  const isWanted = want !== undefined && want.parallelism > zero.idle;
  if (mayIdle) return moved(verdict, Math.min(Math.max(zero.idle, node.keep ?? 0), most), "Idle");
  if (sleeps && !isUsed && !isWanted) return moved(verdict, node.parallelism, "Idle");
  const woken =
    isUsed && sleeps ? moved(verdict, Math.max(verdict.granted, bounds.min, 1), "SignalAbove") : verdict;
  const inside = moved(woken, Math.min(bounds.max, Math.max(bounds.min, woken.granted)), "OutOfBounds");
  const possible = moved(inside, Math.min(node.ceiling ?? Infinity, inside.granted), "AboveCeiling");
  return possible.current > 0 && possible.granted === 0 ? moved(possible, 1, "ZeroNotAllowed") : possible;
}

/** Up to a whole number of instances, or down to it where the bounds have no room for more. */
function whole(verdict: Verdict, { unit = 1, max }: TopologyNode): Verdict {
  const up = Math.ceil(verdict.granted / unit) * unit;
  const most = Math.max(unit, Math.floor(max / unit) * unit);
  return moved(verdict, verdict.granted === 0 ? 0 : Math.min(up, most), "WholeInstances");
}

/** What the total cut stays within it, but for the last instance. */
function uncut(verdict: Verdict, { unit = 1 }: Pick<TopologyNode, "unit"> = {}): Verdict {
  const down = Math.floor(verdict.granted / unit) * unit;
  return moved(verdict, verdict.granted === 0 ? 0 : Math.max(unit, down), "WholeInstances");
}

/** What a node keeps whatever the total says: its minimum, the last of what runs, and all of it while nothing moves. */
function claimOf({ isFrozen, bounds, node }: Passage, verdict: Verdict, { zero }: Guardrails): Claim {
  const isIdle = zero.allowed && verdict.granted <= zero.idle;
  const least = isFrozen
    ? verdict.current
    : isIdle
      ? verdict.granted
      : Math.max(bounds.min, Math.min(verdict.current, 1));
  return { verdict, least, slotGroup: node.slotGroup };
}

function changesOf(verdicts: readonly Verdict[], nodes: readonly TopologyNode[]): Change[] {
  return verdicts.flatMap((verdict, at) => {
    const node = nodes[at];
    if (node === undefined || verdict.granted === verdict.current) return [];
    return [{ node: verdict.node, from: verdict.current, to: verdict.granted, revision: node.revision }];
  });
}
