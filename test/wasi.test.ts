import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WASI_FUNCTIONS } from "../host/engine/sandbox/wasi.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { imported, wasm } from "./hostile/wat.ts";

let engine: Bed;
beforeAll(async () => void (engine = await bed()));
afterAll(() => engine[Symbol.asyncDispose]());

const SYSTEM = '"wasi_snapshot_preview1"';
const TYPES: Readonly<Record<string, string>> = {
  clock_time_get: "(param i32 i64 i32) (result i32)",
  random_get: "(param i32 i32) (result i32)",
  fd_write: "(param i32 i32 i32 i32) (result i32)",
  fd_prestat_get: "(param i32 i32) (result i32)",
  path_open: "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
  poll_oneoff: "(param i32 i32 i32 i32) (result i32)",
  environ_sizes_get: "(param i32 i32) (result i32)",
  proc_exit: "(param i32)",
  sock_recv: "(param i32 i32 i32 i32 i32 i32) (result i32)",
};

/**
 * A module whose plan step does something with the system and answers eight bytes of its memory, from 0 on, as a number in
 * hexadecimal digits: `{"bytes":"0123456789abcdef"}`, the lowest digit first.
 */
function looking(body: string, more = ""): Uint8Array {
  const imports = Object.entries(TYPES).map(
    ([name, type]) => `(import ${SYSTEM} "${name}" (func $${name} ${type}))`,
  );
  return wasm(`(module ${imports.join("\n")}
    ${imported("alloc", "(param i64) (result i64)")} ${imported("store_u8", "(param i64 i32)")} ${imported("output_set", "(param i64 i64)")}
    (memory (export "memory") 1)
    (data (i32.const 60000) "{\\"bytes\\":\\"") (data (i32.const 60100) "0123456789abcdef")
    (func $say (local $b i64) (local $i i32)
      (local.set $b (call $alloc (i64.const 28)))
      (loop $head (call $store_u8 (i64.add (local.get $b) (i64.extend_i32_u (local.get $i))) (i32.load8_u offset=60000 (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $head (i32.lt_u (local.get $i) (i32.const 10))))
      (local.set $i (i32.const 0))
      (loop $digits (call $store_u8 (i64.add (local.get $b) (i64.extend_i32_u (i32.add (local.get $i) (i32.const 10))))
          (i32.load8_u offset=60100 (i32.and (i32.shr_u (i32.load8_u (i32.shr_u (local.get $i) (i32.const 1))) (i32.shl (i32.and (local.get $i) (i32.const 1)) (i32.const 2))) (i32.const 15))))
        (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $digits (i32.lt_u (local.get $i) (i32.const 16))))
      (call $store_u8 (i64.add (local.get $b) (i64.const 26)) (i32.const 34)) (call $store_u8 (i64.add (local.get $b) (i64.const 27)) (i32.const 125))
      (call $output_set (local.get $b) (i64.const 28)))
    ${more} (func (export "plan") (result i32) ${body} (call $say) (i32.const 0)))`);
}

const iteration = (id: string, time = "2026-11-22T10:00:00.000Z") => ({
  iteration: JSON.stringify({ id, number: 7, time }),
});
/** The eight bytes as a number, or the name of the fault. */
async function seen(module: Uint8Array, texts = iteration("7@noon")): Promise<bigint> {
  const { answers } = await engine.run({ plan: module }, { texts });
  const { bytes } = JSON.parse(answers.plan ?? "") as { bytes: string };
  return BigInt(`0x${[...bytes].toReversed().join("")}`);
}
/** Stores what a function returned, in place of what it wrote. */
const code = (call: string) => `(i64.store (i32.const 0) (i64.extend_i32_u ${call}))`;

