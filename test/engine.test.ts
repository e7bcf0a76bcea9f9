import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bed, isAlive, processes, until, type Bed } from "./engine/bed.ts";
import { answering, doing, imported, wasm } from "./hostile/wat.ts";

const plan = '{"nodes":{"split":{"parallelism":5}}}';
const good = answering({ plan });

let engine: Bed;
beforeAll(async () => {
  engine = await bed();
  await engine.run({ plan: good });
});
afterAll(() => engine[Symbol.asyncDispose]());

/** A step that hands back a part of its input as its answer, byte by byte. */
const echoing = (step: string) =>
  wasm(`(module
    ${imported("input_length", "(result i64)")} ${imported("input_load_u8", "(param i64) (result i32)")}
    ${imported("alloc", "(param i64) (result i64)")} ${imported("store_u8", "(param i64 i32)")}
    ${imported("output_set", "(param i64 i64)")} (memory (export "memory") 1)
    (func (export "${step}") (result i32) (local $i i64) (local $length i64) (local $block i64)
      (local.set $length (call $input_length))
      (local.set $block (call $alloc (local.get $length)))
      (block $done (loop $next
        (br_if $done (i64.ge_u (local.get $i) (local.get $length)))
        (call $store_u8 (i64.add (local.get $block) (local.get $i)) (call $input_load_u8 (local.get $i)))
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br $next)))
      (call $output_set (local.get $block) (local.get $length))
      (i32.const 0)))`);

describe("a pass", () => {
  test("runs the steps in their order and returns each answer as the text that it was", async () => {
    const module = answering({ monitor: '{"rate":1.0}', analyze: '{"trend":12345678901234567890}', plan });
    const { answers } = await engine.run({ monitor: module, analyze: module, plan: module });
    expect(answers).toEqual({ monitor: '{"rate":1.0}', analyze: '{"trend":12345678901234567890}', plan });
  });

  test("shows each step the answers before it and what the operator gave, with every number as it was spelled", async () => {
    const monitor = answering({ monitor: '{"big":12345678901234567890,"one":1.0}' });
    const texts = { iteration: '{"id":"1@x"}', topology: '{"nodes":[]}', config: '{"limit":1e2}' };
    const { answers } = await engine.run({ monitor, plan: echoing("plan") }, { texts });
    expect(answers.plan).toBe(
      '{"api":"sluice/v1","step":"plan","monitor":{"big":12345678901234567890,"one":1.0},"iteration":{"id":"1@x"},"topology":{"nodes":[]},"config":{"limit":1e2}}',
    );
  });

  test("carries on what the last step that carries something returned, spelled as it was", async () => {
    const monitor = answering({ monitor: '{"carry":{"from":"monitor"}}' });
    const last = answering({
      plan: '{"nodes":{},"carry":{"n":12345678901234567890,"f":1.0,"deep":{"carry":1}}}',
    });
    expect((await engine.run({ monitor, plan: last })).carry).toBe(
      '{"n":12345678901234567890,"f":1.0,"deep":{"carry":1}}',
    );
    expect((await engine.run({ monitor, plan: good })).carry).toBe('{"from":"monitor"}');
  });

  test("keeps nothing of a call: a counter in a global, in memory and in a table starts anew", async () => {
    const counting = wasm(`(module
      ${imported("alloc", "(param i64) (result i64)")} ${imported("store_u8", "(param i64 i32)")} ${imported("output_set", "(param i64 i64)")}
      (memory (export "memory") 1) (global $calls (mut i32) (i32.const 0))
      (func (export "plan") (result i32) (local $block i64)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
        (local.set $block (call $alloc (i64.const 8)))
        ${[...'{"n":'].map((one, at) => `(call $store_u8 (i64.add (local.get $block) (i64.const ${at})) (i32.const ${one.charCodeAt(0)}))`).join("")}
        (call $store_u8 (i64.add (local.get $block) (i64.const 5)) (i32.add (i32.const 48) (global.get $calls)))
        (call $store_u8 (i64.add (local.get $block) (i64.const 6)) (i32.add (i32.const 48) (i32.load (i32.const 0))))
        (call $store_u8 (i64.add (local.get $block) (i64.const 7)) (i32.const 125))
        (call $output_set (local.get $block) (i64.const 8)) (i32.const 0)))`);
    for (let times = 0; times < 3; times += 1)
      expect((await engine.run({ plan: counting })).answers.plan).toBe('{"n":11}');
  });

  test("answers only as much of a block as the algorithm says, and is refused a length that the block does not have", async () => {
    const saying = (length: number) =>
      wasm(`(module ${imported("alloc", "(param i64) (result i64)")} ${imported("store_u64", "(param i64 i64)")} ${imported("output_set", "(param i64 i64)")}
        (memory (export "memory") 1) (func (export "plan") (result i32) (local $block i64)
        (local.set $block (call $alloc (i64.const 64))) (call $store_u64 (local.get $block) (i64.const 32123))
        (call $output_set (local.get $block) (i64.const ${length})) (i32.const 0)))`);
    // 32123 is "{}" in the order of the bytes.
    expect((await engine.run({ plan: saying(2) })).answers.plan).toBe("{}");
    await expect(engine.run({ plan: saying(65) })).rejects.toMatchObject({ code: "GuestTrapped" });
  });

  test("keeps what was logged, at most 64 lines, without control characters", async () => {
    expect((await engine.run({ plan: good })).logs).toEqual([]);
    const line = [..."a\nb"]
      .map(
        (one, at) =>
          `(call $store_u8 (i64.add (local.get $b) (i64.const ${at})) (i32.const ${one.charCodeAt(0)}))`,
      )
      .join("");
    const flood =
      wasm(`(module ${imported("alloc", "(param i64) (result i64)")} ${imported("store_u8", "(param i64 i32)")} ${imported("output_set", "(param i64 i64)")}
      ${imported("log_info", "(param i64)")} (memory (export "memory") 1)
      (func (export "plan") (result i32) (local $b i64) (local $i i32)
        (loop $again (local.set $b (call $alloc (i64.const 3))) ${line} (call $log_info (local.get $b))
          (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
        (local.set $b (call $alloc (i64.const 2))) (call $store_u8 (local.get $b) (i32.const 123))
        (call $store_u8 (i64.add (local.get $b) (i64.const 1)) (i32.const 125))
        (call $output_set (local.get $b) (i64.const 2)) (i32.const 0)))`);
    const { logs } = await engine.run({ plan: flood });
    expect(logs).toHaveLength(64);
    expect(logs[0]).toEqual({ step: "plan", level: "info", text: "a b" });
    expect(logs[63]?.text).toContain("further lines were dropped");
  });
});

