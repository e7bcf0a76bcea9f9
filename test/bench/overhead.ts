// What metering costs: the same module as it came and as it was admitted, in turns, each call in an instance of its own.
import { readFileSync } from "node:fs";
import { FUEL, START } from "../../host/engine/admission/index.ts";
import { exchange } from "../../host/engine/sandbox/abi.ts";
import { NO_EFFECTS } from "../../host/engine/sandbox/effects.ts";
import { Fuel } from "../../host/engine/sandbox/fuel.ts";
import { compile } from "../../host/engine/sandbox/module.ts";

const LIMIT = 1e12;
const ROUNDS = 400;
const CALLS = 20;

export interface Overhead {
  readonly plainUs: number;
  readonly meteredUs: number;
  /** Of the medians of the pairs. */
  readonly ratio: number;
  readonly fuel: number;
}

export function overhead(file: string, step: "plan", input: string): Overhead {
  const bytes = new Uint8Array(readFileSync(file));
  const { module: metered, imports } = compile(bytes);
  const modules = [new WebAssembly.Module(bytes), metered];
  const text = new TextEncoder().encode(input);
  let fuel = 0;
  const run = (module: WebAssembly.Module): number => {
    const began = performance.now();
    for (let call = 0; call < CALLS; call += 1) {
      const fuelFor = new Fuel(LIMIT);
      const one = exchange({
        step,
        input: text,
        fuel: fuelFor,
        effects: NO_EFFECTS,
        iteration: undefined,
        imports,
      });
      const given: Record<string, Record<string, unknown>> = {};
      for (const [at, { module: from, name }] of imports.entries())
        (given[from] ??= {})[name] = one.works[at];
      const instance = new WebAssembly.Instance(module, given);
      const left = instance.exports[FUEL] as (WebAssembly.Global & { value: bigint }) | undefined;
      if (left !== undefined) left.value = BigInt(LIMIT);
      (instance.exports[START] as (() => void) | undefined)?.();
      (instance.exports[step] as () => void)();
      if (one.output() === undefined)
        throw new Error("no answer: " + Buffer.from(one.error() ?? []).toString());
      if (left !== undefined) fuel = LIMIT - Number(left.value);
    }
    return ((performance.now() - began) * 1_000) / CALLS;
  };
  const pairs = Array.from({ length: ROUNDS }, (_, at) => {
    const [first, second] = at % 2 === 0 ? modules : modules.toReversed();
    const times = [run(first as WebAssembly.Module), run(second as WebAssembly.Module)] as const;
    return at % 2 === 0 ? times : ([times[1], times[0]] as const);
  }).slice(ROUNDS / 4);
  const median = (values: number[]) => values.sort((one, other) => one - other)[values.length >> 1] ?? 0;
  return {
    plainUs: median(pairs.map(([plain]) => plain)),
    meteredUs: median(pairs.map(([, metered]) => metered)),
    ratio: median(pairs.map(([plain, metered]) => metered / plain)),
    fuel,
  };
}
