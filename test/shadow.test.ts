import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { engineFor, type Perform } from "../host/engine/index.ts";

import { iterate, shadowOf } from "../host/loop/index.ts";
import { Fault } from "../host/fault/index.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import { shadowKey, type Policy } from "../host/policy/index.ts";
import { shadowsFor } from "../host/shadows.ts";
import { simulate } from "../host/simulator/index.ts";
import { openStore, type KnowledgeStore } from "../host/store/index.ts";
import { telemetry, type Telemetry } from "../host/telemetry/index.ts";
import { policy } from "./builders.ts";
import { asking, get, world, type Doing, type World } from "./engine/asking.ts";
import { bed, isRunning, processes, type Bed } from "./engine/bed.ts";
import { answering, wasm } from "./hostile/wat.ts";

const clock = { now: () => new Date("2026-03-01T12:00:00.000Z") };
const wanting = (parallelism: number, carry = "") =>
  answering({ plan: `{"nodes":{"split":{"parallelism":${parallelism}}}${carry}}` });
const LIVE = wanting(4, ',"carry":{"live":1}');

let engine: Bed;
let server: World;
let store: KnowledgeStore;
let metrics: Telemetry;
beforeAll(async () => {
  engine = await bed();
  await engine.run({ plan: LIVE });
  // Right after a process was taken there is none to spare: the next one starts.
  const once = () => engine.engine.pass({ ...engine.order({ plan: LIVE }), spare: true });
  for (
    let isReady = false;
    !isReady;
    isReady = await once().then(
      () => true,
      () => false,
    )
  )
    await sleep(20);
  server = await world();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  store = await openStore({ file: ":memory:", clock });
  metrics = telemetry();
  server.asked.length = 0;
});
afterEach(() => store.close());

const KEY = shadowKey(policy().key);
const withShadow = (rest: Partial<NonNullable<Policy["shadow"]>> = {}): Policy => {
  const { algorithm } = policy();
  const artifacts = [
    { step: "all" as const, reference: "oci://localhost/shadow:1", field: "spec.shadow.artifact" },
  ];
  return policy({ shadow: { ...algorithm, field: "spec.shadow", artifacts, ...rest } });
};

interface Played {
  readonly of: Policy;
  readonly pass: (of?: Policy) => Promise<Iteration>;
  readonly shadows: ReturnType<typeof shadowsFor>;
  /** What was told of the shadow, in order. */
  readonly outcomes: () => Promise<string[]>;
}

/** A policy whose live algorithm is one module, and whose shadow is the other. */
function play(
  shadow: Uint8Array,
  { effects, own = engine, live = LIVE }: { effects?: Perform; own?: Bed; live?: Uint8Array } = {},
): Played {
  const of = withShadow();
  const told: string[] = [];
  const shadows = shadowsFor({
    sandboxes: own.engine,
    registry: { resolve: async () => ({ digest: own.add(shadow) }), has: async () => true },
    store,
    metrics: {
      shadow: (one, outcome, compared) => {
        told.push(outcome);
        metrics.shadow(one, outcome, compared);
      },
    },
    log: { debug: () => undefined, warn: () => undefined },
    clock,
    ...(effects === undefined ? {} : { effects: () => effects }),
  });
  const modules = () => [{ step: "all" as const, digest: own.add(live) }];
  const around = {
    clock,
    ...simulate({ clock }),
    store,
    engine: shadows.beside(engineFor(own.engine, modules)),
  };
  return {
    of,
    shadows,
    pass: async (one = of) => {
      const iteration = await iterate(one, around);
      shadows.begin(one, iteration);
      return iteration;
    },
    outcomes: async () => {
      await shadows.idle();
      return told;
    },
  };
}

const kept = async () => store.entries(KEY, 10);

