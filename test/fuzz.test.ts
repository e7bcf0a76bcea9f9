import { describe, expect, test } from "vitest";
import { campaign, tried } from "./fuzz/campaign.ts";
import { readEntries, trialOf } from "./fuzz/corpus.ts";
import { pollution } from "./fuzz/rules.ts";

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
    ['{"nodes":{"split":{"parallelism":1e400}}}', "OutputInvalid: 3 deep: must be a whole number"],
    ['{"nodes":{"split":{"parallelism":9007199254740993}}}', "OutputInvalid: 3 deep: must be at most #"],
    ['{"nodes":{"split":{"parallelism":NaN}}}', "OutputInvalid: it is not JSON"],
    ['\uFEFF{"nodes":{}}', "OutputInvalid: it is not JSON"],
    ['{"nodes":{"__proto__":{"parallelism":1}}}', "OutputInvalid: it is not JSON"],
    ['{"nodes":{"\\u005f_proto__":{"parallelism":1}}}', "OutputInvalid: it is not JSON"],
    ['{"nodes":{"toString":{"parallelism":1}}}', "OutputInvalid: 2 deep: the topology has no such node"],
    [
      `{"nodes":{},"carry":${"[".repeat(32)}${"]".repeat(32)}}`,
      "OutputInvalid: it is nested more than # deep",
    ],
    [`{"nodes":{}${" ".repeat(256 * 1_024)}}`, "OutputInvalid: it has # bytes, more than #"],
    ['{"nodes":{"split":{"parallelism":9},"split":{"parallelism":3}}}', "Unchanged, wants some"],
  ])("%.60s comes to: %s", async (text, verdict) => {
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
