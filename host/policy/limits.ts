import { Fault } from "../fault/index.ts";
import { durationMs } from "./duration.ts";
import type { Policy, StepLimits } from "./policy.ts";
import { memoryPages } from "./quantity.ts";
import { DEFAULT_LIMITS } from "./schema/algorithm.ts";

/** Limits as a manifest has them; only for what the schema has found to be such. */
export const limitsOf = ({ memory, time }: { memory: string; time: string }): StepLimits => ({
  cpuMs: durationMs(time) ?? 0,
  memoryPages: memoryPages(memory) ?? 0,
});

/**
 * What the steps of a policy have inside what its namespace may have. What is asked for beyond the default and the ceiling is
 * `PolicyInvalid`: whoever asks needs it. The default asks for nothing, and is lowered.
 */
export function allowedLimits({ algorithm }: Policy, ceiling: StepLimits): StepLimits {
  const preset = limitsOf(DEFAULT_LIMITS);
  const inside = (name: "memory" | "time", limit: keyof StepLimits, unit: (most: number) => string) => {
    const asked = algorithm.limits[limit];
    if (asked <= ceiling[limit] || asked <= preset[limit]) return Math.min(asked, ceiling[limit]);
    const most = unit(ceiling[limit]);
    throw new Fault(
      "PolicyInvalid",
      `A step of this namespace may have ${most}, and ${unit(asked)} is asked for`,
      {
        field: `${algorithm.field}.limits.${name}`,
        remedy: `Lower it, or have spec.limits.${name} of the namespace's Tenant raised.`,
      },
    );
  };
  return {
    cpuMs: inside("time", "cpuMs", (ms) => `${ms}ms`),
    memoryPages: inside("memory", "memoryPages", (pages) => `${pages * 64}Ki`),
  };
}
