import type { Fault, FaultCode } from "../fault/index.ts";
import type {
  Change,
  ChangeOutcome,
  Followed,
  Iteration,
  Memory,
  NodeMemory,
  Refused,
  Settling,
  Trouble,
} from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import { hasShape, objectOf, spellMove, type Topology, type TopologyNode } from "../topology/index.ts";

/** A write that a rule of the cluster refused is tried again after this, and twice as late each time. */
const REFUSED_SECONDS = 30;
const REFUSED_DOUBLINGS = 5;
/** Also how long a change that was taken back is not made again, or its own timeout where that is longer. */
const LONGEST_REFUSED_SECONDS = 600;
/** A rule of the cluster stood against the write: to repeat it at once would change nothing. */
const DENIALS: ReadonlySet<FaultCode> = new Set<Fault["code"]>([
  "AdmissionDenied",
  "AdmissionChanged",
  "QuotaExceeded",
]);

/** What is remembered of a refusal is kept in the policy's status as well, which is small. */
const MESSAGE_CHARACTERS = 256;

/** How a node's last change stands now. */
export interface Standing {
  readonly node: TopologyNode;
  /** Absent where no change is followed, or somebody has set another number since. */
  readonly state?: "Settling" | "Settled" | "Late";
  readonly settling?: Settling;
  /** Whether its time ran out since the last pass. */
  readonly ranOut: boolean;
  /** A change that is not to be tried now. */
  readonly refused?: Refused;
}

/** Whether all of a node serves. */
const isSettled = (node: TopologyNode): boolean => node.settled ?? node.ready === node.parallelism;

/** Whether the node is asked for what was written, and nobody has asked for something else since. */
const isThere = ({ parallelism, resources: has }: TopologyNode, { to, resources }: Settling): boolean =>
  parallelism === to && (resources === undefined || hasShape(has, resources));

/** How the changes of earlier passes stand now. Pure. */
export function standings(
  memory: Memory | undefined,
  topology: Topology,
  { settle }: Policy,
  nowMs: number,
): Standing[] {
  return topology.nodes.flatMap((node): Standing[] => {
    const { settling, refused } = memory?.nodes[node.name] ?? {};
    const held = refused !== undefined && nowMs < refused.untilMs ? { refused } : {};
    if (settling === undefined || settle === undefined || !isThere(node, settling))
      return [{ node, ranOut: false, ...held }];
    if (isSettled(node)) return [{ node, state: "Settled", settling, ranOut: false, ...held }];
    const isOver = nowMs - settling.sinceMs > settle.timeoutSeconds * 1_000;
    const ranOut = isOver && settling.late !== true;
    const state = isOver || settling.late === true ? "Late" : "Settling";
    return [{ node, state, settling, ranOut, ...held }];
  });
}

/** What is said of them; undefined where the policy follows no changes and none was refused. */
export function followedOf(
  found: readonly Standing[],
  troubles: ReadonlyMap<string, Trouble>,
  takenBack: ReadonlySet<string>,
  { settle }: Policy,
): readonly Followed[] | undefined {
  const followed = found.flatMap(({ node, state, settling, refused }): Followed[] => {
    const trouble = troubles.get(node.name);
    const why = trouble === undefined || state === "Settled" ? {} : { trouble };
    const moved: Followed[] =
      settling === undefined || state === undefined
        ? []
        : [{ ...moveOf(node, settling), state: takenBack.has(node.name) ? "RolledBack" : state, ...why }];
    return refused === undefined ? moved : [...moved, refusedNews(node, refused)];
  });
  return settle === undefined && followed.length === 0 ? undefined : followed;
}

const moveOf = (
  { name }: TopologyNode,
  { from, to, resources }: Pick<Settling, "from" | "to" | "resources">,
) => ({
  node: name,
  from,
  to,
  ...(resources === undefined ? {} : { resources }),
});

const refusedNews = (node: TopologyNode, refused: Refused): Followed => ({
  ...moveOf(node, refused),
  state: refused.code === "SettleTimeout" ? "RolledBack" : "Refused",
  trouble: { code: refused.code, message: refused.message },
});

/** What is remembered of them: what serves is done with, and what is taken back is not tried again for a while. */
export function remembered(
  memory: Memory | undefined,
  found: readonly Standing[],
  takenBack: ReadonlySet<string>,
  { settle }: Policy,
  nowMs: number,
): Memory | undefined {
  if (memory === undefined) return undefined;
  const nodes: Record<string, NodeMemory> = { ...memory.nodes };
  for (const { node, state, settling } of found) {
    const known = nodes[node.name];
    if (known === undefined) continue;
    const { settling: _before, ...rest } = known;
    if (settling === undefined || state === undefined || state === "Settled") nodes[node.name] = rest;
    else if (!takenBack.has(node.name))
      nodes[node.name] = { ...rest, settling: state === "Late" ? { ...settling, late: true } : settling };
    else {
      const waitMs = Math.max(settle?.timeoutSeconds ?? 0, LONGEST_REFUSED_SECONDS) * 1_000;
      const message = `${spellMove(settling)} did not come to serve in time and was taken back`;
      const { sinceMs: _since, ready: _ready, late: _late, ...move } = settling;
      const refused = { ...move, untilMs: nowMs + waitMs, times: 1 };
      nodes[node.name] = { ...rest, refused: { ...refused, code: "SettleTimeout", message } };
    }
  }
  return { ...memory, nodes };
}

