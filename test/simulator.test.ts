import { readFile } from "node:fs/promises";
import { array, assert, constant, integer, oneof, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Fault } from "../host/fault/index.ts";
import type { Observation, Wanted } from "../host/knowledge/index.ts";
import { guard } from "../host/loop/index.ts";
import type { PrometheusSource, TargetNode } from "../host/policy/index.ts";
import {
  loadAt,
  scaleNode,
  SIMULATED_POLICY,
  simulate,
  startingState,
  step,
  type AppState,
} from "../host/simulator/index.ts";
import { guardrails, policy } from "./builders.ts";

const CHAIN = ["source", "split", "count", "sink"];
const nodeOf = (state: AppState, name: string) => state.nodes.find((one) => one.name === name)!;
const target = (name: string, to: string[]): TargetNode => ({
  name,
  ref: { apiVersion: "apps/v1", kind: "Deployment", name },
  to,
  bounds: { min: 1, max: 16 },
  attributes: {},
});
const source = (name: string): PrometheusSource => ({
  name,
  kind: "prometheus",
  service: { name: "prometheus", port: 9090 },
  query: name,
  byLabel: "operator",
  node: undefined,
  timeoutMs: 3_000,
});
const words = policy({
  nodes: CHAIN.map((name, at) => target(name, CHAIN.slice(at + 1, at + 2))),
  sources: [source("rates"), source("lag")],
  guardrails: guardrails({ totalMax: 30 }),
});

/** A clock that the test turns; it starts with a simulated day. */
const always = () => undefined;

function turnable() {
  let ms = 240_000;
  return { now: () => new Date(ms), turn: (seconds: number) => void (ms += seconds * 1_000) };
}

describe("one step of the simulated application", () => {
  test("works off what arrives, and gives it on: 100 lines are 400 words, of which one instance counts 120", () => {
    const state = step(startingState(), 1, 100);
    expect(nodeOf(state, "split")).toMatchObject({ arrived: 100, processed: 100, backlog: 0 });
    expect(nodeOf(state, "count")).toMatchObject({
      arrived: 400,
      processed: 120,
      backlog: 280,
      arrivalRate: 400,
    });
    expect(nodeOf(state, "sink")).toMatchObject({ arrived: 30, processed: 30, backlog: 0 });
  });

  test("has more instances ready two seconds after they were asked for, and fewer at once", () => {
    const asked = scaleNode(startingState(), "count", 4);
    expect(nodeOf(asked, "count")).toMatchObject({ parallelism: 4, ready: 1 });
    expect(nodeOf(step(asked, 1.9, 0), "count").ready).toBe(1);
    const grown = step(asked, 2, 0);
    expect(nodeOf(grown, "count").ready).toBe(4);
    expect(nodeOf(scaleNode(grown, "count", 2), "count")).toMatchObject({ parallelism: 2, ready: 2 });
  });

  test("loses and invents no record, is never negative and never faster than its instances, whatever happens to it", () => {
    const happenings = oneof(
      record({
        what: constant("step" as const),
        tenths: integer({ min: 1, max: 50 }),
        load: integer({ min: 0, max: 2_000 }),
      }),
      record({
        what: constant("scale" as const),
        node: integer({ min: 0, max: 3 }),
        to: integer({ min: 0, max: 16 }),
      }),
    );
    assert(
      property(array(happenings, { maxLength: 60 }), (script) => {
        let state = startingState();
        for (const one of script) {
          const before = state;
          if (one.what === "scale") state = scaleNode(state, CHAIN[one.node] ?? "", one.to);
          else state = step(state, one.tenths / 10, one.load);
          for (const [at, node] of state.nodes.entries()) {
            expect(node.arrived - node.processed).toBeCloseTo(node.backlog, 3);
            expect(
              Math.min(node.backlog, node.ready, node.arrivalRate, node.settlesInSeconds),
            ).toBeGreaterThanOrEqual(0);
            expect(node.ready).toBeLessThanOrEqual(node.parallelism);
            const seconds = one.what === "step" ? one.tenths / 10 : 0;
            const done = node.processed - (before.nodes[at]?.processed ?? 0);
            expect(done).toBeLessThanOrEqual(node.ready * 120 * seconds + 1e-6);
          }
          const [first, second, third, last] = state.nodes;
          expect(second?.arrived).toBeCloseTo(first?.processed ?? 0, 3);
          expect(third?.arrived).toBeCloseTo((second?.processed ?? 0) * 4, 3);
          expect(last?.arrived).toBeCloseTo((third?.processed ?? 0) / 4, 3);
        }
      }),
    );
  });
});

