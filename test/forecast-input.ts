// A series of one node, as a policy's history offers it to a step.
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");

/** A value of `split` so many seconds ago, the last of them now. */
export interface Measured {
  readonly secondsAgo: number;
  readonly value: number;
}

export const every = (seconds: number, values: readonly number[]): Measured[] =>
  values.map((value, at) => ({ secondsAgo: (values.length - 1 - at) * seconds, value }));

/** The input of a step that sees this series, oldest first, under the source `rates`. */
export function inputWith(
  measured: readonly Measured[],
  config: object,
  step: "analyze" | "plan" = "analyze",
) {
  const past = measured.filter(({ secondsAgo }) => secondsAgo > 0).toReversed();
  const now = measured.find(({ secondsAgo }) => secondsAgo === 0);
  const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1_000).toISOString();
  return inputOf({
    step,
    topology: { nodes: [nodeOf("split", 2)], edges: [] },
    sources: {
      rates: now === undefined ? { noData: true, at: at(0) } : valuesOf(sampleOf("split", now.value)),
    },
    history: past.map(({ secondsAgo, value }) => ({
      at: at(secondsAgo),
      nodes: { split: { parallelism: 2, wanted: 2, granted: 2 } },
      sources: { rates: valuesOf({ ...sampleOf("split", value), at: at(secondsAgo) }) },
    })),
    config: config as never,
  });
}
