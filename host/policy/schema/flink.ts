import { Type } from "typebox";
import { behavior, nodeBounds } from "./bounds.ts";
import { servicePort } from "./endpoint.ts";
import { block, choice, dnsSubdomain, exactlyOne, listBy, minUpToMax, text, whole } from "./field.ts";
import { container, nodeName, NODES_MAX, objectRef } from "./node.ts";

const jobManager = block(
  "Where the JobManager is reached. Exactly one field.",
  {
    service: Type.Optional(servicePort("The Service of the JobManager's REST interface.")),
    flinkDeployment: Type.Optional(
      block("A FlinkDeployment of the Flink Kubernetes operator.", { name: dnsSubdomain("Its name.") }),
    ),
    flinkSessionJob: Type.Optional(
      block("A FlinkSessionJob of the Flink Kubernetes operator.", { name: dnsSubdomain("Its name.") }),
    ),
  },
  {
    rules: [
      exactlyOne(
        ["service", "flinkDeployment", "flinkSessionJob"],
        "name exactly one of service, flinkDeployment or flinkSessionJob",
      ),
    ],
  },
);

const job = block(
  "Which job of the cluster. Without it, the only one that runs.",
  {
    name: Type.Optional(text("Name of the job; exactly one running job must have it.", { maxLength: 253 })),
    id: Type.Optional(
      text("Id of the job, 32 hexadecimal digits.", { maxLength: 32, pattern: "^[0-9a-f]{32}$" }),
    ),
  },
  { rules: [exactlyOne(["name", "id"], "name the job by its name or by its id: exactly one of them")] },
);

const taskManagers = block(
  "What offers slots to the job. Without it, somebody else scales the TaskManagers.",
  {
    ref: objectRef("The object whose replicas are TaskManagers."),
    container: Type.Optional(container()),
    slotsPerPod: whole("Slots of one TaskManager.", 1, 1_024, { default: 1 }),
    slotMode: choice(
      "Whether vertices share slots, or every node has slots of its own.",
      ["Shared", "PerNode"],
      { default: "Shared" },
    ),
  },
);

const node = block(
  "One node: a vertex of the job graph.",
  {
    name: nodeName(),
    match: block(
      "Which vertex. Exactly one field.",
      {
        uid: Type.Optional(
          text("The uid that the operator was given in the job's code.", { maxLength: 253 }),
        ),
        name: Type.Optional(text("The vertex's name as Flink shows it.", { maxLength: 1_024 })),
      },
      {
        rules: [exactlyOne(["uid", "name"], "match a vertex by its uid or by its name: exactly one of them")],
      },
    ),
    ...nodeBounds(),
    behavior: Type.Optional(behavior()),
  },
  { rules: [minUpToMax] },
);

export const flink = block("A job of Apache Flink; parallelism is that of its vertices.", {
  jobManager,
  job: Type.Optional(job),
  taskManagers: Type.Optional(taskManagers),
  nodes: Type.Optional(
    listBy(
      "name",
      `Vertices with names or bounds of their own, at most ${NODES_MAX}; the others are named as Flink names them.`,
      node,
      { max: NODES_MAX },
    ),
  ),
});
