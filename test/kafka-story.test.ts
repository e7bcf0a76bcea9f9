import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import type { PassInput } from "../host/loop/index.ts";
import { parsePolicy, type Policy } from "../host/policy/index.ts";
import { sources } from "../host/source/index.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import { kafkaAt, observed, SERVICE } from "./kafka/bed.ts";
import { passesOf, type Planner } from "./kafka/passes.ts";
import { brokerOrNone } from "./kafka/server.ts";
import { eventually, streamsApp } from "./kafka/streams.ts";
import { bed, type Bed } from "./kube/bed.ts";
import { inputOf } from "./step-input.ts";
import { callStock } from "./stock.ts";
import { sharedCluster } from "./world/index.ts";
import type { KafkaBroker } from "./world/kafka.ts";

const there = await brokerOrNone();
const SCHEMA = join(import.meta.dirname, "../pdk/schema/input.json");

/** The first policy of a page. */
async function policyOf(page: string): Promise<Policy> {
  const text = await readFile(join(import.meta.dirname, "../docs/how-to", page), "utf8");
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
  const parsed = parsePolicy(parse(yaml));
  if (!parsed.ok) throw parsed.fault;
  return parsed.value;
}

describe.skipIf(there === undefined)("what the pages say", () => {
  const broker = there as KafkaBroker;
  const kafka = kafkaAt(broker?.ports.plain ?? 0);
  let ground: Bed;
  let keda: string;
  beforeAll(async () => {
    keda = await builtAlgorithm("keda");
    ground = await bed((await sharedCluster()).kubeconfig);
  }, 240_000);
  afterAll(async () => {
    kafka.close();
    await ground[Symbol.asyncDispose]();
    await broker.stop();
  });

  /** Plans with the algorithm that the pages name. */
  const planning =
    ({ algorithm }: Policy): Planner =>
    async ({ topology, sources: seen }: Pick<PassInput, "topology" | "sources">) => {
      const config = JSON.parse(algorithm.config) as Record<string, never>;
      const nodes = topology.nodes.map(
        ({ revision: _revision, unit: _unit, settled: _settled, ...node }) => node,
      );
      const input = inputOf({
        topology: { nodes, edges: [...topology.edges] },
        sources: seen as never,
        history: [],
        config,
      });
      const fits = new Ajv2020({ strict: false, formats: { "date-time": true } }).compile(
        JSON.parse(await readFile(SCHEMA, "utf8")) as object,
      );
      expect(fits(input), JSON.stringify(fits.errors)).toBe(true);
      const { answer, error } = await callStock(keda, "plan", input);
      if (error !== undefined) throw new Error(error);
      return JSON.stringify(answer);
    };

  test("350 records in six partitions, at 100 an instance, are four instances", async () => {
    const policy = await policyOf("scale-on-kafka-lag.md");
    const [source] = policy.sources;
    if (source?.kind !== "kafka") throw new Error("no source");
    await broker.createTopic(source.topic, 6);
    await broker.produce(source.topic, [100, 100, 100, 30, 20, 10]);
    await vi.waitFor(() => broker.commit(source.group, source.topic, [5, 0, 0, 5, 0, 0]), {
      timeout: 20_000,
      interval: 500,
    });
    const seen = { lag: await observed(kafka, source, policy) };
    const topology = {
      nodes: [{ ...inputOf({}).topology.nodes[0], name: "split", revision: "1" }],
      edges: [],
    };
    const plan = await planning(policy)({ topology, sources: seen } as never);
    expect(JSON.parse(plan)).toMatchObject({ nodes: { split: { parallelism: 4 } } });
  });

  test("a burst of 1,200 records brings an application to four threads, one for each partition, and back to one when it is done", async () => {
    const page = await policyOf("scale-kafka-streams.md");
    await using app = await streamsApp(ground, broker, kafka, { threads: 1 });
    await app.settled(1);
    await broker.produce(app.input, [300, 300, 300, 300]);
    const [source] = page.sources;
    if (source?.kind !== "kafka") throw new Error("no source");
    const { applicationId } = app.application;
    // The lag alone: at a rate it is test/story/kafka-streams.test.ts.
    const trigger = { type: "kafka", source: "lag", lagThreshold: 200 };
    const own = { ...source, bootstrap: [{ service: SERVICE }], group: applicationId, topic: app.input };
    const policy: Policy = {
      ...app.policy,
      sources: [own],
      // On 1,200 records 200 a thread are six threads; more than four have no partition of the topic.
      algorithm: { ...page.algorithm, config: JSON.stringify({ triggers: [trigger] }) },
      settle: { timeoutSeconds: 600, onFailure: "Hold" },
    };
    const endpoint = () => Promise.reject(new Error("nobody's"));
    const { observe } = sources({ endpoint, kafka });
    const { pass, writes } = passesOf(app.driver, { observe });
    const began = performance.now();
    await eventually(async () => {
      const { decision, outcome } = await pass(policy, planning(policy));
      return outcome !== "Failed" && decision?.verdicts[0]?.current === 1 && writes.length > 1;
    }, "it has grown, and shrunk again");
    expect(writes[0]).toBe(4);
    expect(writes.at(-1)).toBe(1);
    await app.settled(1);
    await eventually(async () => {
      const { attributes } = await app.found();
      return attributes["subtopology.0.lag"] === "0" && attributes["subtopology.words.lag"] === "0";
    }, "nothing waits any more");
    const seconds = Math.round((performance.now() - began) / 1_000);
    process.stderr.write(
      `Kafka Streams: threads ${[1, ...writes].join(" → ")}, 1,200 records in ${seconds} s\n`,
    );
  }, 180_000);
});
