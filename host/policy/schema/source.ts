import { Type } from "typebox";
import { bootstrap, brokerTls, credentialRef, servicePort, url } from "./endpoint.ts";
import { block, dnsLabel, duration, exactlyOne, listOf, text, whole } from "./field.ts";
import { NOT_RESERVED } from "./node.ts";
import { cron, timeZone } from "./schedule.ts";

const serviceOrUrl = exactlyOne(["service", "url"], "name exactly one of service and url");
const INSTEAD = "use a prometheus source";

const prometheus = block(
  "A query to Prometheus, or to anything with its HTTP interface.",
  {
    service: Type.Optional(servicePort("The Service that answers queries.")),
    url: Type.Optional(url("Address that answers queries; needs a grant of the Tenant.")),
    query: text("The query in PromQL. Its value is an instant vector or a scalar.", { maxLength: 4_096 }),
  },
  { rules: [serviceOrUrl] },
);

const kafka = block("Lag and end offsets of a consumer group, partition by partition.", {
  bootstrap: bootstrap(),
  group: text("The consumer group.", { maxLength: 255 }),
  topic: text("The topic.", { maxLength: 249, pattern: "^[A-Za-z0-9._-]+$" }),
  tls: Type.Optional(brokerTls()),
});

const resource = block(
  "Processor time and memory of the nodes' pods, mapped to nodes by owner.",
  { container: Type.Optional(dnsLabel("Only this container of the pods; without it, all together.")) },
  { notYet: "use a prometheus source with the usage of the containers" },
);

const http = block(
  "A number in the JSON answer of an HTTP service.",
  {
    service: Type.Optional(servicePort("The Service that is asked.")),
    url: Type.Optional(url("Address that is asked; needs a grant of the Tenant.")),
    path: Type.Optional(
      text("Path and query of the request, from `/` on.", { maxLength: 1_024, pattern: "^/[^# ]*$" }),
    ),
    value: text("JSON Pointer to the number in the answer, such as `/queue/length`.", {
      maxLength: 256,
      pattern: "^(/[^/]*)+$",
    }),
  },
  { notYet: INSTEAD, rules: [serviceOrUrl] },
);

const flink = block("Metrics of the vertices of the target's Flink job; each value belongs to its vertex.", {
  metrics: listOf(
    "Names of metrics, 1 to 20.",
    text(
      "Name of a metric, such as `busyTimeMsPerSecond`. `:avg`, `:max`, `:min` or `:sum` behind it says how the values of a vertex's instances become one; without it the most of what is a time or a share, the least of a watermark, and else the sum.",
      { maxLength: 253 },
    ),
    { min: 1, max: 20 },
  ),
});

const cronSource = block(
  "A number that holds from one time to another, and 0 outside.",
  {
    start: cron("When the number begins to hold."),
    end: cron("When it ends to hold."),
    timeZone: timeZone(),
    value: whole("The number.", 0, 1_000_000),
  },
  { notYet: "use a prometheus source with a query over hour()" },
);

const KINDS = ["prometheus", "kafka", "resource", "http", "flink", "cron"];

/** One thing that the host reads for the algorithm. */
export const source = block(
  "One thing that the host reads for the algorithm. Exactly one kind.",
  {
    name: dnsLabel("Name of the source: the algorithm finds the answer in `sources.<name>`.", {
      rules: [NOT_RESERVED],
    }),
    prometheus: Type.Optional(prometheus),
    kafka: Type.Optional(kafka),
    resource: Type.Optional(resource),
    http: Type.Optional(http),
    flink: Type.Optional(flink),
    cron: Type.Optional(cronSource),
    credentialRef: Type.Optional(credentialRef()),
    for: Type.Optional(dnsLabel("Name of the node that all values of this source belong to.")),
    byLabel: Type.Optional(
      block("The label that says which node a value belongs to.", {
        label: text("Name of the label; its value is the name of a node.", {
          maxLength: 128,
          pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        }),
      }),
    ),
    timeout: duration("How long an answer may take.", "100ms", "10s", { default: "5s" }),
  },
  {
    rules: [
      exactlyOne(KINDS, "name exactly one kind of source: prometheus, kafka, resource, http, flink or cron"),
      {
        cel: "!has(self.__for__) || !has(self.byLabel)",
        message:
          "values belong to one node (for) or to the node that a label names (byLabel): remove one of them",
        holds: (value) => value.for === undefined || value.byLabel === undefined,
      },
    ],
  },
);
