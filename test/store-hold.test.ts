import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { iterate, type Engine } from "../host/loop/index.ts";
import type { Scaling } from "../host/policy/index.ts";
import { simulate } from "../host/simulator/index.ts";
import { openStore } from "../host/store/index.ts";
import { guardrails, policy } from "./builders.ts";

/** An algorithm that wants what it was last told to want. */
function wanting() {
  const said = { want: 4 };
  const answer = () => `{"nodes":{"split":{"parallelism":${said.want}}}}`;
  const done = { carry: undefined, logs: [], cpuMs: 1, fuel: {}, journal: {}, bodies: new Map() };
  const engine: Engine = { run: async () => ({ answers: { plan: answer() }, ...done }) };
  return { said, engine };
}

const rates = [{ type: "Percent", value: 1_000, periodSeconds: 15 }] as const;
const up: Scaling = { windowSeconds: 0, select: "Max", rates, tolerance: 0 };
const down: Scaling = { ...up, rates: [{ type: "Pods", value: 9, periodSeconds: 120 }] };

test("after the newest pass was found corrupt nothing shrinks before the longest window has passed, and then it does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-hold-"));
  const file = join(folder, "knowledge.db");
  const clock = { at: Date.parse("2026-01-01T00:00:00Z"), now: () => new Date(clock.at) };
  const { said, engine } = wanting();
  const faults: string[] = [];
  const report = ({ code }: { code: string }) => faults.push(code);
  const around = { clock, engine, ...simulate({ clock }) };
  const of = policy({
    guardrails: guardrails({ behavior: { up, down, arithmetic: "Exact", isPlain: false } }),
  });
  const granted = async (store: Awaited<ReturnType<typeof openStore>>) => {
    const { decision } = await iterate(of, { ...around, store });
    return decision?.verdicts.map((one) => [one.granted, ...one.reasons])[0];
  };

  const before = await openStore({ file, clock });
  expect(await granted(before)).toEqual([4]);
  await before.close();
  const database = new DatabaseSync(file);
  database.exec("UPDATE iterations SET body = replace(body, 'parallelism', 'parallelisn')");
  database.close();

  const after = await openStore({ file, clock, report });
  said.want = 2;
  clock.at += 15_000;
  expect(await granted(after)).toEqual([4, "WindowUnknown"]);
  clock.at += 119_000;
  expect(await granted(after)).toEqual([4, "WindowUnknown"]);
  clock.at += 1_000;
  expect(await granted(after)).toEqual([2]);
  expect(faults).toEqual(["KnowledgeCorrupt"]);
  await after.close();
  await rm(folder, { recursive: true });
});
