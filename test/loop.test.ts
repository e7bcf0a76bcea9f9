import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { iterate, type Engine, type PassInput, type World } from "../host/loop/index.ts";
import { Fault } from "../host/fault/index.ts";
import { simulate } from "../host/simulator/index.ts";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { policy } from "./builders.ts";

const nodes = policy().nodes;
const app = (rest: Parameters<typeof policy>[0] = {}) => policy({ nodes, ...rest });

let store: KnowledgeStore;
let clock: { now(): Date; at: number };

beforeEach(async () => {
  clock = { at: Date.parse("2026-01-01T00:00:00Z"), now: () => new Date(clock.at) };
  store = await openStore({ file: ":memory:", clock });
});
afterEach(() => store.close());

/** An algorithm that answers the same whatever it sees, and remembers what it was shown. */
const always = (plan: string, carry?: string) => {
  const shown: PassInput[] = [];
  const engine: Engine = {
    run: async (_, input) => {
      shown.push(input);
      return { answers: { plan }, carry, logs: [], cpuMs: 1, fuel: {}, journal: {}, bodies: new Map() };
    },
  };
  return { engine, shown };
};

const world = (engine: Engine, rest: Partial<World> = {}): World => {
  const { driver, sources } = simulate({ clock });
  return { clock, driver, sources, engine, store, ...rest };
};

describe("a pass", () => {
  test("scales what the algorithm wants, and remembers it", async () => {
    const around = world(always('{"nodes":{"split":{"parallelism":4}}}').engine);
    const pass = await iterate(app(), around);
    expect(pass).toMatchObject({
      number: 1,
      outcome: "Scaled",
      changes: [{ node: "split", outcome: "Scaled" }],
    });
    expect((await around.driver.discover(app())).nodes[0]?.parallelism).toBe(4);
    expect((await store.entries(app().key, 1))[0]).toMatchObject({ number: 1, outcome: "Scaled" });
  });

  test("that wants nothing changed writes nothing", async () => {
    expect((await iterate(app(), world(always('{"nodes":{}}').engine))).outcome).toBe("Unchanged");
  });

  test("in a dry run decides and does not act", async () => {
    const around = world(always('{"nodes":{"split":{"parallelism":4}}}').engine);
    const pass = await iterate(app({ mode: "DryRun" }), around);
    expect(pass.outcome).toBe("DryRun");
    expect(pass.decision?.changes).toHaveLength(1);
    expect((await around.driver.discover(app())).nodes[0]?.parallelism).toBe(1);
  });

  test("hands what the algorithm carries to the next one, also over a pass that fails", async () => {
    await iterate(app(), world(always('{"nodes":{}}', '{"seen":1}').engine));
    const failing: Engine = { run: () => Promise.reject(new Fault("GuestTrapped", "unreachable")) };
    await iterate(app(), world(failing));
    const third = always('{"nodes":{}}');
    await iterate(app(), world(third.engine));
    expect(third.shown[0]?.past.carry).toBe('{"seen":1}');
    expect(third.shown[0]?.iteration.number).toBe(3);
  });

  test.each([
    [
      "an algorithm that traps",
      { run: () => Promise.reject(new Fault("GuestTrapped", "unreachable")) },
      "GuestTrapped",
    ],
    ["a plan that is no plan", always('{"nodes":{"split":{"parallelism":"4"}}}').engine, "OutputInvalid"],
    ["a defect of the host", { run: () => Promise.reject(new TypeError("x is undefined")) }, "Internal"],
  ])("leaves the replicas as they are after %s", async (_what, engine, code) => {
    const around = world(engine);
    const pass = await iterate(app(), around);
    expect(pass).toMatchObject({ outcome: "Failed", fault: { code }, changes: [] });
    expect((await around.driver.discover(app())).nodes[0]?.parallelism).toBe(1);
    expect((await store.entries(app().key, 1))[0]?.fault?.code).toBe(code);
  });

  test("stores its decision before anything is scaled", async () => {
    const { driver, sources } = simulate({ clock });
    let storedFirst: string | undefined;
    const scale: World["driver"]["scale"] = async (...given) => {
      storedFirst = (await store.entries(app().key, 1))[0]?.outcome;
      return driver.scale(...given);
    };
    await iterate(
      app(),
      world(always('{"nodes":{"split":{"parallelism":4}}}').engine, {
        driver: { ...driver, scale },
        sources,
      }),
    );
    expect(storedFirst).toBe("Open");
  });

  test("that cannot be remembered scales nothing", async () => {
    const around = world(always('{"nodes":{"split":{"parallelism":4}}}').engine);
    const remember = () => Promise.reject(new Fault("StoreUnavailable", "the disk is full"));
    await expect(iterate(app(), { ...around, store: { ...store, remember } })).rejects.toMatchObject({
      code: "StoreUnavailable",
    });
    expect((await around.driver.discover(app())).nodes[0]?.parallelism).toBe(1);
  });

  test("says which node could not be scaled, and scales the others", async () => {
    const { driver, sources } = simulate({ clock });
    const two = app({ nodes: [...nodes, { ...nodes[0]!, name: "count" }] });
    const stale: World["driver"]["discover"] = async (given) => {
      const found = await driver.discover(given);
      return {
        ...found,
        nodes: found.nodes.map((node) => (node.name === "split" ? { ...node, revision: "old" } : node)),
      };
    };
    const plan = '{"nodes":{"split":{"parallelism":4},"count":{"parallelism":3}}}';
    const pass = await iterate(
      two,
      world(always(plan).engine, { driver: { ...driver, discover: stale }, sources }),
    );
    expect(pass).toMatchObject({ outcome: "PartlyScaled", fault: { code: "Conflict" } });
    expect((await driver.discover(two)).nodes.map((node) => node.parallelism)).toEqual([1, 3]);
  });
});
