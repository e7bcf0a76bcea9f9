import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asFault } from "../host/fault/index.ts";
import { buildAlgorithms } from "../launcher/build/algorithms.ts";
import {
  buildExamples,
  keptThreshold,
  LANGUAGES,
  type Examples,
  type Language,
} from "./conformance/build.ts";
import { INPUTS, type Texts } from "./conformance/inputs.ts";
import { world, type World } from "./engine/asking.ts";
import { bed, type Bed } from "./engine/bed.ts";
import { NoToolchain, NotComparable, sha256 } from "./guests/toolchain.ts";

/** What a step did, in its own words. */
interface Said {
  readonly answer?: string | undefined;
  readonly failed?: string;
  readonly logs: readonly string[];
}

/** What `limits.time: 1s` allows: Go needs it for a hundred nodes. */
const ROOM = { cpuMs: 1_000, fuel: 200e6 };

let engine: Bed;
let server: World;
let original: Uint8Array;
beforeAll(async () => {
  engine = await bed();
  server = await world();
  const file = (await buildAlgorithms()).find(({ name }) => name === "threshold")?.file ?? "";
  original = new Uint8Array(await readFile(file));
}, 120_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function said(module: Uint8Array, texts: Texts): Promise<Said> {
  try {
    const { answers, logs } = await engine.run({ plan: module }, { texts, ...ROOM });
    return { answer: answers.plan, logs: logs.map(({ level, text }) => `${level} ${text}`) };
  } catch (thrown) {
    return { failed: asFault(thrown).message, logs: [] };
  }
}

/** JavaScript as its PDK would run it, but for the module: no compiler of one can be had from a registry. */
async function inJavaScript(texts: Texts): Promise<Said> {
  const source = await readFile(
    resolve(import.meta.dirname, "../pdk/javascript/examples/threshold.js"),
    "utf8",
  );
  const input = Object.entries(texts).map(([name, text]) => `"${name}":${text}`);
  const logs: string[] = [];
  const seen: { answer?: string; module: { exports: { plan?: () => void } } } = { module: { exports: {} } };
  const Host = {
    inputString: () => `{"api":"sluice/v1","step":"plan",${input.join(",")}}`,
    outputString: (text: string) => void (seen.answer = text),
  };
  const console = { warn: (text: string) => void logs.push(`warn ${text}`) };
  runInNewContext(source, { Host, console, module: seen.module });
  try {
    seen.module.exports.plan?.();
    return { answer: seen.answer, logs };
  } catch (thrown) {
    return { failed: `plan: ${(thrown as Error).message}`, logs: [] };
  }
}

describe.each(LANGUAGES)("threshold written in %s", (language) => {
  let module: Uint8Array;
  beforeAll(async () => {
    module = new Uint8Array(await readFile(keptThreshold(language)));
  });

  test("is what its hash says", async () => {
    expect(`${sha256(module)}\n`).toBe(await readFile(`${keptThreshold(language)}.sha256`, "utf8"));
  });

  test.each(Object.entries(INPUTS))(
    "answers to %s, byte for byte, what the original answers",
    async (_what, texts) => {
      expect(await said(module, texts)).toEqual(await said(original, texts));
    },
  );
});

test.each(Object.entries(INPUTS))(
  "threshold written in JavaScript answers to %s as the original",
  async (_what, texts) => {
    expect(await inJavaScript(texts)).toEqual(await said(original, texts));
  },
);

test("the example in JavaScript is what the types say", () => {
  const words = [
    "--noEmit",
    "--allowJs",
    "--checkJs",
    "--strict",
    "--target",
    "es2022",
    "--lib",
    "es2022",
    "--types",
    "node",
  ];
  const { stdout, status } = spawnSync(
    "tsc",
    [...words, "--ignoreConfig", "pdk/javascript/examples/threshold.js"],
    {
      encoding: "utf8",
    },
  );
  expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
}, 60_000);

test("the inputs are answered with plans, with silence and with a failure", async () => {
  const answers = await Promise.all(Object.values(INPUTS).map((texts) => said(original, texts)));
  expect(answers.filter(({ answer }) => answer === '{"nodes":{}}').length).toBeGreaterThan(2);
  expect(answers.filter(({ answer }) => answer?.includes('"parallelism"')).length).toBeGreaterThan(25);
  expect(answers.filter(({ failed }) => failed !== undefined).length).toBe(4);
});

describe.each(LANGUAGES)("the examples in %s", (language) => {
  let built: Examples | string;
  beforeAll(async () => {
    built = await builtOr(language);
  }, 300_000);

  test("are built, and threshold to the same bytes, where there is a toolchain for it", (context) => {
    if (typeof built === "string") return context.skip(built);
    expect(sha256(built["threshold"] ?? new Uint8Array())).toBe(kept[language]);
  });

  test("remember until the next pass", async (context) => {
    if (typeof built === "string") return context.skip(built);
    const { carry } = built;
    if (carry === undefined) return;
    const texts = INPUTS["the usual"] ?? {};
    const first = await engine.run({ plan: carry }, { texts });
    expect(JSON.parse(first.carry ?? "")).toEqual({ split: 420 });
    const less = {
      ...texts,
      sources: texts["sources"]?.replace("420", "90") ?? "",
      carry: first.carry ?? "",
    };
    const second = await engine.run({ plan: carry }, { texts: less });
    expect(JSON.parse(second.answers.plan ?? "")).toMatchObject({ nodes: { split: { demand: 4.2 } } });
  });

  test("ask a service, and are answered", async (context) => {
    if (typeof built === "string") return context.skip(built);
    const texts = { ...INPUTS["the usual"], config: JSON.stringify({ url: `${server.origin}/a` }) };
    const { answers } = await engine.run(
      { monitor: built["ask"] ?? original },
      { texts, effects: server.perform },
    );
    const { bytes } = JSON.parse(answers.monitor ?? "") as { bytes: number };
    expect(bytes).toBeGreaterThan(10);
  });
});

const kept: Readonly<Record<Language, string>> = Object.fromEntries(
  await Promise.all(
    LANGUAGES.map(async (language) => [
      language,
      sha256(new Uint8Array(await readFile(keptThreshold(language)))),
    ]),
  ),
) as Record<Language, string>;

/** The examples, or why they cannot be built here. With CI=true a toolchain has to be there. */
async function builtOr(language: Language): Promise<Examples | string> {
  try {
    return await buildExamples[language]();
  } catch (thrown) {
    if (thrown instanceof NotComparable) return `not built: ${thrown.message}`;
    if (thrown instanceof NoToolchain && process.env["CI"] !== "true") return `not built: ${thrown.message}`;
    throw thrown;
  }
}
