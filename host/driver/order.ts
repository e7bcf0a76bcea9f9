import type { Change } from "../knowledge/index.ts";
import type { TargetNode } from "../policy/index.ts";

/**
 * The order in which changes are written: growth before shrinking, so that what is taken away is not missed meanwhile,
 * and each of them upstream before downstream. Nodes on a cycle keep the policy's order.
 */
export function inOrder(changes: readonly Change[], nodes: readonly TargetNode[]): Change[] {
  const rank = new Map(upstreamFirst(nodes).map((name, at) => [name, at]));
  const rankOf = ({ node }: Change) => rank.get(node) ?? nodes.length;
  return [...changes].sort((one, other) => shrinks(one) - shrinks(other) || rankOf(one) - rankOf(other));
}

const shrinks = ({ from, to }: Change) => Number(to < from);

/** Names of the nodes so that every edge points forward; where a cycle forbids it, the first of the policy goes first. */
function upstreamFirst(nodes: readonly TargetNode[]): string[] {
  const left = new Map(nodes.map((node) => [node.name, node]));
  const ordered: string[] = [];
  while (left.size > 0) {
    const waiting = [...left.values()];
    const fed = new Set(waiting.flatMap(({ name, to }) => to.filter((next) => next !== name)));
    const next = waiting.find(({ name }) => !fed.has(name)) ?? waiting[0];
    if (next === undefined) break;
    ordered.push(next.name);
    left.delete(next.name);
  }
  return ordered;
}
