import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Breaker } from "../host/engine/breaker.ts";
import { SupervisorEnded } from "../host/engine/ended.ts";
import { engineFor } from "../host/engine/index.ts";
import { Fault, type FaultCode } from "../host/fault/index.ts";
import { policyKey, type Policy } from "../host/policy/index.ts";
import { node, policy, topology } from "./builders.ts";
import { bed, processes, type Bed } from "./engine/bed.ts";
import { answering, doing } from "./hostile/wat.ts";

const START = Date.parse("2026-11-23T10:00:00.000Z");
const fault = (code: FaultCode) => new Fault(code, "it did");

/** A breaker, a clock that is turned by hand, and a policy that runs one digest. */
function bench(code: FaultCode = "DeadlineExceeded") {
  let nowMs = START;
  const breaker = new Breaker({ now: () => new Date(nowMs) });
  const verdict = (one: Policy = policy(), digests = ["sha256:a"]) => {
    try {
      breaker.check(one, digests);
      return "runs";
    } catch (thrown) {
      return thrown as Fault;
    }
  };
  const fails = (times: number, with_: FaultCode = code) => {
    for (let at = 0; at < times; at += 1) breaker.failed(policy(), ["sha256:a"], fault(with_));
  };
  return { breaker, verdict, fails, pass: (seconds: number) => (nowMs += seconds * 1_000) };
}

describe("an algorithm that keeps costing processes", () => {
  test("is left alone for 30 seconds after three faults in a row, and the fault says until when and why", () => {
    const { verdict, fails } = bench();
    fails(2);
    expect(verdict()).toBe("runs");
    fails(1);
    expect(verdict()).toMatchObject({
      code: "BreakerOpen",
      message:
        "The algorithm is not run until 2026-11-23T10:00:30.000Z: its last 3 passes cost too much, the last one with DeadlineExceeded",
      retry: true,
      retryAfterSeconds: 30,
    });
  });

  test("is tried again then, and left alone for twice as long each time that it faults, up to an hour", () => {
    const { verdict, fails, pass } = bench();
    fails(3);
    const waits: number[] = [];
    for (let openings = 0; openings < 9; openings += 1) {
      const open = verdict();
      const seconds = open instanceof Fault ? (open.retryAfterSeconds ?? 0) : 0;
      waits.push(seconds);
      pass(seconds);
      expect(verdict()).toBe("runs");
      fails(1);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
  });

  test("starts afresh after one success", () => {
    const { breaker, verdict, fails, pass } = bench();
    fails(3);
    pass(30);
    breaker.succeeded(policy());
    fails(2);
    expect(verdict()).toBe("runs");
    fails(1);
    expect(verdict()).toMatchObject({ retryAfterSeconds: 30 });
  });

  test.each([
    ["a new digest", policy(), ["sha256:b"]],
    ["a changed policy", policy({ generation: 2 }), ["sha256:a"]],
    ["another policy of that name", policy({ uid: "uid-2" }), ["sha256:a"]],
    ["another policy", policy({ key: policyKey("team-a", "views") }), ["sha256:a"]],
  ])("does not keep %s from running", (_what, other, digests) => {
    const { verdict, fails } = bench();
    fails(3);
    expect(verdict()).toMatchObject({ code: "BreakerOpen" });
    expect(verdict(other, digests)).toBe("runs");
  });

  test.each(["DeadlineExceeded", "MemoryExceeded", "SandboxLost"] as const)("is one with %s", (code) => {
    const { verdict, fails } = bench(code);
    fails(3);
    expect(verdict()).toMatchObject({ code: "BreakerOpen" });
  });

  test.each(["GuestTrapped", "GuestFailed", "OutputInvalid", "EngineBusy", "EffectDenied"] as const)(
    "is not one with %s, however often, and one that is cannot hide behind it",
    (code) => {
      const { verdict, fails } = bench();
      fails(100, code);
      expect(verdict()).toBe("runs");
      fails(2);
      fails(1, code);
      fails(1);
      expect(verdict()).toMatchObject({ code: "BreakerOpen" });
    },
  );

  test("is not one whose supervisor ended: everybody's pass was lost with it", () => {
    const { breaker, verdict } = bench();
    for (let at = 0; at < 9; at += 1)
      breaker.failed(
        policy(),
        ["sha256:a"],
        new Fault("SandboxLost", "ended", { cause: new SupervisorEnded() }),
      );
    expect(verdict()).toBe("runs");
  });

  test("is one of ten thousand at most: the one that faulted longest ago is forgotten first", () => {
    const { breaker, verdict, fails } = bench();
    fails(3);
    for (let at = 0; at < 10_000; at += 1)
      breaker.failed(policy({ key: policyKey("team-a", `p${at}`) }), [], fault("SandboxLost"));
    expect(breaker.size).toBe(10_000);
    expect(verdict()).toBe("runs");
  });
});

describe("the engine of the loop", () => {
  let engine: Bed;
  beforeAll(async () => {
    engine = await bed();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  const input = {
    iteration: { id: "1@then", number: 1, time: "2026-11-23T10:00:00.000Z" },
    topology: topology(node("split", 5)),
    sources: {},
    past: { number: 0, carry: undefined, history: [], open: undefined },
  };
  const algorithm = { ...policy().algorithm, cpuMs: 20 };

  test("costs no process any more for an algorithm that is left alone, until its policy has another", async () => {
    let digest = engine.add(doing("(loop $l (br $l))"));
    const loop = engineFor(engine.engine, () => [{ step: "all", digest }], undefined, {
      now: () => new Date(START),
    });
    const run = () => loop.run(policy({ algorithm }), input).catch((thrown: Fault) => thrown.code);
    expect([await run(), await run(), await run()]).toEqual(Array(3).fill("FuelExhausted"));
    expect(await run()).toBe("BreakerOpen");
    const before = processes().map(({ pid }) => pid);
    for (let at = 0; at < 50; at += 1) expect(await run()).toBe("BreakerOpen");
    const gone = before.filter((pid) => !processes().some((one) => one.pid === pid));
    expect(gone).toEqual([]);
    digest = engine.add(answering({ plan: '{"nodes":{}}' }));
    expect(await run()).toMatchObject({ answers: { plan: '{"nodes":{}}' } });
  });

  test("has one pass of a policy under way at a time, whoever asks", async () => {
    const digest = engine.add(answering({ plan: '{"nodes":{}}' }));
    let [now, most] = [0, 0];
    const counted = {
      ...engine.engine,
      pass: async (order: Parameters<typeof engine.engine.pass>[0]) => {
        now += 1;
        most = Math.max(most, now);
        const answers = await engine.engine.pass(order);
        now -= 1;
        return answers;
      },
    };
    const loop = engineFor(counted, () => [{ step: "all", digest }]);
    await Promise.all(Array.from({ length: 20 }, () => loop.run(policy(), input)));
    expect(most).toBe(1);
  });
});
