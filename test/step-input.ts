import type { StepInput } from "../host/contract/index.ts";

const AT = "2026-11-22T10:00:00.000Z";

export const nodeOf = (name: string, parallelism: number): StepInput["topology"]["nodes"][number] => ({
  name,
  kind: "Deployment",
  parallelism,
  ready: parallelism,
  min: 1,
  max: 64,
  attributes: {},
});

export const sampleOf = (node: string, value: number) => ({
  labels: { operator: node },
  node,
  value,
  at: AT,
});

/** What a source says that has values. */
export const valuesOf = (...series: ReturnType<typeof sampleOf>[]): StepInput["sources"][string] => ({
  at: AT,
  series,
});

/** The input of a plan step: `split`, at two instances, feeds `count`, at one; 420 records a second arrive at `split`. */
export const inputOf = (change: Partial<StepInput>): StepInput => ({
  api: "sluice/v1",
  step: "plan",
  iteration: { id: "7@2026-11-22T10:00:00.000Z", number: 7, time: AT },
  policy: { namespace: "team-a", name: "clickstream" },
  topology: { nodes: [nodeOf("split", 2), nodeOf("count", 1)], edges: [{ from: "split", to: "count" }] },
  sources: { rates: valuesOf(sampleOf("split", 420)) },
  history: [
    {
      at: "2026-11-22T09:59:45.000Z",
      nodes: { split: { parallelism: 1, wanted: 3, granted: 2 } },
      sources: { rates: valuesOf(sampleOf("split", 300)) },
    },
  ],
  config: { targetPerInstance: 100 },
  ...change,
});
