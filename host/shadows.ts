// Wires shadows together, for the operator as for `npm start`.
import { Algorithms, type LoadedArtifact, type Registry } from "./algorithm/index.ts";
import { engineFor, type Perform, type SandboxEngine } from "./engine/index.ts";
import { Fault } from "./fault/index.ts";
import { Shadows, type Clock } from "./loop/index.ts";
import { shadowKey, type Policy, type StepLimits } from "./policy/index.ts";
import type { KnowledgeStore } from "./store/index.ts";
import type { Logger, Telemetry } from "./telemetry/index.ts";

export interface ShadowOptions {
  readonly sandboxes: SandboxEngine;
  readonly registry: Registry;
  readonly store: KnowledgeStore;
  readonly metrics: Pick<Telemetry, "shadow">;
  readonly log: Pick<Logger, "debug" | "warn">;
  readonly clock: Clock;
  /** What the shadow's steps have; the same ceiling as the live ones have, each for itself. */
  readonly limits?: (policy: Policy) => StepLimits;
  /** Has effects for a shadow, which is a policy of its own here: its budget a minute is as well. */
  readonly effects?: (policy: Policy) => Perform | undefined;
}

/**
 * The shadows of all policies: with algorithms, a breaker, processes and knowledge of their own. Nothing of it runs in a
 * process that a live pass runs in, or while one waits.
 */
export function shadowsFor(options: ShadowOptions): Shadows<LoadedArtifact> {
  const { sandboxes, registry, store, metrics, log, clock, effects } = options;
  const limits = options.limits ?? (({ algorithm }: Policy) => algorithm.limits);
  const algorithms = new Algorithms(
    registry,
    {
      inspect: (ask) => sandboxes.inspect({ ...ask, spare: true }),
      checkConfig: (ask) => sandboxes.checkConfig({ ...ask, spare: true }),
    },
    () => clock.now().getTime(),
    limits,
  );
  const modules = (shadow: Policy) => algorithms.of(shadow).artifacts;
  return new Shadows({
    engine: engineFor(sandboxes, modules, effects, clock, { limits, spare: true }),
    store,
    load: async (shadow) => (await algorithms.load(shadow, [])).artifacts,
    async forget(key) {
      algorithms.forget(shadowKey(key));
      await store.forget(shadowKey(key));
    },
    observe(policy, outcome, shadow) {
      const fault = shadow instanceof Fault ? { code: shadow.code, message: shadow.sentence } : shadow.fault;
      metrics.shadow(policy, outcome, shadow instanceof Fault ? undefined : shadow.compared);
      const about = { policy: policy.key, shadow: outcome };
      if (outcome === "Skipped" || fault === undefined) log.debug(about, fault?.message ?? "shadow");
      else log.warn({ ...about, code: fault.code }, fault.message);
    },
  });
}
