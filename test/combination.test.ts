import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parsePolicy, tenantKey } from "../host/policy/index.ts";
import { LIMITS } from "../host/tenant/index.ts";
import { compile } from "../launcher/build/compile.ts";
import { builtAlgorithm } from "./built-algorithm.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";

const PAGE = resolve(import.meta.dirname, "../docs/how-to/combine-algorithms.md");
/** A monitor of somebody's own: how many sources say something. */
const MONITOR = `
import { answer, Fields, read } from "@sluice/pdk";

export function monitor(): i32 {
  return answer(new Fields().number("sources", read().value.object("sources").keys().length));
}
`;

let engine: Bed;
let modules: { readonly monitor: Uint8Array; readonly analyze: Uint8Array; readonly plan: Uint8Array };
let policy: object;
beforeAll(async () => {
  const bytesOf = async (name: string) => new Uint8Array(await readFile(await builtAlgorithm(name)));
  modules = {
    monitor: (await compile({ text: MONITOR })).wasm,
    analyze: await bytesOf("holt-winters"),
    plan: await bytesOf("ds2"),
  };
  const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(await readFile(join(PAGE), "utf8")) ?? [];
  policy = parse(text) as object;
  engine = await bed();
}, 300_000);
afterAll(() => engine?.[Symbol.asyncDispose]());

const config = () => (policy as { spec: { algorithm: { config: object } } }).spec.algorithm.config;

/** What arrives at `read` in the last minutes, oldest first; it passes on what it gets, and `split` does 100/s an instance. */
const texts = (...rates: readonly number[]) => {
  const at = (minutes: number) =>
    new Date(Date.parse("2026-11-22T10:00:00.000Z") - minutes * 60_000).toISOString();
  const arrivals = (rate: number) => ({ arrivals: valuesOf(sampleOf("read", rate)) });
  const now = rates.at(-1) ?? 0;
  const input = inputOf({
    topology: { nodes: [nodeOf("read", 1), nodeOf("split", 4)], edges: [{ from: "read", to: "split" }] },
    sources: {
      ...arrivals(now),
      "true-processing": valuesOf(sampleOf("read", 5_000), sampleOf("split", 400)),
      "true-output": valuesOf(sampleOf("read", 5_000), sampleOf("split", 400)),
    },
    history: rates
      .slice(0, -1)
      .map((rate, index) => ({
        at: at(rates.length - 1 - index),
        nodes: {},
        sources: arrivals(rate),
      }))
      .toReversed(),
    config: config() as Record<string, unknown>,
  });
  const fields = ["iteration", "policy", "topology", "sources", "history", "config"] as const;
  return Object.fromEntries(fields.map((field) => [field, JSON.stringify(input[field])]));
};

describe("a policy with a step of each of three artifacts", () => {
  test("is the one on the page, which is valid", () => {
    const parsed = parsePolicy({
      ...policy,
      metadata: { name: "clickstream", namespace: "team-a", uid: "u", generation: 1 },
    });
    expect(parsed).toMatchObject({ ok: true });
  });

  test("has a config that each of them takes", async () => {
    for (const module of [modules.analyze, modules.plan]) {
      const asked = {
        ...{ tenant: tenantKey("team-a"), digest: engine.add(module), memoryPages: LIMITS.memoryPages },
        config: JSON.stringify(config()),
      };
      expect(await engine.engine.checkConfig(asked)).toEqual([]);
    }
  });

  test("plans for what is expected, as the page says: 14 instances and not 12", async () => {
    const { answers } = await engine.run(modules, { texts: texts(1_000, 1_080, 1_160) });
    expect(JSON.parse(answers.monitor ?? "")).toEqual({ sources: 3 });
    expect(JSON.parse(answers.analyze ?? "")).toEqual({ nodes: { read: { forecast: 1_320, now: 1_160 } } });
    expect(JSON.parse(answers.plan ?? "")).toMatchObject({ nodes: { split: { parallelism: 14 } } });
  });

  test("plans for what is measured where nothing can be expected", async () => {
    const { answers } = await engine.run(modules, { texts: texts(1_160) });
    expect(JSON.parse(answers.analyze ?? "")).toEqual({ nodes: {} });
    expect(JSON.parse(answers.plan ?? "")).toMatchObject({ nodes: { split: { parallelism: 12 } } });
  });
});
