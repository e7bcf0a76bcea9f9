import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ClusterFault, reflect, type KubeObject, type Resource } from "../host/kube/index.ts";
import type { Api } from "../host/kube/api.ts";
import type { WatchEvent } from "../host/kube/watch.ts";
import { Random } from "./fuzz/random.ts";
import { Life, World } from "./simulation/time.ts";

const THINGS: Resource = {
  apiVersion: "v1",
  kind: "Thing",
  plural: "things",
  namespaced: true,
  hasScale: false,
};
const gone = () => new ClusterFault("ClusterUnavailable", 410, "too old", { retry: true });
const cut = () => new ClusterFault("ClusterUnavailable", 0, "cut", { retry: true });

/** A server whose watches can be cut, lose events or swap them, and which forgets what is long ago. */
class ThingServer {
  readonly things = new Map<string, KubeObject>();
  readonly #log: { version: number; event: WatchEvent }[] = [];
  readonly #world: World;
  #version = 1;
  #compactedTo = 0;
  #cuts = 0;
  swaps = 0;
  losses = 0;
  downUntilMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  put(name: string, isNew: boolean): void {
    const before = isNew ? undefined : this.things.get(name);
    if (before === undefined && this.things.has(name)) this.remove(name);
    const version = (this.#version += 1);
    const uid = before?.metadata.uid ?? `uid-${version}`;
    const metadata = { name, namespace: "ns", uid, resourceVersion: String(version) };
    const object = { apiVersion: "v1", kind: "Thing", metadata };
    this.things.set(name, object);
    this.#log.push({
      version,
      event: { type: before === undefined ? "ADDED" : "MODIFIED", object },
    });
  }

  remove(name: string): void {
    const before = this.things.get(name);
    if (before === undefined || !this.things.delete(name)) return;
    const version = (this.#version += 1);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.#log.push({ version, event: { type: "DELETED", object } });
  }

  cut = () => void (this.#cuts += 1);
  compact = () => void (this.#compactedTo = this.#version);

  list = async (_resource: Resource, query: { limit?: number; continue?: string } = {}) => {
    await this.#world.sleep(5);
    if (this.#world.nowMs < this.downUntilMs) throw cut();
    const all = [...this.things.values()];
    const from = Number(query.continue ?? 0);
    const to = from + (query.limit ?? 500);
    return {
      items: all.slice(from, to),
      resourceVersion: String(this.#version),
      continue: to < all.length ? String(to) : undefined,
    };
  };

  async *watch(
    _resource: Resource,
    query: { resourceVersion: string; timeoutSeconds: number; signal: AbortSignal },
  ) {
    const endMs = this.#world.nowMs + query.timeoutSeconds * 1_000;
    const cuts = this.#cuts;
    let from = Number(query.resourceVersion);
    while (this.#world.nowMs < endMs && !query.signal.aborted) {
      await this.#world.sleep(50);
      if (cuts !== this.#cuts || this.#world.nowMs < this.downUntilMs) throw cut();
      if (from < this.#compactedTo) throw gone();
      let due = this.#log.filter(({ version }) => version > from);
      from = this.#version;
      if (due.length > 1 && this.swaps > 0) {
        this.swaps -= 1;
        due = due.toReversed();
      }
      for (const { event } of due) {
        if (this.losses > 0) this.losses -= 1;
        else yield event;
      }
      yield { type: "BOOKMARK", resourceVersion: String(from) } as WatchEvent;
    }
  }
}

test("whatever is cut, lost, swapped or forgotten, the copy becomes what the server has, and each change was told", async () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const act = fc.oneof(
    fc.record({ act: fc.constantFrom("put", "anew", "remove"), name }),
    fc.record({ act: fc.constantFrom("cut", "compact", "swap", "lose", "down"), name }),
  );
  const run = async (
    seed: number,
    acts: readonly { atMs: number; what: { act: string; name: string } }[],
  ) => {
    const world = new World(new Random(seed));
    const server = new ThingServer(world);
    const stop = new AbortController();
    const told = new Set<string>();
    const copy = reflect({
      api: server as unknown as Api,
      resource: THINGS,
      trim: ({ metadata }) => metadata.resourceVersion,
      onEvent: (key, kind) => void (kind === "deleted" ? told.delete(key) : told.add(key)),
      time: new Life(world),
      signal: stop.signal,
      limits: {
        pageObjects: 2,
        watchSecondsLeast: 2,
        watchSecondsMost: 4,
        relistMsLeast: 5_000,
        relistMsMost: 9_000,
      },
    });
    for (const { atMs, what } of acts) {
      world.after(atMs, () => {
        if (what.act === "put" || what.act === "anew") server.put(what.name, what.act === "anew");
        if (what.act === "remove") server.remove(what.name);
        if (what.act === "cut") server.cut();
        if (what.act === "compact") server.compact();
        if (what.act === "swap") server.swaps += 1;
        if (what.act === "lose") server.losses += 1;
        if (what.act === "down") server.downUntilMs = world.nowMs + 2_000;
      });
    }
    const start = world.nowMs;
    await world.run(start + 10_000);
    Object.assign(server, { swaps: 0, losses: 0 });
    await world.run(start + 60_000);
    const has = [...server.things]
      .map(([key, { metadata }]) => [`ns/${key}`, metadata.resourceVersion])
      .sort(byText);
    expect(copy.entries().toSorted(byText)).toEqual(has);
    expect([...told].sort()).toEqual(has.map(([key]) => key));
    stop.abort();
    await world.run(start + 120_000);
  };
  const acts = fc.array(fc.record({ atMs: fc.nat({ max: 10_000 }), what: act }), { maxLength: 40 });
  await fc.assert(fc.asyncProperty(fc.nat(), acts, run), { numRuns: 60, endOnFailure: true });
});

const byText = (one: readonly string[], other: readonly string[]) => one.join().localeCompare(other.join());
