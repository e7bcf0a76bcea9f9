import type { StepInput } from "../host/contract/index.ts";
import { RATE } from "./flink-steps.ts";
import { alone, type Given, nodeOf, stepOf } from "./flink-vectors.ts";

/** What a vertex is scaled from and by, as `scale` of the vectors and the rows of alignments have it. */
export interface Scaled {
  readonly hash: boolean;
  readonly partitions: number;
  readonly maxParallelism: number;
  readonly current: number;
  readonly factor: number;
  readonly least: number;
  readonly most: number;
}

/** Whether a policy can lead to exactly this: bounds never forbid what there is, and the factor is one of two rates. */
export const isReachable = ({ current, factor, least, most }: Scaled): boolean =>
  least <= current && current <= most && Math.round(factor * RATE) / RATE === factor && factor * RATE < 9e15;

/** Many vertices with the same bounds in one plan step; each needs its factor more than it can process. */
export function scaling(all: readonly Scaled[], config: Readonly<Record<string, unknown>>): StepInput {
  const nodes = all.map((one, at) => nodeOf(`v${at}`, one.current, one.maxParallelism, one.partitions));
  const edges = all.flatMap(({ hash }, at) =>
    hash ? [{ from: "in", to: `v${at}`, shipStrategy: "HASH" }] : [],
  );
  const vertices = all.map(({ factor }, at) => [
    `v${at}`,
    { targetRate: 0, catchUpRate: Math.round(factor * RATE), trueRate: RATE, unbounded: ["scaleUpBelow"] },
  ]);
  return stepOf("plan", 0, {
    topology: { nodes: [nodeOf("in", 1, 1, 0), ...nodes], edges },
    analyze: { restartSeconds: 0, vertices: Object.fromEntries(vertices) as object },
    config: {
      compat: "flink",
      "scale-down.interval": "0 ms",
      "scale-down.max-factor": 1,
      "scale-up.max-factor": 4e9,
      "vertex.min-parallelism": all[0]?.least ?? 1,
      "vertex.max-parallelism": all[0]?.most ?? 200,
      ...config,
    },
  });
}

/** A row of the generated alignments. */
export function scaledOf(row: readonly (number | boolean)[]): Scaled {
  const [hash, partitions, maxParallelism, current, factor, least, most] = row.map(Number);
  return {
    hash: hash === 1,
    partitions: partitions ?? 0,
    maxParallelism: maxParallelism ?? 0,
    current: current ?? 0,
    factor: factor ?? 0,
    least: least ?? 0,
    most: most ?? 0,
  };
}

/** What `scale` of the vectors was called with. */
export const scaledBy = (given: Given): Scaled => ({
  hash: given.inputShipStrategies.includes("HASH"),
  partitions: given.numSourcePartitions,
  maxParallelism: given.maxParallelism,
  current: given.currentParallelism,
  factor: Number(given.scaleFactor),
  least: given.parallelismLowerLimit,
  most: given.parallelismUpperLimit,
});

/** A call of `scale` alone, with a mode of the deprecated option. */
export const scaleCall = (one: Scaled, mode: string) => ({
  function: "scale",
  topology: alone({ ...one, parallelism: one.current, strategies: one.hash ? ["HASH"] : [] }),
  config: { compat: "flink", "scaling.key-group.partitions.adjust.mode": mode },
  factor: one.factor,
  least: one.least,
  most: one.most,
});
