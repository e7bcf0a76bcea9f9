import { describe, expect, test } from "vitest";
import type { Perform } from "../host/engine/index.ts";
import { runRounds, type Question, type Round } from "../host/engine/rounds.ts";
import { effectText, readJournals, Suspended } from "../host/engine/sandbox/effects.ts";
import { compile } from "../host/engine/sandbox/module.ts";
import { runStep } from "../host/engine/sandbox/step.ts";
import { trap } from "../host/engine/sandbox/trap.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { asking, get, SAY, type Doing } from "./engine/asking.ts";
import { wasm } from "./hostile/wat.ts";

const limits = { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs };
const effects: Perform = async ({ url }) => ({
  status: 200,
  headers: {},
  body: Buffer.from(JSON.stringify({ url })),
});

/** Runs the plan step of a module here instead of in a process, and counts how often. */
async function rounds(bytes: Uint8Array, says: (round: Round) => Round = (round) => round) {
  const algorithm = compile(bytes);
  let runs = 0;
  const ask = async ({ texts }: Question): Promise<Round> => {
    runs += 1;
    const rest = { cpuMs: 10, used: { cpuMs: 10, wallMs: 1 } };
    try {
      const journal = readJournals(texts["journal"]).plan ?? [];
      const { text, logs } = runStep(algorithm, {
        step: "plan",
        input: "{}",
        fuel: 50_000_000,
        effects: { granted: true, journal },
      });
      return says({ texts: { plan: text, logs: JSON.stringify(logs) }, suspended: false, ...rest });
    } catch (thrown) {
      if (!(thrown instanceof Suspended)) throw thrown;
      return says({
        texts: { effect: effectText("plan", thrown.effect), logs: "[]" },
        suspended: true,
        ...rest,
      });
    }
  };
  const steps = [{ step: "plan", digest: "sha256:1" }] as const;
  const result = await runRounds({ steps, texts: {}, limits, effects }, ask);
  return { ...result, runs };
}
const planning = (doing: Doing) => asking({ plan: doing });

describe("a step with effects", () => {
  test.each([0, 1, 3, 8])("of %i runs once more than that, and every run is charged", async (times) => {
    const doing: Doing = (text) =>
      Array.from({ length: times }, (_none, at) => get(text, `/${at}`)).join("") +
      `(call $say ${text("{}")})`;
    const { runs, cpuMs, answers } = await rounds(planning(doing));
    expect(runs).toBe(times + 1);
    expect(cpuMs).toBe(10 * (times + 1));
    expect(answers.plan).toBe("{}");
  });

  test("cannot catch what the host ends it with, as it could catch what JavaScript throws", () => {
    const caught = (end: () => never) => {
      const bytes = wasm(
        `(module (import "" "end" (func $end)) (global $caught (export "caught") (mut i32) (i32.const 0))
          (func (export "run") (try (do (call $end)) (catch_all (global.set $caught (i32.const 1))))))`,
        { exceptions: true },
      );
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes.slice()), { "": { end } });
      const { run, caught: flag } = instance.exports as unknown as {
        run: () => void;
        caught: { value: number };
      };
      try {
        run();
      } catch {
        // What it could not catch.
      }
      return flag.value;
    };
    const thrown = () => {
      throw new Error("caught");
    };
    expect(caught(thrown)).toBe(1);
    expect(caught(trap)).toBe(0);
  });

  test("that asks for its headers without end meets the limit of blocks", async () => {
    const doing: Doing = (text) => get(text, "/a") + `(loop $l (drop (call $http_headers)) (br $l))`;
    await expect(rounds(planning(doing))).rejects.toMatchObject({ code: "MemoryExceeded" });
  });
});

describe("a sandbox that was taken over is not believed", () => {
  const lost = { code: "SandboxLost", retry: true };
  const once = planning((text) => get(text, "/a") + SAY);
  const effect = (fields: object) =>
    JSON.stringify({ step: "plan", kind: "http", request: "e30=", body: "", ...fields });
  const saying = (texts: Record<string, string>) =>
    rounds(once, (round) => ({ ...round, texts, suspended: true }));

  test.each([
    ["a step that was not asked", effect({ step: "monitor" })],
    ["a step that there is none of", effect({ step: "__proto__" })],
    ["a kind that there is none of", effect({ kind: "file" })],
    ["a request of more than 64 KiB", effect({ request: Buffer.alloc(65_537).toString("base64") })],
    ["something that is no effect", "[]"],
    ["something that is no JSON", "{"],
  ])("when it waits for %s", async (_what, text) => {
    await expect(saying({ effect: text })).rejects.toMatchObject(lost);
  });

  test("when it waits for nothing, or ends without an answer", async () => {
    await expect(saying({})).rejects.toMatchObject(lost);
    const ending = rounds(once, (round) => ({ ...round, texts: { logs: "[]" }, suspended: false }));
    await expect(ending).rejects.toMatchObject(lost);
  });
});
