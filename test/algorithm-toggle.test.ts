import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtAlgorithm } from "./built-algorithm.ts";
import { inputOf, nodeOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

interface Conversation {
  readonly name: string;
  readonly config: object;
  readonly nodes: number;
  readonly loops: readonly {
    readonly monitor: object;
    readonly analyze: object;
    readonly plan: readonly number[];
  }[];
}
const path = join(import.meta.dirname, "vectors/kta/dummy-algorithm-sequence.json");
const { vectors } = JSON.parse(readFileSync(path, "utf8")) as { readonly vectors: readonly Conversation[] };

let file = "";
beforeAll(async () => {
  file = await builtAlgorithm("toggle");
}, 240_000);

describe("toggle", () => {
  test.each(vectors.map((one) => [one.name, one] as const))(
    "answers as the demonstration algorithm of the Kubernetes Topology Autoscaler does: %s",
    async (_name, { config, nodes, loops }) => {
      let carry: object = {};
      const topology = {
        nodes: Array.from({ length: nodes }, (_, at) => nodeOf(`node-${at}`, 1)),
        edges: [],
      };
      for (const wanted of loops) {
        const given = { topology, config: config as never, carry: carry as never };
        const monitor = (await callStock(file, "monitor", inputOf({ ...given, step: "monitor" }))).answer;
        expect(monitor).toEqual(wanted.monitor);
        const seen = { ...given, monitor: monitor as never };
        const analyze = (await callStock(file, "analyze", inputOf({ ...seen, step: "analyze" }))).answer;
        expect(analyze).toEqual(wanted.analyze);
        const planned = await callStock(file, "plan", inputOf({ ...seen, analyze: analyze as never }));
        const plan = planned.answer as { nodes: Record<string, { parallelism: number }>; carry: object };
        expect(Object.values(plan.nodes).map(({ parallelism }) => parallelism)).toEqual(wanted.plan);
        ({ carry } = plan);
      }
    },
  );

  test("ends with what is wrong where there are not two numbers", async () => {
    const input = inputOf({
      config: { numReplicasByState: [1] },
      analyze: { toggleState: 0 },
    });
    expect((await callStock(file, "plan", input)).error).toContain("two numbers are needed");
  });
});
