import type { Engine, World } from "../loop/index.ts";
import type { Traces } from "./trace.ts";

/** Counts the time that a pass waited for something. */
export type Waited = (what: "discover" | "sources" | "engine" | "store" | "scale", seconds: number) => void;

/** The same world, but every wait of a pass is counted, and is a span of its trace. */
export function watched(world: World, waited: Waited, traces: Traces): World {
  const timed = async <T>(
    policy: string,
    what: Parameters<Waited>[0],
    work: () => Promise<T>,
  ): Promise<T> => {
    const began = performance.now();
    try {
      return await traces.part(policy, what, work);
    } finally {
      waited(what, (performance.now() - began) / 1_000);
    }
  };
  const { driver, sources, engine, store } = world;
  const run: Engine["run"] = (policy, input) => timed(policy.key, "engine", () => engine.run(policy, input));
  return {
    ...world,
    driver: {
      ...driver,
      discover: (policy) => timed(policy.key, "discover", () => driver.discover(policy)),
      scale: (policy, changes, permit) =>
        timed(policy.key, "scale", () => driver.scale(policy, changes, permit)),
    },
    sources: { observe: (policy, at) => timed(policy.key, "sources", () => sources.observe(policy, at)) },
    engine: { run },
    store: {
      recall: (policy) => {
        // Every pass begins with what is known.
        traces.begin(policy.key);
        return timed(policy.key, "store", () => store.recall(policy));
      },
      remember: (policy, iteration) => timed(policy.key, "store", () => store.remember(policy, iteration)),
    },
  };
}
