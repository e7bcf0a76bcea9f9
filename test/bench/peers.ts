import { readFileSync, readdirSync } from "node:fs";
import { startEngine, type SandboxEngine } from "../../host/engine/index.ts";
import { tenantKey, type Step } from "../../host/policy/index.ts";
import { LIMITS } from "../../host/tenant/index.ts";
import { compile } from "../../launcher/build/compile.ts";
import { processes } from "../engine/bed.ts";
import { digestOf } from "../hostile/wat.ts";
import type { Row } from "./engine.ts";
import { benchInput, type BenchInput } from "./peers/inputs.ts";
import { LOGIC } from "./peers/logic.ts";
import { startPython, type Python } from "./peers/python.ts";

const STEPS: readonly Step[] = ["monitor", "analyze", "plan"];
const TENANT = tenantKey("team-a");
const SIZES_KB = [1, 8, 32] as const;
const WARM_UP = 300;
/** Rounds of a comparison, and how often in a row each side has its turn in one; an exec takes as long as fifty others. */
const ROUNDS = 50;
const TURNS = 20;
const EXEC_TURNS = 2;
/** Passes of a measurement of throughput, so many of them under way at the same time. */
const PASSES = 3_000;
const AT_ONCE = 4;
/** How often processor time is looked at in between. */
const LOOKS = 60;

/** Guests of the bench's logic by their language. */
type Guests = Readonly<Record<string, Uint8Array>>;

/**
 * Steps a second and core by language and size, and the same logic behind the peers' ways: over HTTP on FastAPI, and in a
 * process for each step. `more` are guests of the same logic in other languages.
 */
export async function benchPeers(more: Guests = {}): Promise<Row[]> {
  const guests: Guests = { AssemblyScript: (await compile({ text: LOGIC })).wasm, ...more };
  const modules = new Map(Object.values(guests).map((wasm) => [digestOf(wasm), wasm]));
  const engine = await startEngine({
    modules: async (_tenant, digest) => modules.get(digest) ?? new Uint8Array(),
  });
  try {
    const rows: Row[] = [];
    for (const [language, wasm] of Object.entries(guests)) {
      for (const size of SIZES_KB) {
        for (const steps of [["plan"], STEPS] as const)
          rows.push(
            await throughput(passOf(engine, wasm, steps, benchInput(size * 1_024)), {
              language,
              size,
              steps,
            }),
          );
      }
    }
    return [...rows, ...(await compared(engine, guests["AssemblyScript"] ?? new Uint8Array()))];
  } finally {
    await engine.close();
  }
}

const passOf =
  (engine: SandboxEngine, wasm: Uint8Array, steps: readonly Step[], { texts }: BenchInput) =>
  async () => {
    const digest = digestOf(wasm);
    const { answers } = await engine.pass({
      tenant: TENANT,
      steps: steps.map((step) => ({ step, digest })),
      texts,
      limits: { cpuMs: LIMITS.cpuMs, wallMs: LIMITS.wallMs },
    });
    return answers.plan ?? "";
  };

interface Measured {
  readonly language: string;
  readonly size: number;
  readonly steps: readonly Step[];
}

async function throughput(pass: () => Promise<string>, { language, size, steps }: Measured): Promise<Row> {
  const used = await costOf(pass, engineCpu);
  const all = PASSES * steps.length * 1_000;
  const [alone, both] = [all / used("sandbox"), all / (used("sandbox") + used("supervisor"))];
  return {
    what: `${language}, ${size} KB, ${steps.length} a message: steps/s/core, with the supervisor's`,
    figure: `${alone.toFixed(0)}, ${both.toFixed(0)}`,
  };
}

/**
 * Processor time is counted, not wall time: what else the machine does takes little from the figure. Processes come and go:
 * each counts from when it was first looked at, so that its start does not.
 */
async function costOf<Kind extends string>(
  pass: () => Promise<string>,
  cpu: () => ReadonlyMap<number, { readonly kind: Kind; readonly ms: number }>,
): Promise<(kind: Kind) => number> {
  // As many at once as are measured: every process that takes part has compiled what it runs.
  await together(WARM_UP * AT_ONCE, pass);
  const first = new Map(cpu());
  const last = new Map(first);
  for (let done = 0; done < PASSES; done += PASSES / LOOKS) {
    await together(PASSES / LOOKS, pass);
    for (const [pid, one] of cpu()) {
      last.set(pid, one);
      if (!first.has(pid)) first.set(pid, one);
    }
  }
  return (wanted) =>
    [...last].reduce(
      (all, [pid, { kind, ms }]) => all + (kind === wanted ? ms - (first.get(pid)?.ms ?? ms) : 0),
      0,
    );
}