describe("a shadow", () => {
  test("is kept and compared with what was granted, node by node, and scales nothing", async () => {
    const { pass, outcomes, shadows, of } = play(wanting(7));
    const live = await pass();
    expect(await outcomes()).toEqual(["Differed"]);
    const [shadow] = await kept();
    expect(shadow).toMatchObject({
      ...{ id: live.id, number: 1, outcome: "DryRun", changes: [], fault: undefined },
      decision: { verdicts: [{ node: "split", current: 1, wanted: 7, granted: 7 }] },
      compared: [{ node: "split", live: 4, shadow: 7 }],
    });
    expect(shadow?.fuel?.plan).toBeGreaterThan(0);
    expect(shadows.of(of.key)?.artifacts).toMatchObject([{ reference: "oci://localhost/shadow:1" }]);
    expect((await store.entries(of.key, 10)).map(({ outcome }) => outcome)).toEqual(["Scaled"]);
    const text = (await metrics.text()).split("\n");
    expect(text).toContain('sluice_shadow_passes_total{outcome="Differed"} 1');
    expect(text).toContain('sluice_shadow_difference{namespace="team-a",policy="clicks",node="split"} 3');
  });

  test("is held to the same guardrails, and agrees where they make the same of it", async () => {
    const { pass, outcomes } = play(wanting(90), { live: wanting(80) });
    await pass();
    expect(await outcomes()).toEqual(["Agreed"]);
    expect((await kept())[0]?.decision?.verdicts).toMatchObject([
      { wanted: 90, granted: 16, reasons: ["OutOfBounds"] },
    ]);
  });

  test("is shown what the live pass was shown, but for the carry, which is its own", async () => {
    const { pass, outcomes } = play(asking({ plan: ECHO }));
    await pass();
    await outcomes();
    await pass();
    await outcomes();
    const [second, first] = await kept();
    const seen = [first, second].map((one) => JSON.parse(one?.logs?.[0]?.text ?? "{}") as Seen);
    expect(seen.map(({ iteration }) => iteration.number)).toEqual([1, 2]);
    expect(seen.map(({ policy: { name } }) => name)).toEqual(["clicks", "clicks"]);
    expect(seen.map(({ topology }) => topology.nodes[0]?.parallelism)).toEqual([1, 4]);
    expect(seen.map(({ carry }) => carry)).toEqual([undefined, { shadow: 1 }]);
    expect((await store.recall(policy())).carry).toBe('{"live":1}');
  });

  test("has effects on a grant of its own, and is replayed bit for bit without asking anybody", async () => {
    const module = asking({
      plan: (text) => `${get(text, `${server.origin}/a`)} (call $say ${text('{"nodes":{}}')})`,
    });
    const { pass, outcomes } = play(module, { effects: server.perform });
    await pass();
    expect(await outcomes()).toEqual(["Differed"]);
    const [shadow] = await kept();
    expect(server.asked).toEqual(["GET /a"]);
    const journal = shadow?.journal ?? {};
    const again = await engine.engine.replay(engine.order({ plan: module }), {
      journal,
      bodies: await store.bodies(KEY, journal),
    });
    expect([again.answers, again.fuel]).toEqual([shadow?.answers, shadow?.fuel]);
    expect(server.asked).toHaveLength(1);
  });

  test("is no part of a policy without one, and forgotten when it is taken out", async () => {
    const { pass, outcomes, shadows, of } = play(wanting(7));
    await pass();
    await outcomes();
    await pass(policy());
    await expect.poll(async () => (await kept()).length).toBe(0);
    expect(shadows.of(of.key)).toBeUndefined();
    expect(shadowOf(policy())).toBeUndefined();
  });

  test("that cannot be loaded says why, and the live pass does not know of it", async () => {
    const { pass, outcomes, shadows, of } = play(wasm('(module (func (export "plan")))').slice(0, 12));
    expect((await pass()).outcome).toBe("Scaled");
    expect(await outcomes()).toEqual(["NotLoaded"]);
    expect(shadows.of(of.key)?.fault).toMatchObject({
      code: "ArtifactInvalid",
      field: "spec.shadow.artifact",
    });
  });

  test("is skipped and counted while the live pass fails", async () => {
    const { pass, outcomes } = play(wanting(7), { live: asking({ plan: () => "unreachable" }) });
    expect((await pass()).fault?.code).toBe("GuestTrapped");
    expect(await outcomes()).toEqual(["Skipped"]);
    expect(await kept()).toEqual([]);
  });
});

/** Logs its input, and answers with a carry. */
const ECHO: Doing = (text) =>
  `(call $log_info (call $input_offset)) (call $say ${text('{"nodes":{},"carry":{"shadow":1}}')})`;

