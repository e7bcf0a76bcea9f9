import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { engineFor, type Perform } from "../host/engine/index.ts";
import { Fault } from "../host/fault/index.ts";
import { node, policy, topology } from "./builders.ts";
import { asking, get, SAY, world, type Doing, type Text, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { imported, wasm } from "./hostile/wat.ts";

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
const planning = (doing: Doing, more?: string) => asking({ plan: doing }, more);
const run = (doing: Doing, more?: string) => engine.run({ plan: planning(doing, more) }, { effects });
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a step that makes a request", () => {
  test("is answered what the server said, and the journal has both", async () => {
    const { answers, journal } = await run((text) => get(text, at("/a")) + SAY);
    expect(answers.plan).toBe('{"path":"/a","n":1}');
    expect(server.asked).toEqual(["GET /a"]);
    expect(journal.plan).toHaveLength(1);
    expect(journal.plan?.[0]).toMatchObject({
      kind: "http",
      request: base64(`{"url":"${at("/a")}","method":"GET","headers":{}}`),
      body: "",
      answers: [{ status: 200, body: { base64: base64('{"path":"/a","n":1}') } }],
    });
    expect(journal.plan?.[0]?.answers[0]?.headers).toMatchObject({ "x-from": "the server" });
  });

  test("three times in a row makes each of them once", async () => {
    const { answers } = await run(
      (text) => ["/a", "/b", "/a"].map((path) => get(text, at(path))).join("") + SAY,
    );
    expect(answers.plan).toBe('{"path":"/a","n":3}');
    expect(server.asked).toEqual(["GET /a", "GET /b", "GET /a"]);
  });

  test("sends a body, if the performer lets it", async () => {
    const post = (text: Text) =>
      `(local.set $b (call $http_request ${text(JSON.stringify({ url: at("/p"), method: "POST" }))} ${text("what?")}))`;
    await run((text) => post(text) + SAY);
    expect(server.asked).toEqual(["POST /p what?"]);
  });

  test("sees the status and the body of an error, and goes on", async () => {
    const doing: Doing = (text) =>
      get(text, at("/status/503")) +
      `(if (i32.ne (call $http_status_code) (i32.const 503)) (then unreachable))` +
      SAY;
    expect((await run(doing)).answers.plan).toBe('{"path":"/status/503","n":1}');
  });

  test("has status 0, no body and a header that says why, where there was no answer or too long a one", async () => {
    const none: Doing = (text) =>
      get(text, "http://127.0.0.1:1/") +
      `(if (i32.ne (call $http_status_code) (i32.const 0)) (then unreachable))
       (if (i64.ne (local.get $b) (i64.const 0)) (then unreachable))
       (call $say (call $http_headers))`;
    expect((await run(none)).answers.plan).toBe('{"sluice-error":"Unreachable"}');
    const long: Doing = (text) => get(text, at("/bytes/262145")) + "(call $say (call $http_headers))";
    expect((await run(long)).answers.plan).toBe('{"sluice-error":"TooLarge"}');
    const longest: Doing = (text) => get(text, at("/bytes/262144")) + SAY;
    expect((await run(longest)).answers.plan).toHaveLength(262_144);
  });

  test("has the status and headers of its last request, and none before the first", async () => {
    const doing: Doing = (text) =>
      `(if (i32.ne (call $http_status_code) (i32.const 0)) (then unreachable))
       (if (i64.ne (call $http_headers) (i64.const 0)) (then unreachable))` +
      get(text, at("/status/404")) +
      get(text, at("/status/201")) +
      `(if (i32.ne (call $http_status_code) (i32.const 201)) (then unreachable))` +
      SAY;
    expect((await run(doing)).answers.plan).toBe('{"path":"/status/201","n":2}');
  });

  test("runs beside other steps: those before it are not run again, and each has a journal of its own", async () => {
    const module = asking({
      monitor: (text) => `(call $log_info ${text("monitor")})` + get(text, at("/m")) + SAY,
      analyze: (text) => `(call $log_info ${text("analyze")}) (call $say ${text('{"carry":1.0}')})`,
      plan: (text) => get(text, at("/p")) + get(text, at("/q")) + SAY,
    });
    const { answers, logs, carry, journal } = await engine.run(
      { monitor: module, analyze: module, plan: module },
      { effects },
    );
    expect(answers).toEqual({
      monitor: '{"path":"/m","n":1}',
      analyze: '{"carry":1.0}',
      plan: '{"path":"/q","n":3}',
    });
    expect(carry).toBe("1.0");
    expect(logs.map(({ text }) => text)).toEqual(["monitor", "analyze"]);
    expect(Object.entries(journal).map(([step, entries]) => [step, entries.length])).toEqual([
      ["monitor", 1],
      ["plan", 2],
    ]);
  });
});