async function together(passes: number, pass: () => Promise<string>): Promise<void> {
  let left = passes;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await pass();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Each side has its turns in every round, so that a machine that slows down slows all of them down. */
async function compared(engine: SandboxEngine, wasm: Uint8Array): Promise<Row[]> {
  let python: Python;
  try {
    python = await startPython();
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    process.stderr.write(`\nNOT COMPARED with FastAPI and exec: ${reason}\n\n`);
    return [
      { what: "the same logic on FastAPI, and as an exec", figure: "not compared: no python3 with pip" },
    ];
  }
  await using peer = python;
  const rows: Row[] = [];
  for (const size of [1, 32] as const) {
    const input = benchInput(size * 1_024);
    const onFastApi = () => peer.post("plan", input.request);
    const sides: Record<string, () => Promise<string>> = {
      step: passOf(engine, wasm, ["plan"], input),
      "step on FastAPI": onFastApi,
      pass: passOf(engine, wasm, STEPS, input),
      "pass on FastAPI": () => httpPass(peer, input),
      "step as exec": () => peer.exec(input.whole),
    };
    checkSame(await Promise.all(Object.values(sides).map((side) => side())));
    rows.push(...ratios(size, await interleaved(sides), peer.version));
    const used = await costOf(
      onFastApi,
      () => new Map([[peer.pid, { kind: "server", ms: cpuMsOf(peer.pid) }]]),
    );
    rows.push({
      what: `FastAPI, ${size} KB: steps/s/core of its server`,
      figure: ((PASSES / used("server")) * 1_000).toFixed(0),
    });
  }
  return rows;
}

/** Three requests one after the other, each with what the ones before it answered. */
async function httpPass(peer: Python, { request }: BenchInput): Promise<string> {
  const context = request.slice(0, request.indexOf('"monitorResult"'));
  const rest = request.slice(request.indexOf('"resultHistory"'));
  const monitored = await peer.post("monitor", request);
  const analyzed = await peer.post(
    "analyze",
    `${context}"monitorResult":${monitored},"analyzeResult":{},${rest}`,
  );
  return peer.post("plan", `${context}"monitorResult":${monitored},"analyzeResult":${analyzed},${rest}`);
}

/** A comparison of programs that answer differently would compare nothing. */
function checkSame(answers: readonly string[]): void {
  const numbers = answers.map((text) =>
    [...text.matchAll(/"parallelism":\s*(\d+)/g)].map((found) => found[1]).join(),
  );
  if (numbers[0] === undefined || numbers[0] === "" || new Set(numbers).size > 1)
    throw new Error(`the sides of the bench plan different things: ${numbers.join(" | ")}`);
}

async function interleaved(
  sides: Readonly<Record<string, () => Promise<string>>>,
): Promise<Map<string, number[]>> {
  const took = new Map<string, number[]>(Object.keys(sides).map((name) => [name, []]));
  for (let round = -WARM_UP / TURNS; round < ROUNDS; round += 1) {
    for (const [name, side] of Object.entries(sides)) {
      for (let left = name.endsWith("exec") ? EXEC_TURNS : TURNS; left > 0; left -= 1) {
        const began = performance.now();
        await side();
        if (round >= 0) took.get(name)?.push(performance.now() - began);
      }
    }
  }
  return took;
}

function ratios(size: number, took: ReadonlyMap<string, readonly number[]>, python: string): Row[] {
  const at = (name: string, share: number) => {
    const sorted = [...(took.get(name) ?? [])].sort((one, other) => one - other);
    return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  };
  const row = (what: string, ours: string, theirs: string, bar: number): Row => {
    const [mine, other] = [at(ours, 0.5), at(theirs, 0.5)];
    return {
      what: `${what}, ${size} KB, p50 / p99, and ours`,
      figure: `${other.toFixed(2)} / ${at(theirs, 0.99).toFixed(2)} ms, ${mine.toFixed(2)} / ${at(ours, 0.99).toFixed(2)} ms: ${(other / mine).toFixed(1)} times (bar ${bar})`,
    };
  };
  return [
    row("a step on FastAPI", "step", "step on FastAPI", 10),
    row("a pass of three on FastAPI", "pass", "pass on FastAPI", 15),
    row(`a step as an exec of ${python}`, "step", "step as exec", 100),
  ];
}

/** Processor time of the engine's processes, in milliseconds. */
const engineCpu = () =>
  new Map(processes().map(({ pid, program }) => [pid, { kind: program, ms: cpuMsOf(pid) }]));

/** Of one process, all its threads that still are. */
function cpuMsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((all, thread) => {
    const nanoseconds = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0];
    return all + Number(nanoseconds) / 1e6;
  }, 0);
}
