import { inject } from "vitest";
import { testworldBinary } from "./build.ts";
import { reach, type Cluster, type Reached } from "./cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where global-setup.ts answers. */
    readonly world: string;
  }
}

/**
 * The cluster that all test files of a run share; started for the first that asks (see global-setup.ts), and `stop()` does
 * nothing. Take a `namespace()` of it and stay inside.
 */
export async function sharedCluster(): Promise<Cluster> {
  const world = inject("world");
  if (world === undefined)
    throw new Error("no shared cluster: put test/world/global-setup.ts in vitest's globalSetup");
  return sharedClusterAt(world);
}

/** The shared cluster of the run whose global setup answers at this URL. */
export async function sharedClusterAt(world: string): Promise<Cluster> {
  // A build takes longer than a request may.
  const testworld = await testworldBinary();
  const answer = await fetch(new URL("/cluster", world));
  if (!answer.ok) throw new Error(`the shared cluster could not be started: ${await answer.text()}`);
  return reach((await answer.json()) as Reached, testworld);
}
