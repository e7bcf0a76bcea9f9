import { Counter, Gauge, type Registry } from "prom-client";
import type { Compared, ShadowOutcome } from "../knowledge/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";

const OUTCOMES: Readonly<Record<ShadowOutcome, true>> = {
  Agreed: true,
  Differed: true,
  Failed: true,
  Skipped: true,
  NotLoaded: true,
};
/** A tenth of the series of parallelism: few policies have a shadow, and none for long. */
const DIFFERENCE_SERIES = 1_000;

/** What is counted of shadows: what came of each, and by how much its last decision differs from the live one. */
export function shadowTelemetry(registry: Registry) {
  const registers = [registry];
  const passes = new Counter({
    name: "sluice_shadow_passes_total",
    help: "What came of shadows beside live passes, by outcome",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of Object.keys(OUTCOMES)) passes.inc({ outcome }, 0);
  const difference = new Gauge({
    name: "sluice_shadow_difference",
    help: `Parallelism that a shadow would have been granted, less what was granted; the first ${DIFFERENCE_SERIES} nodes`,
    labelNames: ["namespace", "policy", "node"],
    registers,
  });
  const shown = new Map<PolicyKey, readonly { namespace: string; policy: string; node: string }[]>();
  let count = 0;
  const remove = (key: PolicyKey) => {
    const series = shown.get(key) ?? [];
    for (const labels of series) difference.remove(labels);
    count -= series.length;
    shown.delete(key);
  };
  return {
    observe(
      { key, namespace, name: policy }: Policy,
      outcome: ShadowOutcome,
      compared: readonly Compared[] = [],
    ) {
      passes.inc({ outcome });
      if (outcome === "Skipped") return;
      remove(key);
      const fitting = compared.slice(0, DIFFERENCE_SERIES - count);
      const series = fitting.map(({ node }) => ({ namespace, policy, node }));
      for (const [at, { live, shadow }] of fitting.entries())
        difference.set({ namespace, policy, node: series[at]?.node ?? "" }, shadow - live);
      count += series.length;
      shown.set(key, series);
    },
    remove,
  };
}
