import { expect, test } from "vitest";
import { parsePolicy } from "../host/policy/index.ts";
import { manifest } from "./manifest.ts";

const APPLICATIONS = "spec.target.kafkaStreams.applications";
const application = (name: string, to: string[] = [], object = name) => ({
  ...{ name, to, applicationId: name, bootstrap: [{ service: { name: "kafka", port: 9092 } }] },
  ref: { apiVersion: "apps/v1", kind: "Deployment", name: object },
});

function problems(...applications: object[]): string[] {
  const own = { "spec.target": { kafkaStreams: { applications } }, "spec.sources": [] };
  const result = parsePolicy(manifest(own));
  return result.ok ? [] : result.problems.map(({ field, message }) => `${field}: ${message}`);
}

test("applications of Kafka Streams that feed one another are taken", () => {
  expect(problems(application("a", ["b", "c"]), application("b", ["c"]), application("c"))).toEqual([]);
});

test.each([
  [
    "an edge to nowhere",
    [application("a", ["sink"]), application("b")],
    `${APPLICATIONS}[0].to[0]: there is no node sink: the nodes are a, b`,
  ],
  [
    "a circle",
    [application("a", ["b"]), application("b", ["a"])],
    `${APPLICATIONS}: edges lead in a circle through a, b: remove one of their to entries`,
  ],
  [
    "one object twice",
    [application("a"), application("b", [], "a")],
    `${APPLICATIONS}[1].ref: Deployment a is already node a: an object can be one node only`,
  ],
])("of them, %s is refused", (_, applications, problem) => {
  expect(problems(...applications)).toEqual([problem]);
});
