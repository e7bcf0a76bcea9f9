// The program of a sandbox process. It reads work from its standard input and answers on its standard output, one at a time;
// it has no environment, no network and no file but its own sources, and its supervisor ends it when a stretch takes too long.
import { readSync, writeSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { asFault, Fault } from "../../fault/index.ts";
import type { LogLine } from "../../knowledge/index.ts";
import type { Step } from "../../policy/index.ts";
import { LIMITS } from "../../tenant/index.ts";
import type { Caps } from "../admission/index.ts";
import { encodeFrame, FrameReader, type Frame } from "../frame.ts";
import { joinParts, memoryPagesOf, splitParts, type Answer, type Work } from "../message.ts";
import { checkConfig } from "./config.ts";
import { effectText, readJournals, Suspended } from "./effects.ts";
import { inputOf } from "./input.ts";
import { compile, type Algorithm } from "./module.ts";
import { runStep, StepEnded } from "./step.ts";

// Set only now: what the runtime itself needs of WebAssembly is loaded. From here on no memory of this process is larger.
setFlagsFromString(`--wasm-max-mem-pages=${LIMITS.mostMemoryPages}`);
setFlagsFromString(`--wasm-max-table-size=${LIMITS.tableElements}`);
// A function is compiled with its module and not when it is first called: compiling never counts as a step's time.
setFlagsFromString("--no-wasm-lazy-compilation");

const INPUT = 0;
const OUTPUT = 1;
const algorithms = new Map<string, Algorithm | Fault>();
const modules = new Map<string, Uint8Array>();

answer({ ready: true });
// Reading blocks on purpose: between two pieces of work there is nothing else to do, and it saves a turn of the event loop.
const reader = new FrameReader();
const piece = Buffer.allocUnsafe(256 * 1_024);
for (;;) {
  const length = readSync(INPUT, piece);
  if (length === 0) break;
  for (const frame of reader.take(Buffer.from(piece.subarray(0, length)))) await attend(frame);
}

async function attend({ header, body }: Frame): Promise<void> {
  if (typeof header["module"] === "string") return void modules.set(header["module"], body);
  try {
    await work(header["work"] as Work, body);
  } catch (thrown) {
    failed(asFault(thrown), {});
  }
}

async function work(asked: Work, body: Uint8Array): Promise<void> {
  const caps = { memoryPages: Math.min(memoryPagesOf(asked), LIMITS.mostMemoryPages) };
  const algorithm = (digest: string) => algorithmOf(digest, caps);
  if (asked.do === "inspect") return done({ inspection: JSON.stringify(algorithm(asked.digest).inspection) });
  const shared = splitParts(asked.parts, body);
  if (asked.do === "config") {
    const schema = algorithm(asked.digest).inspection.metadata?.["config"];
    answer({ started: "config" });
    const problems = schema === undefined ? [] : await checkConfig(schema, shared["config"] ?? "{}");
    return done({ problems: JSON.stringify(problems) });
  }
  const isNew = asked.steps.some(({ digest }) => !algorithms.has(digest));
  const steps = asked.steps.map(({ step, digest }) => ({ step, of: algorithm(digest) }));
  if (isNew) answer({ started: "steps" });
  const fuelLimit = asked.limits.fuel ?? asked.limits.cpuMs * LIMITS.fuelPerCpuMs;
  const journals = readJournals(shared["journal"]);
  const answers: Partial<Record<Step, string>> = {};
  const logs: LogLine[] = [];
  const fuel: Partial<Record<Step, number>> = {};
  let carry: string | undefined;
  const texts = () => ({
    ...answers,
    logs: JSON.stringify(logs),
    fuel: JSON.stringify(fuel),
    ...(carry === undefined ? {} : { carry }),
  });
  for (const { step, of } of steps) {
    const input = inputOf(step, shared, { ...shared, ...answers });
    try {
      const effects = { granted: asked.effects, journal: journals[step] ?? [] };
      const result = runStep(of, { step, input, iteration: shared["iteration"], fuel: fuelLimit, effects });
      answers[step] = result.text;
      carry = result.carry ?? carry;
      logs.push(...result.logs);
      fuel[step] = result.fuel;
    } catch (thrown) {
      if (thrown instanceof StepEnded) {
        logs.push(...thrown.logs);
        if (thrown.fuel !== undefined) fuel[step] = thrown.fuel;
        return failed(thrown, texts());
      }
      if (!(thrown instanceof Suspended)) throw thrown;
      const { parts, body: said } = joinParts({ ...texts(), effect: effectText(step, thrown.effect) });
      return answer({ suspended: parts }, said);
    }
  }
  done(texts());
}

/** Compiles a module when it is first needed; its time is its own and never a step's. One that is refused stays refused. */
function algorithmOf(digest: string, caps: Caps): Algorithm {
  const known = algorithms.get(digest) ?? compiled(digest, caps);
  algorithms.set(digest, known);
  if (known instanceof Fault) throw known;
  return known;
}

function compiled(digest: string, caps: Caps): Algorithm | Fault {
  const bytes = modules.get(digest);
  if (bytes === undefined) throw new Error(`${digest} was not sent`);
  modules.delete(digest);
  answer({ started: "compile" });
  try {
    return compile(bytes, caps);
  } catch (thrown) {
    return asFault(thrown);
  }
}

function done(texts: Readonly<Record<string, string>>): void {
  const { parts, body } = joinParts(texts);
  answer({ done: parts }, body);
}

function failed({ code, message, retry }: Fault, texts: Readonly<Record<string, string>>): void {
  const { parts, body } = joinParts(texts);
  answer({ fault: { code, message, ...(retry ? { retry } : {}) }, parts }, body);
}

function answer(said: Answer | { ready: true }, body?: Uint8Array): void {
  const frame = encodeFrame(said, body);
  for (let sent = 0; sent < frame.length;) sent += writeSync(OUTPUT, frame, sent);
}