describe("the system that a module of another toolchain sees", () => {
  const clock = "(drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 0)))";
  const random = "(drop (call $random_get (i32.const 0) (i32.const 8)))";

  test("has a clock that stands at the iteration's time", async () => {
    const noon = BigInt(Date.parse("2026-11-22T10:00:00.000Z")) * 1_000_000n;
    expect(await seen(looking(clock))).toBe(noon);
    expect(await seen(looking(`(loop ${clock.repeat(500)})`))).toBe(noon);
  });

  test("has chance that follows from the iteration and the step", async () => {
    const first = await seen(looking(random));
    expect(await seen(looking(random))).toBe(first);
    expect(await seen(looking(random), iteration("8@noon"))).not.toBe(first);
    // The second eight bytes are not the first ones.
    expect(await seen(looking(random + random))).not.toBe(first);
  });

  test("shows nothing of the iteration while a module initialises", async () => {
    const early = (what: string) => looking("", `(func (export "_initialize") ${what})`);
    expect(await seen(early(clock))).toBe(946_684_800_000_000_000n);
    const chance = await seen(early(random));
    expect(chance).not.toBe(0n);
    expect(await seen(early(random), iteration("8@midnight"))).toBe(chance);
  });

  test("lets a sleep of thirty seconds take no time", async () => {
    // A subscription of 48 bytes: what it is for, the clock, thirty seconds. One event comes of it.
    const sleep = `(i64.store (i32.const 100) (i64.const 77)) (i64.store (i32.const 124) (i64.const 30000000000))
      (drop (call $poll_oneoff (i32.const 100) (i32.const 200) (i32.const 1) (i32.const 300)))
      (i64.store (i32.const 0) (i64.add (i64.load (i32.const 200)) (i64.extend_i32_u (i32.load (i32.const 300)))))`;
    expect(await seen(looking(sleep))).toBe(78n);
  });

  test.each([
    ["no folder is open", code("(call $fd_prestat_get (i32.const 3) (i32.const 8))"), 8n],
    [
      "no file can be opened",
      code(
        "(call $path_open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16))",
      ),
      8n,
    ],
    [
      "no socket is there",
      code(
        "(call $sock_recv (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 16))",
      ),
      52n,
    ],
    ["nothing is in the environment", "(drop (call $environ_sizes_get (i32.const 0) (i32.const 4)))", 0n],
    [
      "an address behind the memory is said to be bad",
      code("(call $random_get (i32.const 65532) (i32.const 8))"),
      21n,
    ],
    [
      "and one below zero as well",
      code("(call $clock_time_get (i32.const 0) (i64.const 1) (i32.const -4))"),
      21n,
    ],
    [
      "a length of nearly four gigabytes, too, or is paid for",
      code("(call $fd_write (i32.const 1) (i32.const 65528) (i32.const 2) (i32.const 0))"),
      21n,
    ],
  ])("%s", async (_what, body, expected) => {
    expect(await seen(looking(body))).toBe(expected);
  });

  test("prints to the log, a line at a time", async () => {
    const text = "one\\ntwo\\nthree";
    const print = (file: number) =>
      `(i32.store (i32.const 200) (i32.const 1000)) (i32.store (i32.const 204) (i32.const 13))
       (drop (call $fd_write (i32.const ${file}) (i32.const 200) (i32.const 1) (i32.const 300)))`;
    const module = looking(print(1) + print(2), `(data (i32.const 1000) "${text}")`);
    const { logs } = await engine.run({ plan: module });
    expect(logs.map(({ level, text: line }) => `${level} ${line}`)).toEqual([
      "info one",
      "info two",
      "warn one",
      "warn two",
      "info three",
      "warn three",
    ]);
  });

  test("keeps no more of what is printed than of a log", async () => {
    const flood = `(i32.store (i32.const 200) (i32.const 1000)) (i32.store (i32.const 204) (i32.const 20000)) (i32.store8 (i32.const 1500) (i32.const 10))
      (drop (call $fd_write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 300)))
      (drop (call $fd_write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 300)))`;
    const { logs } = await engine.run({
      plan: looking(flood, `(data (i32.const 1000) "${"x".repeat(20_000)}")`),
    });
    expect(logs).toHaveLength(2);
    expect(logs[0]?.text).toBe("x".repeat(500));
    expect(logs[1]?.text).toContain("further lines were dropped");
  });

  test("ends a step that ends itself", async () => {
    await expect(engine.run({ plan: looking("(call $proc_exit (i32.const 3))") })).rejects.toMatchObject({
      code: "GuestTrapped",
      message: "plan: it ended itself with code 3, which a step does not do",
    });
  });

  test("is imported under its own types, or not at all", async () => {
    const wrong = wasm(
      `(module (import ${SYSTEM} "random_get" (func (param i64 i32) (result i32))) (func (export "plan") (result i32) (i32.const 0)))`,
    );
    await expect(engine.inspect(wrong)).rejects.toMatchObject({
      code: "ArtifactInvalid",
      message: expect.stringContaining("random_get as i64 i32 -> i32, and it is i32 i32 -> i32"),
    });
    const unknown = wasm(
      `(module (import ${SYSTEM} "thread_spawn" (func)) (func (export "plan") (result i32) (i32.const 0)))`,
    );
    await expect(engine.inspect(unknown)).rejects.toMatchObject({ code: "ArtifactInvalid" });
    expect(Object.keys(WASI_FUNCTIONS)).toHaveLength(46);
  });

  test("costs the same fuel in every run", async () => {
    const module = looking(random + clock);
    const runs = [await engine.run({ plan: module }), await engine.run({ plan: module })];
    expect(runs[0]?.fuel).toEqual(runs[1]?.fuel);
    expect(runs[0]?.fuel.plan).toBeGreaterThan(0);
  });
});