interface Seen {
  readonly iteration: { readonly number: number };
  readonly policy: { readonly name: string };
  readonly topology: { readonly nodes: readonly { readonly parallelism: number }[] };
  readonly carry?: unknown;
}

describe("a hostile shadow", () => {
  const withoutTime = ({ cpuMs: _cpuMs, ...rest }: Iteration) => JSON.stringify(rest);

  test.each([
    ["loops for ever", () => "(loop $l (br $l))", "FuelExhausted"],
    ["traps", () => "unreachable", "GuestTrapped"],
    ["asks what it may not", (text) => get(text, "http://127.0.0.1:1/"), "EffectDenied"],
    ["wants all memory", () => "(drop (memory.grow (i32.const 300))) unreachable", "MemoryExceeded"],
    [
      "answers with an attack",
      (text) => `(call $say ${text('{"nodes":{"__proto__":{"parallelism":9}}}')})`,
      "OutputInvalid",
    ],
  ] as const satisfies readonly (readonly [string, Doing, string])[])(
    "that %s leaves every live decision as it is without one, bit for bit",
    async (_does, doing, code) => {
      const { pass, outcomes } = play(asking({ plan: doing }));
      const beside = [await pass(), await outcomes().then(() => pass())];
      expect(await outcomes()).toEqual(["Failed", "Failed"]);
      expect((await kept())[0]?.fault?.code).toBe(code);

      const alone = await openStore({ file: ":memory:", clock });
      const modules = () => [{ step: "all" as const, digest: engine.add(LIVE) }];
      const around = {
        clock,
        ...simulate({ clock }),
        store: alone,
        engine: engineFor(engine.engine, modules),
      };
      const without = [await iterate(policy(), around), await iterate(policy(), around)];
      await alone.close();
      expect(beside.map(withoutTime)).toEqual(without.map(withoutTime));
    },
  );

  test("is left alone by a breaker of its own, while the live algorithm goes on", async () => {
    const { pass, outcomes } = play(asking({ plan: () => "(loop $l (br $l))" }));
    for (let times = 0; times < 4; times += 1) {
      expect((await pass()).fault).toBeUndefined();
      await outcomes();
    }
    expect(await outcomes()).toEqual(["Failed", "Failed", "Failed", "Skipped"]);
  });
});

describe("work on what is to spare", () => {
  const spare = (own: Bed, module: Uint8Array, tenant = "team-a", cpuMs = 60_000) =>
    own.engine.pass({
      ...own.order({ plan: module }, { tenant, cpuMs, wallMs: 60_000, fuel: 1e12 }),
      spare: true,
    });
  const codeOf = (thrown: unknown) => (thrown instanceof Fault ? thrown.code : thrown);
  const LOOP = asking({ plan: () => "(loop $l (br $l))" });
  const sandboxes = () => processes().filter(({ program }) => program === "sandbox").length;

  test("has a process of its own, in which no live pass of the tenant runs", async () => {
    await using own = await bed(2);
    await own.run({ plan: LIVE });
    const before = sandboxes();
    await expect.poll(() => spare(own, wanting(7)).then(() => "ran", codeOf)).toBe("ran");
    await expect.poll(sandboxes).toBe(before + 1);
  });

  test("is refused at once where no more processes may run, and costs nobody an idle one", async () => {
    await using own = await bed(1);
    await own.run({ plan: LIVE });
    expect(await spare(own, wanting(7)).catch(codeOf)).toBe("EngineBusy");
  });

  test("is given up as soon as somebody needs its process, as busy and not as lost", async () => {
    await using own = await bed(1);
    const others = new Set(processes().map(({ pid }) => pid));
    await expect.poll(() => spare(own, LIVE).then(() => "ran", codeOf)).toBe("ran");
    const given = spare(own, LOOP).catch((thrown: unknown) => thrown);
    const ours = () => processes().filter(({ pid, program }) => program === "sandbox" && !others.has(pid));
    await expect.poll(() => ours().some(({ pid }) => isRunning(pid))).toBe(true);
    const live = await own.run({ plan: LIVE }, { tenant: "team-b" });
    expect(live.answers.plan).toContain('"parallelism":4');
    const thrown = await given;
    expect(thrown).toMatchObject({ code: "EngineBusy", retry: true });
  });
});
