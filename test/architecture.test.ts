import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { describe, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

/** Who may import whom; what stands further right knows nothing of what stands left. */
const PURE = ["fault", "policy", "topology", "knowledge", "contract", "tenant", "loop"];
const MAY: Readonly<Record<string, readonly string[]>> = {
  fault: [],
  contract: [],
  topology: [],
  policy: ["fault"],
  tenant: ["fault", "policy"],
  knowledge: ["fault", "topology"],
  loop: ["contract", "fault", "knowledge", "policy", "topology"],
  telemetry: ["fault", "knowledge", "loop", "policy"],
  algorithm: ["fault", "policy"],
  engine: ["contract", "fault", "knowledge", "loop", "policy", "tenant", "topology"],
  artifact: ["fault", "policy"],
  kube: ["fault", "policy"],
  egress: ["fault", "policy"],
  flink: ["fault", "policy"],
  source: ["fault", "flink", "kafka", "knowledge", "loop", "policy"],
  kafka: ["fault", "policy"],
  store: ["fault", "knowledge", "loop", "policy"],
  driver: ["fault", "flink", "kafka", "knowledge", "kube", "loop", "policy", "topology"],
  simulator: ["fault", "knowledge", "loop", "policy", "topology"],
  console: ["fault", "knowledge", "policy", "telemetry", "topology"],
  operator: [
    "algorithm",
    "artifact",
    "console",
    "egress",
    "fault",
    "knowledge",
    "kube",
    "loop",
    "policy",
    "topology",
  ],
  standalone: ["algorithm", "console", "fault", "knowledge", "loop", "policy"],
  cli: ["artifact", "contract", "engine", "fault", "policy", "store", "tenant"],
};
/** Packages that only one folder may know, so that each can be replaced in one place. */
const ONLY: Readonly<Record<string, string>> = {
  "@kubernetes/client-node": "kube",
  "@platformatic/kafka": "kafka",
  "@extism/extism": "engine",
  "prom-client": "telemetry",
  "@opentelemetry/api": "telemetry",
  "@opentelemetry/sdk-trace": "telemetry",
  "@opentelemetry/exporter-trace-otlp-http": "telemetry",
  pino: "telemetry",
  "node:sqlite": "store",
  postgres: "store",
  commander: "cli",
  croner: "policy",
};
/** These wire everything together, so they may know everybody. */
const ENTRANCE = ["host/main.ts", "host/clustered.ts", "host/parts.ts", "host/flags.ts", "host/shadows.ts"];
const LINES_A_FILE = 300;
const LINES_A_FUNCTION = 60;

interface Import {
  readonly file: string;
  readonly from: string;
  readonly target: string;
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(ts|mts|mjs)$/.test(entry.name));
  return files
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes("node_modules"));
}

async function importsOf(file: string): Promise<Import[]> {
  const { module } = parseSync(file, await readFile(join(ROOT, file), "utf8"));
  const named = [...module.staticImports.map((one) => one.moduleRequest.value)];
  for (const one of module.staticExports) {
    for (const entry of one.entries) if (entry.moduleRequest) named.push(entry.moduleRequest.value);
  }
  const text = await readFile(join(ROOT, file), "utf8");
  for (const one of module.dynamicImports)
    named.push(text.slice(one.moduleRequest.start + 1, one.moduleRequest.end - 1));
  return [...new Set(named)].map((target) => ({ file, from: file.split("/")[1] ?? "", target }));
}

const hostFiles = await sources("host");
const hostImports = (await Promise.all(hostFiles.map(importsOf))).flat();
const local = hostImports.filter((one) => one.target.startsWith("."));
const pathOf = (one: Import) => relative(ROOT, resolve(ROOT, dirname(one.file), one.target));

