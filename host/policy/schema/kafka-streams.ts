import { Type } from "typebox";
import { behavior, nodeBounds } from "./bounds.ts";
import { bootstrap, brokerTls, credentialRef } from "./endpoint.ts";
import { block, listBy, minUpToMax, text, whole } from "./field.ts";
import { isGraph } from "./graph.ts";
import { container, feeds, nodeName, NODES_MAX, objectRef } from "./node.ts";

const subtopology = block("A sub-topology with a name.", {
  id: whole("Number of the sub-topology, as Kafka Streams counts them.", 0, 10_000),
  name: nodeName(),
});

const application = block(
  "One node: a Kafka Streams application.",
  {
    name: nodeName(),
    applicationId: text("The application's `application.id`.", {
      maxLength: 249,
      pattern: "^[A-Za-z0-9._-]+$",
    }),
    bootstrap: bootstrap(),
    tls: Type.Optional(brokerTls()),
    credentialRef: Type.Optional(credentialRef()),
    ref: objectRef("The object whose replicas are the application's instances."),
    container: Type.Optional(container()),
    threadsPerInstance: whole("Stream threads of one instance (`num.stream.threads`).", 1, 1_024, {
      default: 1,
    }),
    to: Type.Optional(feeds()),
    subtopologies: Type.Optional(
      listBy(
        "id",
        "Names of sub-topologies, at most 100. An instance runs all of them: they are attributes of the application's node, with the lag and tasks of each.",
        subtopology,
        { max: 100 },
      ),
    ),
    ...nodeBounds(),
    behavior: Type.Optional(behavior()),
  },
  { rules: [minUpToMax] },
);

export const kafkaStreams = block("Applications of Kafka Streams; parallelism is stream threads.", {
  applications: listBy(
    "name",
    `The nodes of the topology, 1 to ${NODES_MAX}.`,
    application,
    { min: 1, max: NODES_MAX },
    { checks: isGraph },
  ),
});
