import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileAssemblyScript } from "../launcher/build/algorithms.ts";
import { inputOf, nodeOf, sampleOf, valuesOf } from "./step-input.ts";
import { compileAndCall } from "./stock.ts";

/** Compiles a text and calls its plan step. */
const run = (text: string, input: unknown = inputOf({})) => compileAndCall({ text }, "plan", input);

describe("the manual's algorithm", () => {
  const PAGES = ["README.md", "pdk/assemblyscript/README.md"];

  test.each(PAGES)("that stands in %s does what the text says", async (page) => {
    const text = /```ts\n(import .*?)```/s.exec(await readFile(page, "utf8"))?.[1] ?? "";
    expect(text.split("\n").length).toBeLessThanOrEqual(20);
    expect((await run(text)).answer).toEqual({
      nodes: { split: { parallelism: 5, reason: "420/s at 100/s an instance" } },
    });
  });
});

describe("the examples", () => {
  const at = "2026-11-22T10:00:00.000Z";

  test("source.ts wants what a value says, and nothing for no data or an error", async () => {
    const source = { file: "pdk/assemblyscript/examples/source.ts" };
    const plan = (lag: object) =>
      compileAndCall(source, "plan", inputOf({ sources: { lag: { at, ...lag } } }));
    expect((await plan(valuesOf(sampleOf("split", 1500)))).answer).toEqual({
      nodes: { split: { demand: 1.5 } },
    });
    expect(await plan({ noData: true })).toMatchObject({
      answer: { nodes: {} },
      logs: ["info nobody has measured lag yet"],
    });
    expect(await plan({ error: { code: "SourceUnavailable", message: "refused" } })).toMatchObject({
      answer: { nodes: {} },
      logs: ["warn lag could not be read: refused"],
    });
  });

  test("carry.ts moves a node, remembers when, and lets it rest for a minute", async () => {
    const source = { file: "pdk/assemblyscript/examples/carry.ts" };
    const first = await compileAndCall(source, "plan", inputOf({}));
    // 2026-11-22T10:00:00Z is 1795341600 seconds after 1970.
    expect(first.answer).toEqual({ nodes: { split: { parallelism: 5 } }, carry: { movedAt: 1_795_341_600 } });
    const soon = inputOf({ carry: { movedAt: 1_795_341_600 - 59 } });
    expect((await compileAndCall(source, "plan", soon)).answer).toEqual({ nodes: {} });
    const later = inputOf({ carry: { movedAt: 1_795_341_600 - 60 } });
    expect((await compileAndCall(source, "plan", later)).answer).toMatchObject({
      nodes: { split: { parallelism: 5 } },
    });
  });

  test("steps.ts hands the monitor's answer to the plan, and fails in its own words", async () => {
    const source = { file: "pdk/assemblyscript/examples/steps.ts" };
    const monitored = await compileAndCall(source, "monitor", inputOf({ step: "monitor" }));
    expect(monitored.answer).toEqual({ rate: 420 });
    const planned = await compileAndCall(source, "plan", inputOf({ monitor: { rate: 420 } }));
    expect(planned.answer).toEqual({ nodes: { split: { parallelism: 5 }, count: { parallelism: 5 } } });
    const negative = inputOf({ sources: { rates: valuesOf(sampleOf("split", -1)) } });
    expect((await compileAndCall(source, "monitor", negative)).error).toBe(
      "the rates are below zero: look at the query of the source",
    );
  });
});

