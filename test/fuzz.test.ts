import { describe, expect, test } from "vitest";
import { campaign, tried } from "./fuzz/campaign.ts";
import { readEntries, trialOf } from "./fuzz/corpus.ts";
import { compareModules } from "./fuzz/modules/campaign.ts";
import { compare, differences } from "./fuzz/modules/compare.ts";
import { readModules } from "./fuzz/modules/pack.ts";
import { run } from "./fuzz/modules/run.ts";
import { pollution } from "./fuzz/rules.ts";
import { decode } from "../host/engine/admission/module.ts";
import { wasm } from "./hostile/wat.ts";

const plan = async (text: string, stage = 1) =>
  (await tried({ output: Buffer.from(text, "utf8"), step: "plan", stage })).verdict;

describe("what plugins answer", () => {
  test("20,000 hostile answers of seed 1 break no rule: no number outside its limits, no crash, nothing polluted", async () => {
    const result = await campaign({ seed: 1, trials: 20_000 });
    expect(result.found).toEqual([]);
    expect(result.trials).toBe(20_000);
    // A fuzzer that is refused at the door tests the door: many get through, and each guardrail is met.
    const scaled = [...result.verdicts.keys()].filter((verdict) => verdict.startsWith("Scaled"));
    for (const reason of ["OutOfBounds", "TotalExceeded", "AboveCeiling", "ZeroNotAllowed"])
      expect(scaled.filter((verdict) => verdict.includes(reason)).length).toBeGreaterThan(0);
  }, 120_000);

  test("the same seed makes the same answers and the same verdicts", async () => {
    const [one, again, other] = [
      await campaign({ seed: 7, trials: 500 }),
      await campaign({ seed: 7, trials: 500 }),
      await campaign({ seed: 8, trials: 500 }),
    ];
    expect(again.digest).toBe(one.digest);
    expect(other.digest).not.toBe(one.digest);
  });

  test("every answer that once reached something new still comes to the same", async () => {
    const entries = readEntries();
    expect(entries.length).toBeGreaterThan(100);
    const changed: string[] = [];
    for (const entry of entries) {
      const { verdict, broken } = await tried(trialOf(entry));
      if (verdict !== entry.verdict || broken.length > 0)
        changed.push(`${entry.text ?? entry.base64}: ${verdict}, not ${entry.verdict} ${broken.join()}`);
    }
    expect(changed).toEqual([]);
  });

  test.each([
    [
      "infinity by overflow",
      '{"nodes":{"split":{"parallelism":1e400}}}',
      "OutputInvalid: 3 deep: must be a whole number",
    ],
    [
      "2^53+1",
      '{"nodes":{"split":{"parallelism":9007199254740993}}}',
      "OutputInvalid: 3 deep: must be at most #",
    ],
    ["NaN", '{"nodes":{"split":{"parallelism":NaN}}}', "OutputInvalid: it is not JSON"],
    ["a byte order mark", '\uFEFF{"nodes":{}}', "OutputInvalid: it is not JSON"],
    ["a prototype", '{"nodes":{"__proto__":{"parallelism":1}}}', "OutputInvalid: it is not JSON"],
    ["one in disguise", '{"nodes":{"\\u005f_proto__":{"parallelism":1}}}', "OutputInvalid: it is not JSON"],
    [
      "a method",
      '{"nodes":{"toString":{"parallelism":1}}}',
      "OutputInvalid: 2 deep: the topology has no such node",
    ],
    [
      "33 levels",
      `{"carry":${"[".repeat(32)}${"]".repeat(32)}}`,
      "OutputInvalid: it is nested more than # deep",
    ],
    [
      "more than 256 KiB",
      `{"nodes":{}${" ".repeat(256 * 1_024)}}`,
      "OutputInvalid: it has # bytes, more than #",
    ],
    [
      "a name twice",
      '{"nodes":{"split":{"parallelism":9},"split":{"parallelism":3}}}',
      "Unchanged, wants some",
    ],
  ])("an answer with %s comes to what it should", async (_what, text, verdict) => {
    expect(await plan(text)).toBe(verdict);
  });

  test("a name added to a prototype would be noticed, and one that was replaced too", () => {
    expect(pollution()).toEqual([]);
    Reflect.defineProperty(Object.prototype, "polluted", { value: 1, configurable: true });
    expect(pollution()).toEqual(["polluted"]);
    Reflect.deleteProperty(Object.prototype, "polluted");
    const at = Object.getOwnPropertyDescriptor(Array.prototype, "at") ?? {};
    Reflect.defineProperty(Array.prototype, "at", { ...at, value: () => 1 });
    expect(pollution(true)).toEqual(["at"]);
    Reflect.defineProperty(Array.prototype, "at", at);
    expect(pollution(true)).toEqual([]);
  });
});

describe("modules", () => {
  const result = compareModules({ seed: 1, mutants: 4_000, modules: readModules() });
  const times = (start: string) =>
    [...result.verdicts].reduce((all, [verdict, one]) => (verdict.startsWith(start) ? all + one : all), 0);

  test("of 650 generated ones and 4,000 mutants, each that is accepted is valid and does the same when it is metered", () => {
    expect(result.found).toEqual([]);
    expect(result.trials).toBe(4_650);
    expect(times("accepted, the same")).toBeGreaterThan(500);
    expect(times("accepted, ended by fuel")).toBeGreaterThan(50);
    expect(times("refused")).toBeGreaterThan(1_000);
  });

  test("none that the generator made of accepted features is refused", () => {
    const refused = readModules()
      .slice(0, 420)
      .map((module) => compare(module, 1).verdict)
      .filter((verdict) => verdict.startsWith("refused"));
    expect(refused).toEqual([]);
  });

  test.each([
    ["another result", '(func (export "f") (result i32) (i32.const 2))', "call 1: f: 1, and was f: 2"],
    [
      "another trap",
      '(func (export "f") (result i32) (unreachable))',
      "call 1: f: 1, and was f: RuntimeError: unreachable",
    ],
    [
      "another byte in memory",
      '(memory (export "m") 1) (func (export "f") (result i32) (i32.store8 (i32.const 9) (i32.const 1)) (i32.const 1))',
      "memory of 0, and was 65536",
    ],
    [
      "another global",
      '(global (export "g") i32 (i32.const 5)) (func (export "f") (result i32) (i32.const 1))',
      "globals: 0, and were 1",
    ],
  ])("that differ in %s are told apart", (_what, other, difference) => {
    const [one, two] = ['(func (export "f") (result i32) (i32.const 1))', other].map((text) => {
      const bytes = wasm(`(module ${text})`);
      return run(bytes, decode(bytes), 1, 1n);
    });
    expect(one && two && differences(one, two)).toEqual([difference]);
  });
});
