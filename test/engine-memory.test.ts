import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bed, type Bed } from "./engine/bed.ts";
import { answering, doing } from "./hostile/wat.ts";
import { tenantKey } from "../host/policy/index.ts";

let engine: Bed;
beforeAll(async () => {
  engine = await bed();
});
afterAll(() => engine[Symbol.asyncDispose]());

/** Begins with one page, asks for so many more at once, and traps unless it is given them. */
const growing = (pages: number) =>
  doing(`(if (i32.lt_s (memory.grow (i32.const ${pages})) (i32.const 0)) (then unreachable))`);
/** What it comes to, and the fuel that it burned. */
const verdict = (module: Uint8Array, memoryPages?: number, tenant = "team-a") =>
  engine.run({ plan: module }, { tenant, ...(memoryPages === undefined ? {} : { memoryPages }) }).then(
    () => "answered",
    ({ code, message, done }: { code: string; message: string; done: { fuel: { plan?: number } } }) =>
      `${code}: ${message} (${done.fuel.plan})`,
  );
const NO_ANSWER = "OutputInvalid: The answer of plan cannot be used: it gave no answer";
const full = (kib: number) =>
  `MemoryExceeded: plan needs more than the ${kib} KiB of memory that it may have`;

describe("a limit on memory", () => {
  test.each([
    ["two pages", 2, 1, 128],
    ["as much as everybody has", undefined, 255, 16_384],
    ["as much as a Tenant may grant", 1_024, 1_023, 65_536],
  ])("of %s is given whole, and not a page more", async (_what, memoryPages, more, kib) => {
    expect(await verdict(growing(more), memoryPages)).toContain(NO_ANSWER);
    expect(await verdict(growing(more + 1), memoryPages)).toContain(full(kib));
  });

  test("is exceeded in the same words and with the same fuel every time, in every process", async () => {
    const runs = ["team-a", "team-a", "team-b"].map((tenant) => verdict(growing(400), 3, tenant));
    const [first, ...others] = await Promise.all(runs);
    expect(first).toContain(full(192));
    expect(others).toEqual([first, first]);
  });

  test("is why a guest gives up that goes on for a while after it was refused", async () => {
    const late = doing("(drop (memory.grow (i32.const 9))) (drop (i32.load (i32.const 131072)))");
    expect(await verdict(late, 2)).toContain(full(128));
  });

  test("is no reason where nothing was refused, or where the module itself wanted no more", async () => {
    const within = doing("(drop (memory.grow (i32.const 1))) unreachable");
    expect(await verdict(within, 2)).toMatch(/^GuestTrapped/);
    const plan = '{"nodes":{}}';
    const content = answering({ plan }, "(func $more (drop (memory.grow (i32.const 9)))) (start $more)");
    expect((await engine.run({ plan: content }, { memoryPages: 2 })).answers.plan).toBe(plan);
  });

  test("below what a module begins with refuses it, by that figure", async () => {
    const two = engine.add(answering({ plan: `"${"x".repeat(70_000)}"` }));
    const inspect = (memoryPages: number) =>
      engine.engine.inspect({ tenant: tenantKey("team-a"), digest: two, memoryPages });
    await expect(inspect(1)).rejects.toMatchObject({
      code: "ArtifactInvalid",
      message: "The module cannot be used: its memory is 2 pages from the start, more than 1",
    });
    expect((await inspect(2)).steps).toEqual(["plan"]);
  });

  test("of one policy is not that of another that runs the same module in the same process", async () => {
    await using own = await bed(1);
    const module = growing(3);
    const once = (memoryPages: number) =>
      own.run({ plan: module }, { memoryPages }).catch(({ code }: { code: string }) => code);
    for (const [pages, code] of [
      [2, "MemoryExceeded"],
      [4, "OutputInvalid"],
      [2, "MemoryExceeded"],
      [4, "OutputInvalid"],
    ] as const)
      expect(await once(pages)).toBe(code);
  });
});