describe("a sandbox process", () => {
  test("has an empty environment and no handle but its three pipes", async () => {
    await engine.run({ plan: good });
    const sandbox = processes().find((one) => one.program === "sandbox");
    const pid = sandbox?.pid ?? 0;
    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
    const handles = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    // What the runtime opens for itself: its event loop and wake-ups.
    const foreign = handles.filter((one) => !/^(anon_inode:|pipe:|socket:|\/dev\/null)/.test(one));
    expect(foreign).toEqual([]);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe("/");
  });

  test("serves one tenant for as long as it lives", async () => {
    await using own = await bed();
    await own.run({ plan: good }, { tenant: "team-a" });
    await own.run({ plan: good }, { tenant: "team-b" });
    // One for each tenant, and one that is started and unused.
    expect(processes().length).toBeGreaterThanOrEqual(4);
  });

  test("is given up by a busy tenant when another waits for one, where the number of processes is reached", async () => {
    await using own = await bed(1);
    // Each burns some 50 ms of processor time; together they would keep the only process for much longer than a second.
    const burn = doing(
      "(local $i i32) (loop $more (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 50000000))))",
    );
    let left = 100;
    const busy = Array.from({ length: left }, async () => {
      await own.run({ plan: burn }, { tenant: "busy", fuel: 1e12 }).catch(() => undefined);
      left -= 1;
    });
    expect((await own.run({ plan: good }, { tenant: "other" })).answers.plan).toBe(plan);
    expect(left).toBeGreaterThan(0);
    await Promise.all(busy);
  });

  test("that is killed costs at most its own pass, and the next one has another", async () => {
    await using own = await bed();
    await own.run({ plan: good });
    const before = new Set(processes().map((one) => one.pid));
    for (const { pid, program } of processes()) if (program === "sandbox") process.kill(pid, "SIGKILL");
    await until(() => processes().every((one) => one.program === "supervisor" || !before.has(one.pid)));
    await own.run({ plan: good }).catch(() => undefined);
    expect((await own.run({ plan: good })).answers.plan).toBe(plan);
  });

  test("is gone with the engine, and so is its supervisor", async () => {
    const others = new Set(processes().map((one) => one.pid));
    const own = await bed();
    await own.run({ plan: good });
    const ours = processes().filter((one) => !others.has(one.pid));
    expect(ours.length).toBeGreaterThanOrEqual(2);
    await own[Symbol.asyncDispose]();
    const alive = () => processes().filter((one) => !others.has(one.pid));
    expect(await until(() => alive().length === 0)).toBe(true);
  });

  test("is gone when its supervisor is killed, even in an endless loop, and the next pass has a new one", async () => {
    const others = new Set(processes().map((one) => one.pid));
    await using own = await bed();
    const looping = own.run(
      { plan: doing("(loop $l (br $l))") },
      { cpuMs: 60_000, wallMs: 60_000, fuel: 1e12 },
    );
    const ours = () => processes().filter((one) => !others.has(one.pid));
    await until(() => ours().some((one) => one.program === "sandbox"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const sandboxes = ours().filter((one) => one.program === "sandbox");
    const supervisor = ours().find((one) => one.program === "supervisor");
    process.kill(supervisor?.pid ?? 0, "SIGKILL");
    await expect(looping).rejects.toMatchObject({ code: "SandboxLost", retry: true });
    expect(await until(() => !sandboxes.some(({ pid }) => isAlive(pid)))).toBe(true);
    expect((await own.run({ plan: good })).answers.plan).toBe(plan);
  });
});
