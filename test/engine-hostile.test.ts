import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bed, processes, rssMb, type Bed } from "./engine/bed.ts";
import { answering, doing, wasm } from "./hostile/wat.ts";

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

// Which fault each hostile module ends in is a table of its own: test/hostile.test.ts.
describe("a hostile module, while another tenant goes on,", () => {
  test("that loops and has fuel for ever ends within a quarter of a second of processor time", async () => {
    const before = Date.now();
    expect(await beside(doing("(loop $l (br $l))"), { fuel: 1e12 })).toMatchObject({
      code: "DeadlineExceeded",
      message: expect.stringMatching(
        /^plan (used \d+ ms of processor time, and may use 250 ms$|was still running after \d+ ms)/,
      ),
    });
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  test("that is a memory bomb ends without any process growing by much more than the limit", async () => {
    const bomb = doing(`(local $page i32) (loop $more ${grown(1)}
      (local.set $page (memory.size)) (i32.store (i32.mul (i32.sub (local.get $page) (i32.const 1)) (i32.const 65536)) (i32.const 1)) (br_if $more (i32.lt_u (local.get $page) (i32.const 60000)) ))`);
    const operator = rssMb(process.pid);
    // What is refused costs nothing but the call: it asks on until its fuel is burned.
    expect(await beside(bomb)).toMatchObject({ code: "FuelExhausted" });
    expect(rssMb(process.pid) - operator).toBeLessThan(20);
    for (const { pid } of processes()) expect(rssMb(pid)).toBeLessThan(250);
  });

  test("that has names by the hundred, each as long as it may be, is told of in as many as are read", async () => {
    const names = Array.from({ length: 900 }, (_, at) => `(export "${at}${"x".repeat(1_000)}" (func $f))`);
    const { exports } = await engine.inspect(
      wasm(`(module (func $f (result i32) (i32.const 0)) (export "plan" (func $f)) ${names.join(" ")})`),
    );
    expect(exports).toHaveLength(200);
    expect(exports.every((name) => name.length <= 128)).toBe(true);
  });

  test("an input above a mebibyte is refused before the algorithm sees it", async () => {
    const texts = { sources: JSON.stringify("x".repeat(1_100_000)) };
    await expect(engine.run({ plan: good }, { texts })).rejects.toMatchObject({ code: "InputTooLarge" });
  });
});
