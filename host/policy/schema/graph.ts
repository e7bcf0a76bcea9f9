import type { Problem } from "../../fault/index.ts";
import { listed } from "./node.ts";

/** What a list of nodes says of each: its name, its object and the nodes that it feeds. */
interface GraphNode {
  readonly name: string;
  readonly ref: { readonly apiVersion: string; readonly kind: string; readonly name: string };
  readonly to?: string[];
}

function edgesLeadToNodes(nodes: readonly GraphNode[]): Problem[] {
  const names = new Set(nodes.map(({ name }) => name));
  return nodes.flatMap(({ to = [] }, at) =>
    to.flatMap((next, edge) =>
      names.has(next)
        ? []
        : [
            {
              field: `[${at}].to[${edge}]`,
              message: `there is no node ${next}: the nodes are ${listed([...names])}`,
            },
          ],
    ),
  );
}

function nodesAreDifferentObjects(nodes: readonly GraphNode[]): Problem[] {
  const first = new Map<string, string>();
  return nodes.flatMap(({ name, ref }, at) => {
    const group = ref.apiVersion.includes("/") ? ref.apiVersion.slice(0, ref.apiVersion.indexOf("/")) : "";
    const object = `${group}/${ref.kind}/${ref.name}`;
    const other = first.get(object);
    if (other === undefined) first.set(object, name);
    return other === undefined
      ? []
      : [
          {
            field: `[${at}].ref`,
            message: `${ref.kind} ${ref.name} is already node ${other}: an object can be one node only`,
          },
        ];
  });
}

/** Takes away nodes that feed nothing or that nothing feeds until none of them is left: what remains leads in a circle. */
function edgesMakeNoCycle(nodes: readonly GraphNode[]): Problem[] {
  let left = new Map(nodes.map(({ name, to = [] }) => [name, to]));
  for (let before = -1; before !== left.size;) {
    before = left.size;
    const fed = new Set([...left.values()].flat());
    left = new Map([...left].filter(([name, to]) => fed.has(name) && to.some((next) => left.has(next))));
  }
  if (left.size === 0) return [];
  return [
    {
      field: "",
      message: `edges lead in a circle through ${listed([...left.keys()])}: remove one of their to entries`,
    },
  ];
}

/** Nodes are different objects, and edges lead from one to another and in no circle. */
export const isGraph = [edgesLeadToNodes, edgesMakeNoCycle, nodesAreDifferentObjects];