describe("what an author gets wrong is told with its place", () => {
  const CHECKS = `import { answer, Node, Plan, read } from "@sluice/pdk";
export function plan(): i32 {
  const nodes = read().topology.nodes;
  const which = read().config.text("which");
  if (which == "assert") assert(nodes.length > 100, "so few nodes");
  if (which == "throw") throw new Error("it can not be: " + "ä🚀");
  const none: Node | null = which == "null" ? null : nodes[0];
  const name = none!.name;
  if (which == "index") return nodes[nodes.length].parallelism;
  return answer(new Plan());
}
`;
  test.each([
    ["assert", "so few nodes (algorithm.ts:5:26)"],
    ["throw", "it can not be: ä🚀 (algorithm.ts:6:25)"],
    ["null", "Unexpected 'null' (not assigned or failed cast) (algorithm.ts:8:16)"],
    ["index", "Index out of range (~lib/array.ts:114:42)"],
  ])("a check that fails (%s) names file, line and column", async (which, message) => {
    expect((await run(CHECKS, inputOf({ config: { which } }))).error).toBe(message);
  });

  test("what does not compile is told by the compiler, with file and line", async () => {
    const text = `import { answer } from "@sluice/pdk";\nexport function plan(): i32 {\n  return answer(Foo);\n}\n`;
    await expect(run(text)).rejects.toThrow(/Cannot find name 'Foo'(.|\n)*algorithm.ts\(3,17\)/);
  });

  test("an algorithm without the PDK is told that it needs it", async () => {
    await expect(run("export function plan(): i32 { return 0; }\n")).rejects.toThrow(
      /imports "@sluice\/pdk"/,
    );
  });

  test("metadata that cannot be meant is told with its field", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-metadata-"));
    try {
      const file = join(folder, "mine.ts");
      const text = `import { answer, Plan } from "@sluice/pdk";
export function plan(): i32 {
  return answer(new Plan());
}
`;
      await writeFile(file, text);
      const build = async (metadata: object) => {
        await writeFile(join(folder, "algorithm.json"), JSON.stringify(metadata));
        return compileAssemblyScript({ file }, join(folder, "mine.wasm"));
      };
      const metadata = { api: "sluice/v1", name: "mine", version: "1.0.0", steps: ["plan"] };
      await expect(build(metadata)).resolves.toMatchObject({ name: "mine", version: "1.0.0" });
      await expect(build({ ...metadata, version: "1" })).rejects.toThrow(
        /algorithm.json: version must match/,
      );
      await expect(build({ ...metadata, steps: ["monitor"] })).rejects.toThrow(
        /steps names monitor, which the module does not export/,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe("a wish that cannot be meant fails", () => {
  const WISHES = `import { answer, Plan, read } from "@sluice/pdk";
export function plan(): i32 {
  const config = read().config;
  const wish = config.number("over") / config.number("under");
  const plan = new Plan();
  if (config.flag("demand")) plan.demand("split", wish);
  else plan.want("split", wish);
  return answer(plan);
}
`;
  test.each([
    [{ over: 0, under: 0 }, "split: NaN is not whole: round it, or use demand"],
    [{ over: 1, under: 0 }, "split: Infinity is no parallelism"],
    [{ over: -1, under: 1 }, "split: -1 is no parallelism"],
    [{ over: 21, under: 5 }, "split: 4.2 is not whole: round it, or use demand"],
    [{ over: 2 ** 31, under: 1 }, "split: 2147483648 is no parallelism"],
    [{ over: 0, under: 0, demand: true }, "split: NaN is no parallelism"],
    [{ over: -1, under: 4, demand: true }, "split: -0.25 is no parallelism"],
  ])("%j", async (config, message) => {
    expect((await run(WISHES, inputOf({ config }))).error).toBe(message);
  });

  test("of two wishes for one node the last counts", async () => {
    const { answer } = await run(`import { answer, Plan } from "@sluice/pdk";
export function plan(): i32 {
  const plan = new Plan();
  plan.want("split", 3);
  plan.demand("spült \\"é\\"", 0.1 + 0.2);
  plan.want("split", 4);
  plan.recheckAfter(2.5);
  return answer(plan);
}
`);
    expect(answer).toEqual({
      nodes: { split: { parallelism: 4 }, 'spült "é"': { demand: 0.300_000_000_000_000_04 } },
      recheckAfter: 2.5,
    });
  });
});

test("everything of the contract can be read", async () => {
  const text = `import { answer, Fields, figure, read } from "@sluice/pdk";
export function plan(): i32 {
  const step = read();
  const node = step.topology.node("split");
  const edge = step.topology.edges[0];
  const past = step.history[0];
  const sample = step.source("rates").samples[0];
  return answer(
    new Fields()
      .text("node", [node.kind, node.slotGroup, node.attributes.text("zone")].join("|"))
      .text("numbers", [node.parallelism, node.ready, node.min, node.max, node.ceiling, node.alignTo].join("|"))
      .text("edge", edge.from + ">" + edge.to + edge.shipStrategy)
      .text("past", [past.time, past.parallelism("split").toString(), past.granted("split").toString()].join("|"))
      .number("pastRate", past.source("rates").sum("split"))
      .text("sample", sample.label("operator") + sample.label("none") + sample.time)
      .number("lag", step.source("rates").partitions[0].number("lag"))
      .text("step", step.name)
      .number("free", step.value.object("topology").object("slots").whole("free"))
      .text("figures", [figure(420), figure(4.2), figure(1 / 3.0), figure(-0.0001), figure(-1.05), figure(1e15)].join("|")),
  );
}
`;
  const at = "2026-11-22T10:00:00.000Z";
  const nodes = [
    { ...nodeOf("split", 2), ceiling: 8, alignTo: 128, slotGroup: "default", attributes: { zone: "a" } },
  ];
  const partitions = [{ topic: "clicks", partition: 0, end: 10, lag: 9 }];
  const { answer } = await run(
    text,
    inputOf({
      topology: {
        nodes,
        edges: [{ from: "split", to: "count", shipStrategy: "HASH" }],
        slots: { total: 4, free: 3 },
      },
      sources: { rates: { at, series: [sampleOf("split", 420)], partitions } },
    }),
  );
  expect(answer).toEqual({
    node: "Deployment|default|a",
    numbers: "2|2|1|64|8|128",
    edge: "split>countHASH",
    past: "2026-11-22T09:59:45.000Z|1|2",
    pastRate: 300,
    sample: "split2026-11-22T10:00:00.000Z",
    lag: 9,
    step: "plan",
    free: 3,
    figures: "420|4.2|0.333|0|-1.05|1000000000000000",
  });
});
