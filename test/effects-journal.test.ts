import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Perform } from "../host/engine/index.ts";
import { asking, get, SAY, world, type Doing, type Text, type World } from "./engine/asking.ts";
import { bed, isRunning, processes, until, type Bed } from "./engine/bed.ts";

let engine: Bed;
let server: World;
let effects: Perform;
beforeAll(async () => {
  engine = await bed();
  server = await world();
  effects = server.perform;
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => void (server.asked.length = 0));

const at = (path: string) => `${server.origin}${path}`;
const planning = (doing: Doing) => asking({ plan: doing });
const run = (doing: Doing) => engine.run({ plan: planning(doing) }, { effects });

describe("a journal", () => {
  /** What is left in a global by a call would tell runs apart; time the guest cannot see. So the journal is tampered with. */
  const twice: Doing = (text) => get(text, at("/a")) + get(text, at("/b")) + SAY;
  const other: Doing = (text) => get(text, at("/a")) + get(text, at("/c")) + SAY;
  const once: Doing = (text) => get(text, at("/a")) + SAY;
  const replay = async (recorded: Doing, replayed: Doing) => {
    const result = await run(recorded);
    server.asked.length = 0;
    return engine.engine.replay(engine.order({ plan: planning(replayed) }), result);
  };

  test("replays a pass without a request, bit for bit", async () => {
    const first = await run(twice);
    server.asked.length = 0;
    const second = await engine.engine.replay(engine.order({ plan: planning(twice) }), first);
    expect({ ...second, cpuMs: 0 }).toEqual({ ...first, cpuMs: 0 });
    expect(second.answers.plan).toBe('{"path":"/b","n":2}');
    expect(server.asked).toEqual([]);
  });

  test("keeps bodies of more than 64 KiB by their digests, and replays them from there or not at all", async () => {
    const long: Doing = (text) => get(text, at("/bytes/65537")) + SAY;
    const first = await run(long);
    const [digest = ""] = first.bodies.keys();
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(first.journal.plan?.[0]?.answers[0]?.body).toEqual({ digest, bytes: 65_537 });
    const order = engine.order({ plan: planning(long) });
    const stored = JSON.parse(JSON.stringify(first.journal)) as typeof first.journal;
    const again = await engine.engine.replay(order, { journal: stored, bodies: first.bodies });
    expect(again.answers).toEqual(first.answers);
    const none = engine.engine.replay(order, { journal: stored, bodies: new Map() });
    await expect(none).rejects.toMatchObject({ code: "KnowledgeCorrupt" });
    const wrong = new Map([[digest, Buffer.from("another body")]]);
    const false_ = engine.engine.replay(order, { journal: stored, bodies: wrong });
    await expect(false_).rejects.toMatchObject({ code: "KnowledgeCorrupt" });
    const short = await run((text) => get(text, at("/bytes/65536")) + SAY);
    expect([...short.bodies.keys()]).toEqual([]);
  });

  test.each([
    ["another request", twice, other],
    ["fewer requests", twice, once],
    ["more requests", once, twice],
    ["no request", once, (text: Text) => `(call $say ${text("{}")})`],
    [
      "the same bytes, but as a batch",
      once,
      (text: Text) =>
        `(drop (call $http_batch ${text(JSON.stringify({ url: at("/a"), method: "GET", headers: {} }))}))`,
    ],
    [
      "the same request with a body",
      once,
      (text: Text) =>
        `(drop (call $http_request ${text(JSON.stringify({ url: at("/a"), method: "GET", headers: {} }))} ${text("x")}))`,
    ],
    [
      "the same request in another spelling",
      once,
      (text: Text) =>
        `(drop (call $http_request ${text(JSON.stringify({ method: "GET", url: at("/a"), headers: {} }))} (i64.const 0)))`,
    ],
  ])("is not replayed by a step that makes %s", async (_what, recorded, replayed) => {
    await expect(replay(recorded, replayed)).rejects.toMatchObject({ code: "Nondeterministic" });
    expect(server.asked).toEqual([]);
  });

  test("outlives the sandbox: killed while an effect is had, another one goes on, and nothing is asked twice", async () => {
    await using own = await bed();
    await own.run({ plan: planning((text) => `(call $say ${text("{}")})`) });
    const killing: Perform = async (request, signal) => {
      const before = processes().filter(({ program }) => program === "sandbox");
      for (const { pid } of before) process.kill(pid, "SIGKILL");
      await until(() => processes().every(({ pid }) => !before.some((one) => one.pid === pid)));
      return server.perform(request, signal);
    };
    const { answers } = await own.run({ plan: planning(twice) }, { effects: killing });
    expect(answers.plan).toBe('{"path":"/b","n":2}');
    expect(server.asked).toEqual(["GET /a", "GET /b"]);
  });
});

/** So much that it is the clock that ends a step. */
const ENDLESS = { cpuMs: 20_000, fuel: 1e12 };

describe("a process that is lost", () => {
  test("while a step runs again is replaced once, with the journal as it was", async () => {
    await using own = await bed();
    await own.run({ plan: planning((text) => `(call $say ${text("{}")})`) });
    const others = new Set(processes().map(({ pid }) => pid));
    const long = `(local.set $b (i64.const 0)) (loop $l (local.set $b (i64.add (local.get $b) (i64.const 1)))
      (br_if $l (i64.lt_u (local.get $b) (i64.const 2000000000))))`;
    const module = planning((text) => get(text, at("/a")) + long + get(text, at("/b")) + SAY);
    const killing: Perform = async (request, signal) => {
      const answer = await server.perform(request, signal);
      // The run after this answer counts for a second or so: it is the process that runs, and not the one that waits.
      const counting = () => processes().find(({ pid }) => others.has(pid) && isRunning(pid));
      setTimeout(() => process.kill(counting()?.pid ?? 0, "SIGKILL"), 300);
      return answer;
    };
    const pass = own.run({ plan: module }, { effects: killing, ...ENDLESS, wallMs: 20_000 });
    expect((await pass).answers.plan).toBe('{"path":"/b","n":2}');
    expect(server.asked).toEqual(["GET /a", "GET /b"]);
  });
});

describe("waiting for an effect wins over whatever else the run did", () => {
  const after = async (before: Doing, later: Doing = () => "") => {
    const doing: Doing = (text) => before(text) + get(text, at("/a")) + later(text) + SAY;
    return (await run(doing)).answers.plan;
  };

  test("an error that it set before is reported only if it sets it again", async () => {
    // Every run sets it, so the last one does as well.
    await expect(after((text) => `(call $error_set ${text("failed")})`)).rejects.toMatchObject({
      code: "GuestFailed",
      message: "plan: failed",
    });
    expect(server.asked).toEqual(["GET /a"]);
  });

  test("an output that it gave before is replaced, and the last run's logs are the only ones", async () => {
    const before: Doing = (text) =>
      `(call $say ${text('{"early":true}')}) (call $log_info ${text("before")})`;
    const doing: Doing = (text) => before(text) + get(text, at("/a")) + get(text, at("/b")) + SAY;
    const { answers, logs } = await run(doing);
    expect(answers.plan).toBe('{"path":"/b","n":2}');
    expect(logs.map(({ text }) => text)).toEqual(["before"]);
  });

  test("a trap or a loop behind it is met only when the answer is there", async () => {
    await expect(
      after(
        () => "",
        () => "unreachable",
      ),
    ).rejects.toMatchObject({ code: "GuestTrapped" });
    expect(server.asked).toEqual(["GET /a"]);
    await expect(
      after(
        () => "",
        () => "(loop $l (br $l))",
      ),
    ).rejects.toMatchObject({ code: "FuelExhausted" });
    expect(server.asked).toEqual(["GET /a", "GET /a"]);
  });
});

describe("the time of a step", () => {
  test("is that of all its runs and effects together", async () => {
    const slow: Doing = (text) => get(text, at("/after/400")) + get(text, at("/after/400")) + SAY;
    const module = planning(slow);
    expect((await engine.run({ plan: module }, { effects, wallMs: 5_000 })).answers.plan).toContain(
      "/after/400",
    );
    const late = engine.run({ plan: module }, { effects, wallMs: 600 });
    await expect(late).rejects.toMatchObject({ code: "DeadlineExceeded" });
  });

  test("that is left after an effect is all that the next run has", async () => {
    const module = planning((text) => get(text, at("/after/1000")) + "(loop $l (br $l))");
    const began = performance.now();
    const late = engine.run({ plan: module }, { effects, ...ENDLESS, wallMs: 1_500 });
    await expect(late).rejects.toMatchObject({ code: "DeadlineExceeded" });
    // Not a second for the effect, and then all of one and a half.
    expect(performance.now() - began).toBeLessThan(2_300);
  });

  test("ends even if the performer never answers", async () => {
    const never: Perform = () => new Promise(() => undefined);
    const module = planning((text) => get(text, at("/")) + SAY);
    const began = performance.now();
    await expect(engine.run({ plan: module }, { effects: never, wallMs: 300 })).rejects.toMatchObject({
      code: "DeadlineExceeded",
    });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test("on the processor is charged for every run, and limited for all of them together", async () => {
    // Some 60 ms of counting before each of eight requests: 1+2+…+9 times as much altogether.
    const count = `(local.set $b (i64.const 0)) (loop $l (local.set $b (i64.add (local.get $b) (i64.const 1)))
      (br_if $l (i64.lt_u (local.get $b) (i64.const 60000000))))`;
    const doing: Doing = (text) => Array.from({ length: 8 }, () => count + get(text, at("/"))).join("") + SAY;
    const module = planning(doing);
    const all = await engine.run({ plan: module }, { effects, ...ENDLESS, wallMs: 20_000 });
    const replayed = await engine.engine.replay(
      engine.order({ plan: module }, { ...ENDLESS, wallMs: 20_000 }),
      all,
    );
    // Eight stretches in the one run of the replay; 1+2+…+8+8 = 44 in the nine runs.
    expect(all.cpuMs).toBeGreaterThan(replayed.cpuMs * 3);
    const limited = engine.run(
      { plan: module },
      { effects, ...ENDLESS, cpuMs: replayed.cpuMs * 2, wallMs: 20_000 },
    );
    await expect(limited).rejects.toMatchObject({ code: "DeadlineExceeded" });
  });
});
