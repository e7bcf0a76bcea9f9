import { describe, expect, test } from "vitest";
import { Fault } from "../host/fault/index.ts";
import type { Change, Memory } from "../host/knowledge/index.ts";
import type { Cluster, EventNews, EventRecorder, KubeObject, Resource } from "../host/kube/index.ts";
import type { World } from "../host/loop/index.ts";
import { trimPolicy } from "../host/operator/object.ts";
import { restoring } from "../host/operator/restore.ts";
import type { Reshape, Resources } from "../host/topology/index.ts";
import { manifest } from "./manifest.ts";
import { node, policy, topology } from "./builders.ts";

const OWN = "sluice.dev/restore";
const OTHER = "example.dev/other";

interface Setting {
  readonly finalizers?: readonly string[];
  readonly memory?: Memory;
  /** What runs; undefined is gone. */
  readonly runs?: Record<string, number>;
  /** What the instances of every node have. */
  readonly has?: Resources;
  /** Why nothing can be written. */
  readonly refusal?: Fault;
  readonly rival?: Fault;
  /** What the policy says otherwise. */
  readonly changes?: Parameters<typeof manifest>[0];
}

/** A policy over two nodes, `split` and `count`, that is being deleted. */
function stage({ finalizers = [OWN], memory, runs = {}, has, refusal, rival, changes = {} }: Setting) {
  const raw = manifest(changes) as unknown as KubeObject;
  const news: string[] = [];
  const wrote: Record<string, number> = {};
  const shaped: Record<string, Reshape> = {};
  let kept = [...finalizers];
  const stored = (): KubeObject => ({
    ...raw,
    metadata: {
      ...raw.metadata,
      ...{ uid: "uid-1", resourceVersion: "7", deletionTimestamp: "2026-01-01T00:00:00Z" },
      finalizers: kept,
    },
  });
  const operator = {
    get: async () => stored(),
    patch: async (
      _kind: Resource,
      _place: object,
      _type: string,
      body: { metadata: { finalizers: string[] } },
    ) => {
      kept = body.metadata.finalizers;
      return stored();
    },
  };
  const world = {
    driver: {
      discover: async ({ nodes }: { nodes: readonly { name: string }[] }) => {
        if (nodes.length === 0)
          return topology(...Object.entries(runs).map(([name, now]) => node(name, now)));
        const [{ name } = { name: "" }] = nodes;
        const replicas = runs[name];
        if (replicas === undefined) throw new Fault("TargetNotFound", "it is gone");
        return topology(node(name, replicas, has && { resources: has }));
      },
      scale: async (_policy: object, changes: readonly Change[]) =>
        changes.map(({ node: name, to, resources }) => {
          if (refusal !== undefined)
            return { node: name, outcome: "Failed", code: refusal.code, message: refusal.message };
          wrote[name] = to;
          if (resources !== undefined) shaped[name] = resources;
          return { node: name, outcome: "Scaled" };
        }),
    },
    store: { recall: async () => ({ number: 4, carry: undefined, history: [], open: undefined, memory }) },
  } as unknown as World;
  const restore = restoring({
    cluster: { operator } as unknown as Cluster,
    resource: {} as Resource,
    world,
    events: {
      record: ({ type, reason, note }: EventNews) => void news.push(`${type} ${reason}: ${note}`),
    } as unknown as EventRecorder,
    owned: async () => rival,
  });
  return { restore, object: trimPolicy(stored()), news, wrote, shaped, kept: () => kept };
}
const memory: Memory = { nodes: { split: { found: 3, wrote: 7 }, count: { found: 2 } } };
const runs = { split: 7, count: 2 };

