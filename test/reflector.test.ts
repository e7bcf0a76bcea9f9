import { afterAll, beforeAll, expect, test } from "vitest";
import {
  reflect,
  type Api,
  type KubeObject,
  type Reflector,
  type ReflectorOptions,
} from "../host/kube/index.ts";
import { machineTime, objectKey } from "../host/kube/index.ts";
import { bed, defineWidgets, expectStatus, until, WIDGETS, type Bed } from "./kube/bed.ts";
import { sharedCluster } from "./world/index.ts";

let ground: Bed;
beforeAll(async () => {
  ground = await bed((await sharedCluster()).kubeconfig);
  await defineWidgets(ground);
});
afterAll(() => ground[Symbol.asyncDispose]());

const WIDGET = { apiVersion: WIDGETS.apiVersion, kind: WIDGETS.kind };
const LABEL = "sluice.dev/test=yes";
const textOf = (object: KubeObject) => (object["spec"] as Record<string, string> | undefined)?.["text"] ?? "";

/** Hands that change widgets of a namespace, and a reflector that follows them. */
async function following(
  api: (namespace: string) => Promise<Api> | Api,
  rest: Partial<ReflectorOptions<string>> = {},
) {
  const namespace = await ground.namespace();
  const path = `/apis/test.sluice.dev/v1/namespaces/${namespace}/widgets`;
  const labels = { "sluice.dev/test": "yes" };
  const hands = {
    add: (name: string, text = "1") =>
      expectStatus(
        ground.admin("POST", path, { ...WIDGET, metadata: { name, labels }, spec: { text } }),
        201,
      ),
    set: (name: string, text: string) =>
      expectStatus(ground.admin("PATCH", `${path}/${name}`, { spec: { text } }), 200),
    remove: (name: string) => expectStatus(ground.admin("DELETE", `${path}/${name}`), 200),
  };
  const told: string[] = [];
  const faults: string[] = [];
  const stop = new AbortController();
  const start = async (): Promise<Reflector<string>> =>
    reflect({
      api: await api(namespace),
      resource: WIDGETS,
      namespace,
      labelSelector: LABEL,
      trim: textOf,
      onEvent: (key, kind) => told.push(`${kind} ${key.split("/")[1]}`),
      onFault: (fault) => faults.push(fault.message),
      time: machineTime,
      signal: stop.signal,
      ...rest,
      limits: { backoffLeastMs: 20, backoffMostMs: 100, relistSpreadMs: 10, ...rest.limits },
    });
  const end = async (reflector: Reflector<string>) => {
    stop.abort();
    await reflector.ended;
  };
  return { namespace, hands, told, faults, start, end, key: (name: string) => objectKey(namespace, name) };
}

const direct = () => ground.connect().operator;

test("what was there, is added, changes and goes away is told, and the copy agrees", async () => {
  const { hands, told, start, end, key } = await following(direct);
  await hands.add("old");
  const copy = await start();
  expect(copy.hasSynced()).toBe(false);
  await until(() => copy.hasSynced(), "the first list");
  await hands.add("new");
  await hands.set("new", "2");
  await until(() => copy.get(key("new")) === "2", "the change");
  await hands.remove("old");
  await until(() => copy.size === 1, "the removal");
  expect(told).toEqual(["added old", "added new", "updated new", "deleted old"]);
  expect(copy.entries()).toEqual([[key("new"), "2"]]);
  await end(copy);
});

test("a list of five in pages of two is read whole", async () => {
  const { hands, start, end } = await following(direct, { limits: { pageObjects: 2 } });
  for (const name of ["a", "b", "c", "d", "e"]) await hands.add(name);
  const copy = await start();
  await until(() => copy.hasSynced(), "the first list");
  expect(copy.size).toBe(5);
  expect(copy.figures.lists).toBe(1);
  await end(copy);
});

test("an object made anew under its name while nobody watched is deleted, then added", async () => {
  const wired = await ground.wired();
  const { hands, told, start, end, key } = await following(() => wired.cluster.operator);
  await hands.add("x", "first");
  const copy = await start();
  await until(() => copy.hasSynced(), "the first list");
  wired.line.cut();
  await hands.remove("x");
  await hands.add("x", "second");
  wired.line.mend();
  await until(() => copy.get(key("x")) === "second", "the new object");
  expect(told).toEqual(["added x", "deleted x", "added x"]);
  // The watch went on where it was cut: nothing was missed, and nothing was listed again.
  expect(copy.figures).toMatchObject({ lists: 1, missed: 0 });
  await end(copy);
});

test("a server that is away for a while is survived, and every failure is told", async () => {
  const wired = await ground.wired();
  const { hands, faults, start, end, key } = await following(() => wired.cluster.operator);
  wired.line.cut();
  const copy = await start();
  await until(() => faults.length >= 2, "two failures");
  expect(copy.hasSynced()).toBe(false);
  await hands.add("x");
  wired.line.mend();
  await until(() => copy.get(key("x")) === "1", "the object");
  expect(faults[0]).toMatch(/^The API server did not answer list widgets/);
  await end(copy);
});

