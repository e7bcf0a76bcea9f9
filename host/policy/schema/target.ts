import { Type } from "typebox";
import { behavior, nodeBounds } from "./bounds.ts";
import { block, exactlyOne, listBy, minUpToMax } from "./field.ts";
import { flink } from "./flink.ts";
import { jobs } from "./jobs.ts";
import { kafkaStreams } from "./kafka-streams.ts";
import { isGraph } from "./graph.ts";
import { container, feeds, nodeName, NODES_MAX, objectRef } from "./node.ts";

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

const kubernetes = block("Any objects of the policy's namespace that have a scale subresource.", {
  nodes: listBy(
    "name",
    `The nodes of the topology, 1 to ${NODES_MAX}.`,
    kubernetesNode,
    { min: 1, max: NODES_MAX },
    { checks: isGraph },
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
