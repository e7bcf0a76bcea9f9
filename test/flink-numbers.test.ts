import { describe, expect, test } from "vitest";
import { boundsAfter, idleOf, podsFor, slotsFor } from "../host/driver/index.ts";
import { nameVertices, vertexIdOf, type Vertex } from "../host/flink/index.ts";
import type { KubeObject } from "../host/kube/index.ts";
import { flinkTarget } from "./flink-bed.ts";

test("a vertex is called by the hash of its first operator's uid, as a real Flink calls it", () => {
  // Read from a JobManager of Flink 2.2.0.
  expect(vertexIdOf("numbers")).toBe("ca88eee0095684d687a1b6495617f957");
  expect(vertexIdOf("work")).toBe("674df9b0384c0348e0b9d1034a44c46c");
});

describe("slots", () => {
  const vertices = [
    { id: "a", slotGroup: "one" },
    { id: "b", slotGroup: "one" },
    { id: "c", slotGroup: "two" },
  ];
  const numbers = new Map([
    ["a", 2],
    ["b", 5],
    ["c", 3],
  ]);
  test("that vertices share are as many as the widest of each sharing group needs", () => {
    expect(slotsFor(vertices, numbers, "Shared")).toBe(8);
  });
  test("that they do not share are as many as there are instances", () => {
    expect(slotsFor(vertices, numbers, "PerNode")).toBe(10);
  });
  test("come in pods of several: one that is begun counts", () => {
    expect(podsFor(8, { slotsPerPod: 4 })).toBe(2);
    expect(podsFor(9, { slotsPerPod: 4 })).toBe(3);
    expect(podsFor(0, { slotsPerPod: 4 })).toBe(0);
  });
});

describe("bounds", () => {
  const now = new Map([
    ["a", { lower: 1, upper: 4 }],
    ["b", { lower: 3, upper: 4 }],
  ]);
  test("have the target above, and what they had or the target below; all vertices are named", () => {
    expect([...boundsAfter(now, new Map([["b", 2]]))]).toEqual([
      ["a", { lower: 1, upper: 4 }],
      ["b", { lower: 2, upper: 2 }],
    ]);
    expect(boundsAfter(now, new Map([["b", 8]])).get("b")).toEqual({ lower: 3, upper: 8 });
  });
});

const vertex = (id: string, name: string): Vertex => ({
  ...{ id: id.repeat(32), name, parallelism: 1, maxParallelism: 128 },
  ...{ status: "RUNNING", serving: 1, slotGroup: undefined },
});

describe("names of nodes", () => {
  const named = (vertices: Vertex[], target = flinkTarget()) =>
    nameVertices(vertices, target).map(({ name }) => name);
  test("are the vertices' own, made labels", () => {
    const vertices = [vertex("a", "Source: Kafka [clicks] -> Map"), vertex("b", "Über"), vertex("c", "→")];
    expect(named(vertices)).toEqual(["source-kafka-clicks-map", "ber", "vertex"]);
  });
  test("are at most 63 characters long, and end in none that a label may not end in", () => {
    const [long = ""] = named([vertex("a", `${"x".repeat(62)} and more`)]);
    expect(long).toBe("x".repeat(62));
  });
  test("that would be the same are told apart by the vertices' ids, on each start alike", () => {
    expect(named([vertex("a", "Map"), vertex("b", "map"), vertex("c", "Sink")])).toEqual([
      "map-aaaaaaaa",
      "map-bbbbbbbb",
      "sink",
    ]);
  });
  test("leave the policy's own names to the policy, and what every object knows to nobody", () => {
    const bounds = { min: 1, max: 4 };
    const target = flinkTarget({ vertices: [{ name: "map", match: { name: "Split" }, bounds }] });
    const vertices = [vertex("a", "Split"), vertex("b", "Map"), vertex("c", "constructor")];
    expect(named(vertices, target)).toEqual(["map", "map-bbbbbbbb", "constructor-cccccccc"]);
  });
  test("are none where two vertices have the name that the policy means", () => {
    const bounds = { min: 1, max: 4 };
    const target = flinkTarget({ vertices: [{ name: "map", match: { name: "Map" }, bounds }] });
    expect(() => named([vertex("a", "Map"), vertex("b", "Map")], target)).toThrow(
      "The job has 2 vertices named Map",
    );
  });
});

describe("TaskManagers that may go", () => {
  const pod = (name: string, ip: string, isReady = true): KubeObject => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "a", uid: name, resourceVersion: "1" } },
    status: { podIP: ip, conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
  });
  const pods = [pod("tm-0", "10.0.0.1"), pod("tm-1", "10.0.0.2"), pod("tm-2", "10.0.0.3")];
  const idle = (id: string) => ({ id, isIdle: true });
  const busy = (id: string) => ({ id, isIdle: false });

  test("are those with all their slots free, found by the pod's name or by its address", () => {
    const known = [idle("tm-0"), busy("tm-1"), idle("10.0.0.3:6122-ab12cd")];
    expect(idleOf(pods, known, "Deployment")).toEqual(["tm-0", "tm-2"]);
  });
  test("are not those that nobody knows, unless they are not Ready either", () => {
    expect(idleOf([...pods, pod("tm-3", "10.0.0.4", false)], [], "Deployment")).toEqual(["tm-3"]);
  });
  test("are not told by an address that several pods have", () => {
    const same = [pod("tm-0", "127.0.0.1"), pod("tm-1", "127.0.0.1")];
    expect(idleOf(same, [idle("127.0.0.1:6122-ab12cd")], "Deployment")).toEqual([]);
  });
  test("of a StatefulSet are the highest ordinals, down to the first that is busy", () => {
    expect(idleOf(pods, [idle("tm-0"), busy("tm-1"), idle("tm-2")], "StatefulSet")).toEqual(["tm-2"]);
    const ten = Array.from({ length: 11 }, (_, at) => pod(`tm-${at}`, `10.0.0.${at}`));
    const known = [idle("tm-9"), idle("tm-10"), busy("tm-8")];
    expect(idleOf(ten, known, "StatefulSet")).toEqual(["tm-10", "tm-9"]);
  });
});