test("a watch that goes mute is noticed by its silence and made anew", async () => {
  const wired = await ground.wired();
  const { hands, faults, start, end, key } = await following(() => wired.cluster.operator, {
    limits: { inactivityMs: 700 },
  });
  const copy = await start();
  await until(() => copy.hasSynced(), "the first list");
  await hands.add("before");
  await until(() => copy.get(key("before")) === "1", "the watch");
  wired.line.mute();
  await hands.add("x");
  await until(() => copy.get(key("x")) === "1", "the object");
  expect(copy.figures).toMatchObject({ lists: 1, watches: 2, missed: 0 });
  expect(faults[0]).toMatch(/did not answer watch widgets/);
  await end(copy);
});

test("a version that is too old for the server leads to a new list, and what it shows is counted as missed", async () => {
  const real = direct();
  let stale = false;
  let block: (() => void) | undefined;
  // The first watch is held until things have happened, and then asks for a version that is gone: the 410 is the server's.
  const api: Api = {
    ...bound(real),
    watch: async function* (resource, query) {
      if (!stale) {
        stale = true;
        await new Promise<void>((resolve) => (block = resolve));
        yield* real.watch(resource, { ...query, resourceVersion: "1" });
      } else yield* real.watch(resource, query);
    },
  };
  const { hands, told, faults, start, end } = await following(() => api);
  await hands.add("stays");
  await hands.add("goes");
  const copy = await start();
  await until(() => block !== undefined, "the watch");
  await hands.remove("goes");
  await hands.add("comes");
  block?.();
  await until(() => copy.figures.lists === 2, "the second list");
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(/too old resource version/);
  expect(told).toEqual(["added goes", "added stays", "added comes", "deleted goes"]);
  expect(copy.figures.missed).toBe(2);
  await hands.add("later");
  await until(() => copy.size === 3, "the watch after it");
  await end(copy);
});

test("a kind that is gone is known to be, and what went with it is told when it is back", async () => {
  const real = direct();
  let isGone = false;
  let cut: (() => void) | undefined;
  // What the server does not have, it says itself.
  const now = (resource: typeof WIDGETS) => (isGone ? { ...resource, plural: "wodgets" } : resource);
  const api: Api = {
    ...bound(real),
    list: (resource, query) => real.list(now(resource), query),
    watch: async function* (resource, query) {
      const ended = new Promise<"ended">((resolve) => (cut = () => resolve("ended")));
      const events = real.watch(now(resource), query);
      for (;;) {
        const next = await Promise.race([events.next(), ended]);
        if (next === "ended" || next.done === true) return;
        yield next.value;
      }
    },
  };
  const { hands, told, start, end, key } = await following(() => api);
  await hands.add("goes");
  const copy = await start();
  await until(() => copy.size === 1, "the object");
  expect(copy.isServed()).toBe(true);
  isGone = true;
  cut?.();
  await until(() => !copy.isServed(), "the kind is missed");
  // Nobody is told that an object is gone because nothing is to be learned of it.
  expect(copy.get(key("goes"))).toBe("1");
  await hands.remove("goes");
  isGone = false;
  await until(() => copy.isServed(), "the kind is back");
  expect(copy.size).toBe(0);
  expect(told).toEqual(["added goes", "deleted goes"]);
  await end(copy);
});

/** The methods of an API as fields, so that one of them can be replaced. */
const bound = (api: Api): Api => ({
  get: (...given) => api.get(...given),
  list: (...given) => api.list(...given),
  watch: (...given) => api.watch(...given),
  create: (...given) => api.create(...given),
  replace: (...given) => api.replace(...given),
  patch: (...given) => api.patch(...given),
  apply: (...given) => api.apply(...given),
  delete: (...given) => api.delete(...given),
  raw: (...given) => api.raw(...given),
});

test("an object that cannot be trimmed, and a listener that throws, leave the rest alone", async () => {
  const { hands, faults, start, end, key } = await following(direct, {
    trim: (object) => {
      if (object.metadata.name === "bad") throw new Error("this one is bad");
      return textOf(object);
    },
    onEvent: () => {
      throw new Error("the listener failed");
    },
  });
  await hands.add("bad");
  await hands.add("good");
  const copy = await start();
  await until(() => copy.get(key("good")) === "1", "the good one");
  expect(copy.get(key("bad"))).toBeUndefined();
  expect(faults).toEqual(["this one is bad", "the listener failed"]);
  await end(copy);
});

test("when the signal is given the watch ends, and its connection is closed as soon as nobody uses it", async () => {
  const wired = await ground.wired();
  const { start, end } = await following(() => wired.cluster.operator);
  const copy = await start();
  await until(() => copy.figures.watches === 1 && wired.line.open === 2, "the watch");
  await end(copy);
  await until(() => wired.line.open === 0, "its connection, and that of the calls, are closed");
});

test("several watches share a connection, and the end of one leaves the other alone", async () => {
  const wired = await ground.wired();
  const [one, other] = [
    await following(() => wired.cluster.operator),
    await following(() => wired.cluster.operator),
  ];
  const [first, second] = [await one.start(), await other.start()];
  await until(() => first.figures.watches === 1 && second.figures.watches === 1, "both watches");
  await until(() => wired.line.open === 1, "the calls' connections are closed, and one is there for both");
  await one.end(first);
  await other.hands.add("later");
  await until(() => second.get(other.key("later")) === "1", "what comes after that");
  expect(second.figures.watches).toBe(1);
  await other.end(second);
});
