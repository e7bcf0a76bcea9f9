import type { Drifted, Iteration, Memory, NodeMemory, Wanted } from "../knowledge/index.ts";
import type { Policy } from "../policy/index.ts";
import { objectOf, type Topology, type TopologyNode } from "../topology/index.ts";
import type { World } from "./world.ts";

/**
 * What others made of the nodes that this policy scaled, and what is remembered of it. A number is somebody else's only where
 * it was read anew: what a pass was shown may be older than the policy's own last write.
 */
export async function drift(
  policy: Policy,
  { driver }: Pick<World, "driver">,
  topology: Topology,
  memory: Memory | undefined,
): Promise<Pick<Iteration, "drifted" | "memory">> {
  if (memory === undefined) return {};
  const nodes = { ...memory.nodes };
  const drifted: Drifted[] = [];
  for (const node of topology.nodes) {
    const known = nodes[node.name];
    if (known === undefined || (known.wrote === undefined && known.yielded === undefined)) continue;
    const before = standing(policy, node, known);
    const moved = expected(before) !== node.parallelism;
    const next = moved ? await looked(policy, driver, node, before) : before;
    nodes[node.name] = next.known;
    const { yielded } = next.known;
    const one = next.drifted ?? (yielded && { ...named(node, yielded), isYielded: true });
    if (one !== undefined) drifted.push(one);
  }
  return { memory: { ...memory, nodes }, ...(drifted.length === 0 ? {} : { drifted }) };
}

/** The memory in which a node is the policy's again, because the algorithm wants what the other made of it. */
export function agreed(memory: Memory | undefined, topology: Topology, wanted: readonly Wanted[]) {
  if (memory === undefined) return undefined;
  const wants = new Map(wanted.map((one) => [one.node, one.parallelism]));
  const nodes = { ...memory.nodes };
  for (const node of topology.nodes) {
    const { name, parallelism, min, max } = node;
    const known = nodes[name];
    const want = wants.get(name);
    if (known?.yielded === undefined || want === undefined) continue;
    if (Math.min(max, Math.max(min, want)) === parallelism) nodes[name] = own(known, parallelism, node);
  }
  return { ...memory, nodes };
}

interface Known {
  readonly known: NodeMemory;
  readonly drifted?: Drifted;
}

/** What is remembered of a node, if it is not to be forgotten or taken back now. */
function standing({ mode, generation, byHand }: Policy, node: TopologyNode, known: NodeMemory): Known {
  // What others do while nothing is acted on is theirs to do.
  if (mode !== "Enforce" || byHand.resumes) return { known: own(known, undefined) };
  if (known.wroteTo !== undefined && known.wroteTo !== objectOf(node.revision))
    return { known: own(known, undefined) };
  const isBack =
    known.yielded !== undefined &&
    (known.yielded.generation !== generation || byHand.takesBack || byHand.override.has(node.name));
  return { known: isBack ? own(known, known.yielded.to, node) : known };
}

const expected = ({ known: { wrote, yielded } }: Known): number | undefined => yielded?.to ?? wrote;

/** Looks at a node that has another number than it was left with, if it was left with any. */
async function looked(policy: Policy, driver: World["driver"], node: TopologyNode, before: Known) {
  const left = expected(before);
  if (left === undefined) return before;
  const found = await driver.writer?.(policy, node.name);
  // It cannot be read, or what was shown was old: the next pass looks again.
  if (found === undefined || found.parallelism !== node.parallelism) return before;
  if (found.isOwn) return { known: own(before.known, node.parallelism, node) };
  const by = found.by === undefined ? {} : { by: found.by };
  const move = { from: before.known.yielded?.from ?? left, to: node.parallelism, ...by };
  const isYielded = isLeft(policy, node);
  const known = isYielded
    ? { ...own(before.known, undefined), yielded: { ...move, generation: policy.generation } }
    : own(before.known, node.parallelism, node);
  return { known, drifted: { node: node.name, ...move, isYielded } };
}

const isLeft = ({ ownership, byHand }: Policy, { name }: TopologyNode): boolean =>
  ownership.onDrift === "Yield" && !byHand.takesBack && !byHand.override.has(name);

/** The node is nobody else's, and stands where it stands; without a number, nothing is known of whose it is. */
function own(
  { yielded: _yielded, wrote: _wrote, wroteTo: _to, ...rest }: NodeMemory,
  wrote: number | undefined,
  node?: TopologyNode,
): NodeMemory {
  if (wrote === undefined || node === undefined) return rest;
  return { ...rest, wrote, wroteTo: objectOf(node.revision) };
}

const named = ({ name: node }: TopologyNode, { from, to, by }: NonNullable<NodeMemory["yielded"]>) => ({
  ...{ node, from, to },
  ...(by === undefined ? {} : { by }),
});