describe("a policy that restores, when it is deleted,", () => {
  test("brings back what ran before on the nodes that run something else, and goes", async () => {
    const set = stage({ memory, runs, finalizers: [OTHER, OWN] });
    expect(await set.restore.bringBack(set.object)).toBeUndefined();
    expect(set.wrote).toEqual({ split: 3 });
    expect(set.news).toEqual(["Normal Restored: split: 7 → 3"]);
    expect(set.kept()).toEqual([OTHER]);
  });

  test("brings back what an instance had before, with its number or without", async () => {
    const GI = 2 ** 30;
    const reshaped = { atMs: 0, found: { memory: GI } };
    const known: Memory = { nodes: { split: { found: 3, wrote: 7, reshaped }, count: { reshaped } } };
    const set = stage({ memory: known, runs, has: { cpu: 1, memory: 2 * GI } });
    expect(await set.restore.bringBack(set.object)).toBeUndefined();
    expect(set.wrote).toEqual({ split: 3, count: 2 });
    const back = { from: { memory: 2 * GI }, to: { memory: GI } };
    expect(set.shaped).toEqual({ split: back, count: back });
    expect(set.news).toEqual([
      "Normal Restored: split: 7 → 3, memory 2Gi → 1Gi",
      "Normal Restored: count: memory 2Gi → 1Gi",
    ]);
  });

  test("brings back the vertices of a Flink job, whose names only the job knows", async () => {
    const flink = { jobManager: { service: { name: "jobs", port: 8081 } } };
    const changes = { "spec.target": { flink } };
    const set = stage({ memory, runs: { ...runs, sink: 1 }, changes });
    expect(await set.restore.bringBack(set.object)).toBeUndefined();
    expect(set.wrote).toEqual({ split: 3 });
  });

  test("leaves a node that is gone, and one that was left to somebody else", async () => {
    const yielded = { from: 7, to: 9, generation: 1 };
    const set = stage({
      memory: { nodes: { split: { found: 3 }, count: { found: 2, yielded } } },
      runs: { count: 9 },
    });
    expect(await set.restore.bringBack(set.object)).toBeUndefined();
    expect([set.wrote, set.news, set.kept()]).toEqual([{}, [], []]);
  });

  test("is let go after five tries that fail, half a minute in all, and an event says what was not brought back", async () => {
    const set = stage({ memory, runs, refusal: new Fault("Forbidden", "no rights") });
    const waits: (number | undefined)[] = [];
    for (let tries = 0; tries < 5; tries += 1) waits.push(await set.restore.bringBack(set.object));
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, undefined]);
    expect(set.news).toEqual(["Warning NotRestored: split: no rights"]);
    expect(set.kept()).toEqual([]);
  });

  test("waits for the replica that may write, however long that takes", async () => {
    const set = stage({ memory, runs, refusal: new Fault("NotLeader", "another one") });
    for (let tries = 0; tries < 9; tries += 1) expect(await set.restore.bringBack(set.object)).toBe(2_000);
    expect(set.kept()).toEqual([OWN]);
  });

  test("writes nothing where another has its target", async () => {
    const rival = new Fault("TargetOwned", "The HorizontalPodAutoscaler hpa scales it");
    const set = stage({ memory, runs, rival });
    for (let tries = 0; tries < 5; tries += 1) await set.restore.bringBack(set.object);
    expect([set.wrote, set.kept()]).toEqual([{}, []]);
    expect(set.news).toEqual(["Warning NotRestored: The HorizontalPodAutoscaler hpa scales it"]);
  });

  test("is not looked at where it has no finalizer of ours", async () => {
    const set = stage({ memory, runs, finalizers: [OTHER] });
    expect(await set.restore.bringBack(set.object)).toBeUndefined();
    expect([set.wrote, set.kept()]).toEqual([{}, [OTHER]]);
  });
});

describe("the finalizer", () => {
  const restores = policy({ ownership: { onDrift: "Correct", onDelete: "Restore" } });

  test("is there before anything is written, beside those of others, and goes when the spec wants it no more", async () => {
    const set = stage({ finalizers: [OTHER] });
    expect(await set.restore.keep(set.object, restores)).toBeUndefined();
    expect(set.kept()).toEqual([OTHER, OWN]);
    const kept = stage({ finalizers: [OTHER, OWN] });
    await kept.restore.keep(kept.object, policy());
    expect(kept.kept()).toEqual([OTHER]);
  });

  test("is not needed by a policy that never acts", async () => {
    const set = stage({ finalizers: [] });
    await set.restore.keep(set.object, { ...restores, mode: "DryRun" });
    expect(set.kept()).toEqual([]);
  });
});
