import { Algorithms } from "../../host/algorithm/index.ts";
import { kubernetesDriver } from "../../host/driver/index.ts";
import { startOperator } from "../../host/operator/index.ts";
import { engineOf, type Load } from "./application.ts";
import { clusterOf } from "./cluster.ts";
import { storeOf, type Disk } from "./knowledge.ts";
import type { Server } from "./server.ts";
import { Life, type World } from "./time.ts";
import type { Trouble } from "./trouble.ts";

/** Everything that is there whether an operator runs or not. */
export interface Surroundings {
  readonly world: World;
  readonly server: Server;
  readonly trouble: Trouble;
  readonly disk: Disk;
  readonly load: Load;
}

const DIGEST = `sha256:${"0".repeat(64)}`;

/** An operator as it is installed, in a life of its own. */
export class OperatorLife {
  readonly #life: Life;
  readonly #stop = new AbortController();

  constructor({ world, server, trouble, disk, load }: Surroundings, clockOffMs: number) {
    const life = new Life(world, clockOffMs);
    this.#life = life;
    const cluster = clusterOf(world, server, trouble, life);
    const registry = { resolve: async () => ({ digest: DIGEST }), has: async () => true };
    const admission = { inspect: async () => ({ metadata: undefined }), checkConfig: async () => [] };
    const started = startOperator({
      cluster,
      world: {
        clock: life,
        driver: kubernetesDriver(cluster),
        sources: { observe: async () => ({}) },
        engine: engineOf(world, load, life),
        store: storeOf(world, disk, life),
      },
      algorithms: new Algorithms(registry, admission, life.elapsedMs),
      watcher: { passed: () => undefined, gone: async () => undefined, failed: () => undefined },
      time: life,
      concurrency: 4,
      instance: "operator",
      signal: this.#stop.signal,
    });
    // What goes wrong in a start that nobody waits for is seen by the policies that never pass.
    started.catch(() => undefined);
  }

  /** Ends it without a word: what was on its way is answered to nobody. */
  kill(): void {
    this.#life.end();
  }

  /** Ends it as it is asked to; what is under way is finished. */
  stop(): void {
    this.#stop.abort();
  }
}
