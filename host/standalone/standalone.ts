import type { Algorithms, LoadedArtifact } from "../algorithm/index.ts";
import { viewOf, type PolicyView, type View } from "../console/index.ts";
import { asFault, type Fault } from "../fault/index.ts";
import type { Change, Iteration } from "../knowledge/index.ts";
import { iterate, nextPassSeconds, type Shadows, type World } from "../loop/index.ts";
import type { Policy } from "../policy/index.ts";

export interface StandaloneOptions {
  readonly policy: Policy;
  readonly world: World;
  readonly algorithms: Algorithms;
  /** What runs beside passes. Default: nothing does. */
  readonly shadows?: Shadows<LoadedArtifact>;
  /** The last pass that is known, if this is not the first start. */
  readonly last: Iteration | undefined;
  readonly observe: (iteration: Iteration, seconds: number) => void;
  readonly failed: (fault: Fault) => void;
  /** Waits, and ends early when the signal is given. */
  readonly pause: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface Standalone {
  view(): View;
  /** Whether a pass has been made. */
  hasPassed(): boolean;
  /** Ends after the signal was given and the pass under way is remembered. */
  readonly ended: Promise<void>;
}

/** Gives one policy its passes, without a cluster: the same pass, over the application that `world` holds. */
export function startStandalone(options: StandaloneOptions): Standalone {
  let shown: PolicyView | undefined;
  const show = (iteration: Iteration, seconds: number) => {
    shown = viewOf(options.policy, iteration, options.shadows?.of(options.policy.key)?.last);
    options.observe(iteration, seconds);
  };
  return {
    view: () => ({ policies: shown === undefined ? [] : [shown] }),
    hasPassed: () => shown !== undefined,
    ended: run(options, show),
  };
}

async function run(options: StandaloneOptions, show: StandaloneOptions["observe"]): Promise<void> {
  const { policy, world, algorithms, shadows, pause, signal } = options;
  await restore(options);
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = world.clock.now().getTime();
    try {
      await algorithms.load(policy, []);
      const iteration = await iterate(policy, world);
      failures = iteration.fault === undefined ? 0 : failures + 1;
      shadows?.begin(policy, iteration);
      show(iteration, (world.clock.now().getTime() - startedMs) / 1_000);
    } catch (thrown) {
      failures += 1;
      options.failed(asFault(thrown));
    }
    const dueMs = startedMs + nextPassSeconds(policy.intervalSeconds, failures) * 1_000;
    await pause(dueMs - world.clock.now().getTime());
  }
  await shadows?.idle();
}

/** A cluster would have kept the application as it was last scaled; here knowledge remembers it. */
async function restore({ policy, world, last }: StandaloneOptions): Promise<void> {
  if (last?.decision === undefined || policy.mode !== "Enforce") return;
  const { nodes } = await world.driver.discover(policy);
  const changes = last.decision.verdicts.flatMap(({ node, granted }): Change[] => {
    const found = nodes.find((one) => one.name === node);
    if (found === undefined || found.parallelism === granted) return [];
    return [{ node, from: found.parallelism, to: granted, revision: found.revision }];
  });
  await world.driver.scale(policy, changes, () => undefined);
}