describe("the structure of the host", () => {
  test("every folder has its place in the table", () => {
    const folders = [...new Set(hostFiles.map((file) => file.split("/")[1] ?? ""))].filter(
      (one) => !one.endsWith(".ts"),
    );
    expect(folders.filter((folder) => MAY[folder] === undefined)).toEqual([]);
  });

  test("modules import only what lies further in, through the front door", () => {
    const wrong = local.flatMap((one) => {
      const [, to = ""] = pathOf(one).split("/");
      if (ENTRANCE.includes(one.file) || to === one.from) return [];
      if (!(MAY[one.from] ?? []).includes(to)) return [`${one.file}: ${one.from} may not import ${to}`];
      return pathOf(one) === `host/${to}/index.ts`
        ? []
        : [`${one.file}: import host/${to}/index.ts instead of what lies behind it`];
    });
    expect(wrong).toEqual([]);
  });

  test("no file reaches itself through its imports", () => {
    const next = new Map<string, string[]>();
    for (const one of local) next.set(one.file, [...(next.get(one.file) ?? []), pathOf(one)]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) return void cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      if (done.has(file)) return;
      done.add(file);
      for (const to of next.get(file) ?? []) walk(to, [...path, file]);
    };
    for (const file of hostFiles) walk(file, []);
    expect(cycles).toEqual([]);
  });

  test("decisions touch nothing but values: no clock, no chance, no file, no network, no environment", async () => {
    const wrong: string[] = [];
    for (const file of hostFiles.filter((one) => PURE.includes(one.split("/")[1] ?? ""))) {
      const text = await readFile(join(ROOT, file), "utf8");
      for (const world of [
        /\bDate\.now\(/,
        /\bnew Date\(\)/,
        /\bMath\.random\(/,
        /\bprocess\./,
        /\bfetch\(/,
        /from "node:/,
        /\bsetTimeout\(/,
      ]) {
        if (world.test(text)) wrong.push(`${file}: ${world.source}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("a package that one folder stands for is imported nowhere else", () => {
    const wrong = hostImports.filter((one) => {
      const owner = Object.entries(ONLY).find(
        ([name]) => one.target === name || one.target.startsWith(`${name}/`),
      )?.[1];
      return owner !== undefined && owner !== one.from;
    });
    expect(wrong.map((one) => `${one.file}: ${one.target}`)).toEqual([]);
  });

  test("flags and environment are read in one place", async () => {
    const readers: string[] = [];
    for (const file of hostFiles) {
      if (ENTRANCE.includes(file) || file.startsWith("host/cli/")) continue;
      if (
        /process\.(argv|env)\b/.test(await readFile(join(ROOT, file), "utf8")) &&
        !file.endsWith("/main.ts")
      )
        readers.push(file);
    }
    expect(readers).toEqual([]);
  });
});

describe("the size of things", async () => {
  const files = (await Promise.all(["host", "launcher", "test"].map(sources))).flat();

  test(`no file is longer than ${LINES_A_FILE} lines`, async () => {
    const long: string[] = [];
    for (const file of files) {
      const lines = (await readFile(join(ROOT, file), "utf8")).split("\n").length - 1;
      if (lines > LINES_A_FILE) long.push(`${file}: ${lines}`);
    }
    expect(long).toEqual([]);
  });

  test(`no function is longer than ${LINES_A_FUNCTION} lines`, async () => {
    const long: string[] = [];
    // A test's describe block is a chapter, not a function.
    for (const file of files.filter((one) => !one.startsWith("test/"))) {
      const text = await readFile(join(ROOT, file), "utf8");
      const measure = (one: { start: number; end: number }) => {
        const lines = text.slice(one.start, one.end).split("\n").length;
        if (lines > LINES_A_FUNCTION)
          long.push(`${file}:${text.slice(0, one.start).split("\n").length}: ${lines}`);
      };
      new Visitor({
        FunctionDeclaration: measure,
        FunctionExpression: measure,
        ArrowFunctionExpression: measure,
      }).visit(parseSync(file, text).program);
    }
    expect(long).toEqual([]);
  });

  test("no folder or file is a drawer", () => {
    const drawers = files.filter((file) =>
      /(^|\/)(utils?|helpers?|common|misc|shared|managers?)([./-]|$)/.test(file),
    );
    expect(drawers.filter((file) => file !== "test/world/session.ts")).toEqual([]);
  });
});
