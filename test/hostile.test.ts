import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bed, rssMb, type Bed } from "./engine/bed.ts";
import { ELSEWHERE } from "./hostile/elsewhere.ts";
import type { Hostile } from "./hostile/hostile.ts";
import { watchLoop } from "./hostile/loop.ts";
import { HOSTILE } from "./hostile/table.ts";
import { answering } from "./hostile/wat.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const TIMES = 3;

/** Fifty policies of five other tenants, whose algorithms go on without a pause. */
class Healthy {
  readonly wrong: unknown[] = [];
  passes = 0;
  readonly #engine: Bed;
  readonly #policies = Array.from({ length: 50 }, (_, at) => {
    const plan = JSON.stringify({ nodes: { count: { parallelism: at } } });
    return { tenant: `healthy-${at % 5}`, plan, module: answering({ plan }) };
  });
  #over = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(engine: Bed) {
    this.#engine = engine;
  }

  async round(): Promise<void> {
    await Promise.all(
      this.#policies.map(async ({ tenant, plan, module }) => {
        const { answers } = await this.#engine.run({ plan: module }, { tenant });
        if (answers.plan !== plan) this.wrong.push(answers.plan);
        this.passes += 1;
      }),
    );
  }

  begin(): void {
    const go = async () => {
      while (!this.#over) await this.round().then(() => sleep(20));
    };
    this.#ended = go().catch((fault: unknown) => void this.wrong.push(fault));
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#ended;
  }
}

const modules = new Map<Hostile, Uint8Array>(HOSTILE.map((one) => [one, one.module()]));
let engine: Bed;
let healthy: Healthy;
let operatorMb = 0;

beforeAll(async () => {
  engine = await bed();
  healthy = new Healthy(engine);
  await healthy.round();
  for (const module of modules.values()) engine.add(module);
  collect();
  operatorMb = rssMb(process.pid);
  healthy.begin();
});
afterAll(() => engine[Symbol.asyncDispose]());

type Said =
  | { readonly answer: string | undefined; readonly fuel: number | undefined }
  | { readonly code: string; readonly message: string };

/** What becomes of it in a process that has not seen it before, and how late the operator's event loop was over it. */
async function verdictOf(one: Hostile, tenant: string): Promise<{ said: Said; lateMs: number }> {
  const late = watchLoop();
  // Others work on this machine too: the clock that counts is that of the processor.
  const options = { tenant, wallMs: 10_000, ...one.options };
  const said = await engine.run({ plan: modules.get(one) ?? new Uint8Array() }, options).then(
    ({ answers, fuel }) => ({ answer: answers.plan, fuel: fuel.plan }),
    ({ code, message }: { code: string; message: string }) => ({ code, message }),
  );
  return { said, lateMs: late() };
}

/** Whether it is the verdict; if not, what it is instead. */
const judged = (said: Said, { verdict }: Hostile): true | Said => {
  const fits =
    "code" in said
      ? !("answer" in verdict) && said.code === verdict[0] && said.message.includes(verdict[1])
      : "answer" in verdict && said.answer === verdict.answer;
  return fits || said;
};
/** The clock's verdicts name what was measured; all others are the same to the letter, and in their fuel. */
const lettersOf = (said: Said): string =>
  "code" in said && said.code === "DeadlineExceeded" ? said.code : JSON.stringify(said);

describe("a hostile module, three times in three processes, beside fifty healthy policies", () => {
  test.each(HOSTILE.map((one) => [`${one.id} ${one.does}`, one] as const))("%s", async (_name, one) => {
    const runs = [];
    for (let at = 0; at < TIMES; at += 1) runs.push(await verdictOf(one, `hostile-${at}`));
    expect(runs.map(({ said }) => judged(said, one))).toEqual([true, true, true]);
    expect([...new Set(runs.map(({ said }) => lettersOf(said)))]).toHaveLength(1);
    // What a guest does to the operator's event loop, it does every time.
    expect(Math.min(...runs.map(({ lateMs }) => lateMs))).toBeLessThan(50);
    expect(healthy.wrong).toEqual([]);
  });
});

describe("after all of them", () => {
  test("every healthy policy had its own answer, in every pass", async () => {
    await healthy.end();
    expect(healthy.wrong).toEqual([]);
    // Fifty before the first, and at least as many beside them.
    expect(healthy.passes).toBeGreaterThan(100);
  });

  test("the operator has not grown by 20 MB", () => {
    collect();
    expect(rssMb(process.pid) - operatorMb).toBeLessThan(20);
  });

  test("no object of the operator has a property that a guest gave it", () => {
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("the modules were at least 200, and everything else of the catalogue has its place", () => {
    expect(HOSTILE.length).toBeGreaterThanOrEqual(200);
    for (const [ids, what, ...files] of ELSEWHERE)
      for (const file of files)
        expect(existsSync(resolve(import.meta.dirname, "..", file)), `${ids} ${what}: ${file}`).toBe(true);
  });
});