test("the load of a day is 20 lines a second at midnight, 280 at noon, with a burst at two thirds, and comes again", () => {
  expect([0, 60, 120].map((second) => Math.round(loadAt(second)))).toEqual([20, 150, 280]);
  expect(loadAt(160) - loadAt(159.9)).toBeGreaterThan(115);
  expect(loadAt(240 * 1_000 + 120)).toBe(280);
});

describe("the simulation", () => {
  test("is discovered as the policy's nodes and edges, with what is asked for and what is ready", async () => {
    const { driver } = simulate({ clock: turnable() });
    const topology = await driver.discover(words);
    expect(topology.edges).toEqual([
      { from: "source", to: "split" },
      { from: "split", to: "count" },
      { from: "count", to: "sink" },
    ]);
    expect(topology.nodes[1]).toMatchObject({
      name: "split",
      parallelism: 1,
      ready: 1,
      min: 1,
      max: 16,
      revision: "1",
    });
  });

  test("refuses a change that was decided on an older state, and leaves the others alone", async () => {
    const clock = turnable();
    const { driver } = simulate({ clock });
    expect(await driver.scale(words, [{ node: "count", from: 1, to: 3, revision: "1" }], always)).toEqual([
      { node: "count", outcome: "Scaled" },
    ]);
    const outcomes = await driver.scale(
      words,
      [
        { node: "count", from: 1, to: 9, revision: "1" },
        { node: "sink", from: 1, to: 2, revision: "1" },
      ],
      always,
    );
    expect(outcomes).toMatchObject([{ outcome: "Failed", code: "Conflict" }, { outcome: "Scaled" }]);
    clock.turn(2);
    expect((await driver.discover(words)).nodes.map((node) => node.ready)).toEqual([1, 1, 3, 2]);
  });

  test("tells a policy over nodes it does not have which nodes it has", async () => {
    const { driver } = simulate({ clock: turnable() });
    const fault: Fault = await driver
      .discover(policy({ nodes: [target("map", [])] }))
      .catch((thrown) => thrown);
    expect(fault.sentence).toBe(
      "spec.target.kubernetes.nodes: The simulated application has no node map. Its nodes are source, split, count, sink.",
    );
  });

  test("measures what arrives and a tenth of what waits, and has no other sources than these two", async () => {
    const clock = turnable();
    const { sources, state } = simulate({ clock });
    clock.turn(100);
    const { rates, lag, cpu } = await sources.observe(
      { ...words, sources: [...words.sources, source("cpu")] },
      clock.now(),
    );
    const count = nodeOf(state(), "count");
    expect(count.backlog).toBeGreaterThan(1_000);
    expect(valueOf(lag, "count")).toBe(count.backlog);
    expect(valueOf(rates, "count")).toBe(count.arrivalRate + count.backlog / 10);
    expect(cpu).toMatchObject({ error: { code: "SourceUnavailable" } });
  });

  test("is scaled over a day by 100 a second an instance: between 1 and at least 10 counters, with no backlog that stays", async () => {
    const clock = turnable();
    const { driver, sources, state } = simulate({ clock });
    const counters: number[] = [];
    for (let pass = 0; pass < 120; pass += 1) {
      clock.turn(2);
      const topology = await driver.discover(words);
      const { rates } = await sources.observe(words, clock.now());
      const wanted = CHAIN.map((node): Wanted => ({
        node,
        parallelism: Math.ceil(valueOf(rates, node) / 100),
      }));
      await driver.scale(
        words,
        guard(wanted, { topology, sources: {}, memory: undefined, at: new Date(0) }, words.guardrails)
          .decision.changes,
        always,
      );
      counters.push(nodeOf(state(), "count").parallelism);
    }
    expect(Math.min(...counters)).toBe(1);
    expect(Math.max(...counters)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...counters)).toBeLessThanOrEqual(16);
    expect(new Set(counters).size).toBeGreaterThanOrEqual(10);
    expect(nodeOf(state(), "count").backlog).toBeLessThan(50);
  });
});

test("the policy that goes with it names its four nodes, both its sources and the embedded algorithm", async () => {
  const { kind, spec } = parse(await readFile(SIMULATED_POLICY, "utf8")) as {
    kind: string;
    spec: {
      target: { kubernetes: { nodes: { name: string }[] } };
      sources: { name: string }[];
      algorithm: { artifact: string };
    };
  };
  expect(kind).toBe("ScalingPolicy");
  expect(spec.target.kubernetes.nodes.map((one) => one.name)).toEqual(CHAIN);
  expect(spec.sources.map((one) => one.name)).toEqual(["rates", "lag"]);
  expect(spec.algorithm.artifact).toBe("oci://embedded/algorithms/threshold:latest");
});

function valueOf(observation: Observation | undefined, node: string): number {
  const series = observation !== undefined && "series" in observation ? observation.series : [];
  return series.find((one) => one.node === node)?.value ?? Number.NaN;
}