describe("a batch", () => {
  const batch =
    (requests: readonly object[]): Doing =>
    (text) =>
      `(local.set $b (call $http_batch ${text(JSON.stringify(requests))}))
     (call $log_info (local.get $b)) (call $say ${text("{}")})`;

  test("is answered in the order of its requests, whichever answers first, and is one position", async () => {
    const requests = [
      { url: at("/after/200") },
      { url: at("/status/500") },
      { url: at("/p"), method: "POST", body: "ä" },
    ];
    const { logs, journal } = await run(batch(requests));
    const answers = JSON.parse(logs[0]?.text ?? "") as { status: number; body: string }[];
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 200]);
    expect(answers.map(({ body }) => (JSON.parse(body) as { path: string }).path)).toEqual([
      "/after/200",
      "/status/500",
      "/p",
    ]);
    expect(server.asked).toContain("POST /p ä");
    expect(journal.plan?.map(({ kind, answers: had }) => [kind, had.length])).toEqual([["batch", 3]]);
  });

  test("counts each of its requests, and nothing is sent if they are too many", async () => {
    const eight = Array.from({ length: 8 }, () => ({ url: at("/") }));
    expect((await run(batch(eight))).answers.plan).toBe("{}");
    expect(server.asked).toHaveLength(8);
    await expect(run(batch([...eight, { url: at("/") }]))).rejects.toMatchObject({ code: "EffectDenied" });
    const after: Doing = (text) => get(text, at("/ninth")) + batch(eight)(text);
    await expect(run(after)).rejects.toMatchObject({ code: "EffectDenied" });
    expect(server.asked).toHaveLength(9);
  });

  test.each([["[]"], ["{}"], ["[1]"], ['[{"url":1}]'], ['[{"url":"x","headers":[]}]'], ["["]])(
    "that is %s is refused",
    async (words) => {
      const doing: Doing = (text) => `(drop (call $http_batch ${text(words)}))`;
      await expect(run(doing)).rejects.toMatchObject({ code: "EffectDenied" });
    },
  );
});

describe("is refused", () => {
  test("everything, where nobody has effects for the policy", async () => {
    const module = planning((text) => get(text, at("/a")) + SAY);
    await expect(engine.run({ plan: module })).rejects.toMatchObject({ code: "EffectDenied" });
    expect(server.asked).toEqual([]);
  });

  test("what the performer denies, with its own words; the others of the batch are ended", async () => {
    let ended = false;
    const denying: Perform = async ({ url }, signal) => {
      if (url.endsWith("/no")) throw new Fault("EffectDenied", "not there");
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          ended = true;
          resolve({ error: "Ended" });
        }),
      );
    };
    const batch: Doing = (text) =>
      `(drop (call $http_batch ${text(JSON.stringify([{ url: "/yes" }, { url: "/no" }]))}))`;
    const denied = engine.run({ plan: planning(batch) }, { effects: denying });
    await expect(denied).rejects.toMatchObject({ code: "EffectDenied", message: "not there" });
    expect(ended).toBe(true);
  });

  test("a ninth request of a step; the next step has eight of its own", async () => {
    const many =
      (times: number): Doing =>
      (text) =>
        get(text, at("/")).repeat(times) + SAY;
    const module = asking({ monitor: many(8), plan: many(8) });
    await engine.run({ monitor: module, plan: module }, { effects });
    expect(server.asked).toHaveLength(16);
    await expect(run(many(9))).rejects.toMatchObject({ code: "EffectDenied" });
    expect(server.asked).toHaveLength(24);
  });

  test("a request of more than 64 KiB", async () => {
    const doing =
      (bytes: number): Doing =>
      (text) =>
        `(local.set $b (call $http_request ${text(JSON.stringify({ url: at("/p"), method: "POST" }))} (call $alloc (i64.const ${bytes}))))` +
        SAY;
    const request = JSON.stringify({ url: at("/p"), method: "POST" }).length;
    await run(doing(65_536 - request));
    await expect(run(doing(65_537 - request))).rejects.toMatchObject({ code: "EffectDenied" });
    expect(server.asked).toHaveLength(1);
  });

  test.each(["(start $early)", '(export "_initialize" (func $early))'])(
    "a request while the module initialises: %s",
    async (how) => {
      const url = JSON.stringify({ url: at("/early") });
      const early = `(data (i32.const 32768) "${url.replaceAll('"', "\\22")}")
        (func $early (drop (call $http_request (call $put (i32.const 32768) (i32.const ${url.length})) (i64.const 0)))) ${how}`;
      await expect(run((text) => `(call $say ${text("{}")})`, early)).rejects.toMatchObject({
        code: "EffectDenied",
      });
      expect(server.asked).toEqual([]);
    },
  );

  test("an import of ours under a name that there is none of", async () => {
    const module = wasm(
      `(module (import "sluice:host" "http_request" (func)) ${imported("alloc", "(param i64) (result i64)")} (func (export "plan") (result i32) (i32.const 0)))`,
    );
    await expect(engine.inspect(module)).rejects.toMatchObject({ code: "ArtifactInvalid" });
  });
});

test("the loop's engine has effects for the policies that somebody has them for, and hands over their journal", async () => {
  const digest = engine.add(planning((text) => get(text, at("/a")) + SAY));
  const loop = engineFor(
    engine.engine,
    () => [{ step: "all", digest }],
    (one) => (one.name === "granted" ? effects : undefined),
  );
  const input = {
    iteration: { id: "1@then", number: 1, time: "2026-11-22T10:00:00.000Z" },
    topology: topology(node("split", 5)),
    sources: {},
    past: { number: 0, carry: undefined, history: [], open: undefined },
  };
  const { answers, journal } = await loop.run(policy({ name: "granted" }), input);
  expect(answers.plan).toBe('{"path":"/a","n":1}');
  expect(journal?.plan).toHaveLength(1);
  await expect(loop.run(policy({ name: "other" }), input)).rejects.toMatchObject({ code: "EffectDenied" });
  expect(server.asked).toEqual(["GET /a"]);
});
