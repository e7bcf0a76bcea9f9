import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bed, processes, rssMb, type Bed } from "./engine/bed.ts";
import { answering, doing, imported, wasm } from "./hostile/wat.ts";

const plan = '{"nodes":{}}';
const good = answering({ plan });

let engine: Bed;
beforeAll(async () => {
  engine = await bed();
  await engine.run({ plan: good });
});
afterAll(() => engine[Symbol.asyncDispose]());

/** What becomes of a hostile module, while another tenant's is asked every few milliseconds. */
async function beside(module: Uint8Array, options: { cpuMs?: number; fuel?: number } = {}) {
  let over = false;
  const verdict = engine
    .run({ plan: module }, { tenant: "hostile", ...options })
    .then(
      () => "ran",
      (fault: { code: string; message: string }) => fault,
    )
    .finally(() => (over = true));
  let healthy = 0;
  while (!over || healthy === 0) {
    expect((await engine.run({ plan: good }, { tenant: "team-a" })).answers.plan).toBe(plan);
    healthy += 1;
  }
  return verdict;
}

const grown = (pages: number) => `(drop (memory.grow (i32.const ${pages})))`;

describe("a hostile module ends in its own fault, while another tenant goes on", () => {
  test("an unknown import, in about 100 bytes", async () => {
    const module = wasm(
      '(module (import "env" "system" (func)) (memory (export "memory") 1) (func (export "plan") (result i32) (i32.const 0)))',
    );
    expect(module.length).toBeLessThan(110);
    expect(await beside(module)).toMatchObject({
      code: "ArtifactInvalid",
      message: expect.stringContaining("env.system"),
    });
  });

  test.each([
    ["a prototype as an import", '(import "__proto__" "x" (func))'],
    ["a memory as an import", '(import "extism:host/env" "memory" (memory 1))'],
    ["WASI", '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'],
  ])("%s", async (_what, text) => {
    const module = wasm(`(module ${text} (func (export "plan") (result i32) (i32.const 0)))`);
    expect(await beside(module)).toMatchObject({ code: "ArtifactInvalid" });
  });

  test.each([
    ["no bytes", new Uint8Array()],
    ["a page of HTML", Buffer.from("<!doctype html><title>404</title>")],
    ["an ELF binary", Buffer.from("\u007fELF\u0002\u0001\u0001\u0000aaaaaaaaaaaa", "latin1")],
    ["a component", Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])],
    ["a truncated module", good.slice(0, good.length - 9)],
    ["no step", wasm('(module (func (export "run")))')],
    ["a step that is no function", wasm('(module (memory (export "plan") 1))')],
  ])("%s instead of an algorithm", async (_what, bytes) => {
    expect(await beside(bytes)).toMatchObject({ code: "ArtifactInvalid" });
  });

  test("an endless loop, with the same verdict every time", async () => {
    expect(await beside(doing("(loop $l (br $l))"))).toMatchObject({
      code: "FuelExhausted",
      message: "plan burned more than its 50000000 units of fuel",
    });
  });

  test("an endless loop that has fuel for ever, within a quarter of a second of processor time", async () => {
    const before = Date.now();
    expect(await beside(doing("(loop $l (br $l))"), { fuel: 1e12 })).toMatchObject({
      code: "DeadlineExceeded",
      message: expect.stringMatching(
        /^plan (used \d+ ms of processor time, and may use 250 ms$|was still running after \d+ ms)/,
      ),
    });
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  test("an endless loop while it is instantiated", async () => {
    const module = doing("", "", "(func $start (loop $l (br $l))) (start $start)");
    expect(await beside(module)).toMatchObject({ code: "FuelExhausted" });
  });

  test("a memory bomb, without any process growing by much more than the limit", async () => {
    const bomb = doing(`(local $page i32) (loop $more ${grown(1)}
      (local.set $page (memory.size)) (i32.store (i32.mul (i32.sub (local.get $page) (i32.const 1)) (i32.const 65536)) (i32.const 1)) (br_if $more (i32.lt_u (local.get $page) (i32.const 60000)) ))`);
    const operator = rssMb(process.pid);
    // What is refused costs nothing but the call: it asks on until its fuel is burned.
    expect(await beside(bomb)).toMatchObject({ code: "FuelExhausted" });
    expect(rssMb(process.pid) - operator).toBeLessThan(20);
    for (const { pid } of processes()) expect(rssMb(pid)).toBeLessThan(250);
  });

  test("a memory that is refused to grow, when the algorithm gives up over it", async () => {
    const greedy = doing(
      `(local $got i32) (loop $more (local.set $got (memory.grow (i32.const 1))) (br_if $more (i32.ge_s (local.get $got) (i32.const 0)))) unreachable`,
    );
    expect(await beside(greedy)).toMatchObject({ code: "MemoryExceeded" });
  });

  test("a module that asks for 4 GiB to begin with", async () => {
    expect(
      await beside(
        wasm('(module (memory (export "memory") 65536) (func (export "plan") (result i32) (i32.const 0)))'),
      ),
    ).toMatchObject({ code: "ArtifactInvalid" });
  });

  test("two thousand blocks of a mebibyte", async () => {
    const module = doing(
      "(local $i i32) (loop $more (drop (call $alloc (i64.const 1048576))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 2000))))",
      imported("alloc", "(param i64) (result i64)"),
    );
    expect(await beside(module)).toMatchObject({ code: "MemoryExceeded" });
  });

  test.each([
    [
      "a million blocks of a byte",
      "(local $i i32) (loop $more (drop (call $alloc (i64.const 1))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $more (i32.lt_u (local.get $i) (i32.const 1000000))))",
    ],
    ["a block of eight petabytes", "(drop (call $alloc (i64.const 9007199254740992)))"],
    ["a block of a negative size", "(drop (call $alloc (i64.const -1)))"],
  ])("%s", async (_what, body) => {
    expect(await beside(doing(body, imported("alloc", "(param i64) (result i64)")))).toMatchObject({
      code: "MemoryExceeded",
    });
  });

  test("a number that is none, in the place of a block's size", async () => {
    const module = doing(
      "(drop (call $alloc (f64.const nan))) (drop (call $alloc (f64.const nan)))",
      imported("alloc", "(param f64) (result i64)"),
    );
    expect(await beside(module)).toMatchObject({
      code: "ArtifactInvalid",
      message: expect.stringContaining(
        "it imports extism:host/env.alloc as f64 -> i64, and it is i64 -> i64",
      ),
    });
  });

  test("a trap in a large memory is a trap, not a lack of memory", async () => {
    const module = wasm(
      '(module (memory (export "memory") 250) (func (export "plan") (result i32) unreachable))',
    );
    expect(await beside(module)).toMatchObject({ code: "GuestTrapped" });
  });

  test("names by the hundred, each as long as it may be", async () => {
    const names = Array.from({ length: 900 }, (_, at) => `(export "${at}${"x".repeat(1_000)}" (func $f))`);
    const { exports } = await engine.inspect(
      wasm(`(module (func $f (result i32) (i32.const 0)) (export "plan" (func $f)) ${names.join(" ")})`),
    );
    expect(exports).toHaveLength(200);
    expect(exports.every((name) => name.length <= 128)).toBe(true);
  });

  test("a trap", async () => {
    expect(await beside(doing("unreachable"))).toMatchObject({
      code: "GuestTrapped",
      message: "plan trapped: unreachable",
    });
  });

  test("endless recursion", async () => {
    expect(
      await beside(
        doing("(drop (call $deep))", "", "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))"),
      ),
    ).toMatchObject({ code: "StackExceeded" });
  });

  test("a data segment out of range", async () => {
    expect(await beside(doing("", "", '(data (i32.const 70000) "x")'))).toMatchObject({
      code: "GuestTrapped",
    });
  });

  test("a return code that is not zero, and no error", async () => {
    expect(await beside(wasm('(module (func (export "plan") (result i32) (i32.const 7)))'))).toMatchObject({
      code: "GuestFailed",
      message: "plan returned 7 and no error",
    });
  });

  test.each([
    ["no answer", doing("")],
    ["an answer that is not JSON", answering({ plan: "5 replicas" })],
    ["a list", answering({ plan: "[]" })],
    ["an answer of a depth of 33", answering({ plan: `${'{"a":'.repeat(33)}1${"}".repeat(33)}` })],
    ["a carry above 16 KiB", answering({ plan: `{"carry":"${"x".repeat(17_000)}"}` })],
    [
      "bytes that are not UTF-8",
      wasm(`(module ${imported("alloc", "(param i64) (result i64)")} ${imported("store_u8", "(param i64 i32)")} ${imported("output_set", "(param i64 i64)")}
      (func (export "plan") (result i32) (local $b i64) (local.set $b (call $alloc (i64.const 1))) (call $store_u8 (local.get $b) (i32.const 255)) (call $output_set (local.get $b) (i64.const 1)) (i32.const 0)))`),
    ],
    [
      "half a mebibyte",
      doing(
        "(call $output_set (call $alloc (i64.const 524288)) (i64.const 524288))",
        `${imported("alloc", "(param i64) (result i64)")} ${imported("output_set", "(param i64 i64)")}`,
      ),
    ],
  ])("%s", async (_what, module) => {
    expect(await beside(module)).toMatchObject({ code: "OutputInvalid" });
  });

  test("an answer in a block that was given back", async () => {
    const module = doing(
      "(local $b i64) (local.set $b (call $alloc (i64.const 8))) (call $free (local.get $b)) (call $output_set (local.get $b) (i64.const 8))",
      `${imported("alloc", "(param i64) (result i64)")} ${imported("free", "(param i64)")} ${imported("output_set", "(param i64 i64)")}`,
    );
    expect(await beside(module)).toMatchObject({ code: "GuestTrapped" });
  });

  test("an HTTP request, whatever it does afterwards", async () => {
    const module = doing(
      "(drop (call $http_request (i64.const 0) (i64.const 0)))",
      imported("http_request", "(param i64 i64) (result i64)"),
    );
    expect(await beside(module)).toMatchObject({ code: "EffectDenied" });
  });

  test("a variable that would survive the call", async () => {
    expect(
      await beside(
        doing("(call $var_set (i64.const 0) (i64.const 0))", imported("var_set", "(param i64 i64)")),
      ),
    ).toMatchObject({ code: "EffectDenied" });
  });

  test("an input above a mebibyte is refused before the algorithm sees it", async () => {
    const texts = { sources: JSON.stringify("x".repeat(1_100_000)) };
    await expect(engine.run({ plan: good }, { texts })).rejects.toMatchObject({ code: "InputTooLarge" });
  });
});
