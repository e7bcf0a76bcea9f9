import { Type } from "typebox";
import type { Static } from "typebox";
import type { Problem } from "../../fault/index.ts";
import { behavior, nodeBounds } from "./bounds.ts";
import { block, exactlyOne, listBy, minUpToMax } from "./field.ts";
import { flink } from "./flink.ts";
import { jobs } from "./jobs.ts";
import { kafkaStreams } from "./kafka-streams.ts";
import { container, feeds, listed, nodeName, NODES_MAX, objectRef } from "./node.ts";

const kubernetesNode = block(
  "One node of the topology: an object with a scale subresource.",
  {
    name: nodeName(),
    ref: objectRef("The object: any kind with a scale subresource, in the policy's namespace."),
    container: Type.Optional(container()),
    to: Type.Optional(feeds()),
    ...nodeBounds(),
    behavior: Type.Optional(behavior()),
  },
  { rules: [minUpToMax] },
);
type KubernetesNode = Static<typeof kubernetesNode>;

const kubernetes = block("Any objects of the policy's namespace that have a scale subresource.", {
  nodes: listBy(
    "name",
    `The nodes of the topology, 1 to ${NODES_MAX}.`,
    kubernetesNode,
    { min: 1, max: NODES_MAX },
    { checks: [edgesLeadToNodes, edgesMakeNoCycle, nodesAreDifferentObjects] },
  ),
});

const KINDS = ["kubernetes", "flink", "kafkaStreams", "jobs"];

export const target = block(
  "The application: a graph of nodes, each with a parallelism of its own. Exactly one block; its kind cannot be changed.",
  {
    kubernetes: Type.Optional(kubernetes),
    flink: Type.Optional(flink),
    kafkaStreams: Type.Optional(kafkaStreams),
    jobs: Type.Optional(jobs),
  },
  {
    rules: [
      exactlyOne(KINDS, "name exactly one kind of target: kubernetes, flink, kafkaStreams or jobs"),
      {
        cel: KINDS.map((kind) => `has(self.${kind}) == has(oldSelf.${kind})`).join(" && "),
        message: "the kind of target cannot be changed: delete this policy and create another",
      },
    ],
  },
);

function edgesLeadToNodes(nodes: readonly KubernetesNode[]): Problem[] {
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

function nodesAreDifferentObjects(nodes: readonly KubernetesNode[]): Problem[] {
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
function edgesMakeNoCycle(nodes: readonly KubernetesNode[]): Problem[] {
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
