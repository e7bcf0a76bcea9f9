import {
  ClusterFault,
  Elector,
  leaseTimes,
  type KubeObject,
  type Resource,
  type Time,
} from "../host/kube/index.ts";
import type { World } from "./simulation/time.ts";

const LEASES: Resource = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
  hasScale: false,
};

/** A server that keeps leases: a write succeeds where the version is the one that it has. */
export class LeaseServer {
  readonly held = new Map<string, KubeObject>();
  #version = 0;

  get(name: string): KubeObject {
    const found = this.held.get(name);
    if (found === undefined) throw new ClusterFault("TargetNotFound", 404, "not found");
    return found;
  }

  put(name: string, given: object, mustExist: boolean): KubeObject {
    const object = given as KubeObject;
    const before = this.held.get(name);
    const isMoved = before?.metadata.resourceVersion !== object.metadata.resourceVersion;
    if (mustExist ? isMoved : before !== undefined) throw new ClusterFault("Conflict", 409, "conflict");
    this.#version += 1;
    const uid = before?.metadata.uid ?? `uid-${this.#version}`;
    const metadata = { ...object.metadata, name, uid, resourceVersion: String(this.#version) };
    const written = { ...object, metadata };
    this.held.set(name, written);
    return written;
  }
}

/** What may go wrong on the way; 0 to 1 of all messages are lost, each takes up to `delayMs`. */
export interface Line {
  loss: number;
  delayMs: number;
}

/** One process with a clock of its own speed, which can be stopped and goes on later. */
export class Candidate {
  readonly elector: Elector;
  readonly changes: boolean[] = [];
  #frozenUntilMs = -Infinity;

  constructor(
    world: World,
    server: LeaseServer,
    line: Line,
    identity: string,
    rate: number,
    told: () => void,
  ) {
    const time: Time = {
      now: () => new Date(world.nowMs * rate),
      elapsedMs: () => world.nowMs * rate,
      after: (ms, ring) => {
        let cancelled = false;
        const stop = world.after(ms / rate, () => void this.#thawed(world).then(() => cancelled || ring()));
        return () => {
          cancelled = true;
          stop();
        };
      },
      random: () => fraction(world),
    };
    const call = async <T>(act: () => T): Promise<T> => {
      const lost = () => new ClusterFault("ClusterUnavailable", 0, "lost", { retry: true });
      await world.sleep(fraction(world) * line.delayMs);
      if (fraction(world) < line.loss) {
        await world.sleep(3_000);
        await this.#thawed(world);
        throw lost();
      }
      const answer = settle(act);
      await world.sleep(fraction(world) * line.delayMs);
      await this.#thawed(world);
      if (fraction(world) < line.loss) throw lost();
      return answer();
    };
    this.elector = new Elector({
      api: {
        get: (_resource, { name }) => call(() => server.get(name)),
        create: (_resource, _namespace, object) => call(() => server.put(nameOf(object), object, false)),
        replace: (_resource, { name }, object) => call(() => server.put(name, object, true)),
        delete: async () => undefined,
      },
      ...{ resource: LEASES, namespace: "sluice-system", name: "shard-0", identity, time },
      times: leaseTimes(),
      onChange: (isHeld) => {
        this.changes.push(isHeld);
        told();
      },
    });
  }

  freeze(untilMs: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, untilMs);
  }

  async #thawed(world: World): Promise<void> {
    while (world.nowMs < this.#frozenUntilMs) await world.sleep(this.#frozenUntilMs - world.nowMs);
  }
}

const nameOf = (object: object) => (object as KubeObject).metadata.name;

/** What an act comes to, for later. */
function settle<T>(act: () => T): () => T {
  try {
    const value = act();
    return () => value;
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

const fraction = (world: World) => world.random.below(1_000_000) / 1_000_000;