/** What is remembered after a decision was carried out: what was written is followed, what a rule refused waits. */
export function noted(pass: Iteration, policy: Policy, nowMs: number): Memory | undefined {
  const { decision, changes, memory = { nodes: {} } } = pass;
  const nodes: Record<string, NodeMemory> = { ...memory.nodes };
  for (const change of decision?.changes ?? []) {
    const outcome = changes.find(({ node }) => node === change.node);
    if (outcome === undefined) continue;
    const known = nodes[change.node] ?? {};
    const reasons = decision?.verdicts.find(({ node }) => node === change.node)?.reasons ?? [];
    // What is taken back is taken back once, and nothing waits for it.
    const follows = policy.settle !== undefined && !reasons.includes("RolledBack");
    const ready = pass.topology?.nodes.find(({ name }) => name === change.node)?.ready ?? change.from;
    const next = {
      ...writtenAfter(refusedAfter(known, change, outcome, nowMs), change, outcome),
      ...reshapedAfter(known, change, outcome, nowMs),
      ...(outcome.outcome === "Scaled" && follows
        ? { settling: settlingAfter(known.settling, { ...change, ...outcome }, ready, nowMs) }
        : {}),
    };
    if (Object.keys(next).length > 0) nodes[change.node] = next;
  }
  return Object.keys(nodes).length === 0 ? pass.memory : { ...memory, nodes };
}

/** When what an instance has was changed, or may have been; and what was found before the first time. */
function reshapedAfter(
  { reshaped }: NodeMemory,
  { resources }: Written,
  outcome: ChangeOutcome,
  atMs: number,
): Pick<NodeMemory, "reshaped"> {
  if (resources === undefined) return {};
  if (outcome.outcome === "Failed" && !UNKNOWN.has(outcome.code)) return {};
  return { reshaped: { atMs, found: { ...resources.from, ...reshaped?.found } } };
}

/** After these a write may have been made, and nobody knows. */
export const UNKNOWN: ReadonlySet<FaultCode> = new Set([
  "ClusterUnavailable",
  "TargetUnavailable",
  "DecisionAbandoned",
]);

/** Whose number a node has: what nobody knows to have been written is not held against anybody. */
function writtenAfter(known: NodeMemory, { from, to, revision }: Change, outcome: ChangeOutcome): NodeMemory {
  if (from === to) return known;
  const { wrote: _wrote, wroteTo: _to, yielded: _yielded, ...rest } = known;
  const found = known.found ?? from;
  if (outcome.outcome === "Scaled") {
    return { ...rest, found, wrote: outcome.granted ?? to, wroteTo: objectOf(revision) };
  }
  return UNKNOWN.has(outcome.code) ? { ...rest, found } : known;
}

type Written = Pick<Settling, "from" | "to" | "resources"> & { readonly granted?: number };

/** Growth that goes on is one change, as long as nothing more of it serves: else it would never run out of time. */
function settlingAfter(
  last: Settling | undefined,
  { from, to, granted = to, resources: reshape }: Written,
  ready: number,
  nowMs: number,
): Settling {
  const goesOn =
    last !== undefined && last.late !== true && last.to === from && last.from < from && from < to;
  // What was changed of the instances is not there yet either, as long as it is followed.
  const resources = reshape ?? last?.resources;
  const shape = resources === undefined ? {} : { resources };
  if (!goesOn) return { from, to: granted, ...shape, sinceMs: nowMs, ready };
  if (ready <= last.ready) return { ...last, to: granted };
  return { from: Math.min(ready, from), to: granted, ...shape, sinceMs: nowMs, ready };
}

function refusedAfter(
  known: NodeMemory,
  { from, to, resources }: Written,
  outcome: ChangeOutcome,
  nowMs: number,
) {
  const { refused, settling: _settling, ...rest } = known;
  const denial = denialOf(outcome, to);
  if (denial === undefined) {
    const keeps = outcome.outcome === "Failed" || (refused !== undefined && nowMs < refused.untilMs);
    return keeps ? known : rest;
  }
  const times = (refused?.times ?? 0) + 1;
  const seconds = Math.min(
    REFUSED_SECONDS * 2 ** Math.min(times - 1, REFUSED_DOUBLINGS),
    LONGEST_REFUSED_SECONDS,
  );
  const shape = resources === undefined ? {} : { resources };
  return { ...rest, refused: { from, to, ...shape, untilMs: nowMs + seconds * 1_000, times, ...denial } };
}

function denialOf(outcome: ChangeOutcome, to: number): Trouble | undefined {
  if (outcome.outcome === "Scaled") {
    if (outcome.granted === undefined) return undefined;
    return { code: "AdmissionChanged", message: `${outcome.granted} was written where ${to} was decided` };
  }
  const { code, message } = outcome;
  return DENIALS.has(code) ? { code, message: message.slice(0, MESSAGE_CHARACTERS) } : undefined;
}
