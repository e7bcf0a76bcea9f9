import type { StepInput } from "../host/contract/index.ts";
import { checkPlan } from "../host/contract/index.ts";
import { nodeOf, stepOf } from "./flink-vectors.ts";
import { sampleOf, valuesOf } from "./step-input.ts";
import { callStock } from "./stock.ts";

/** What one vertex does between two passes: rates a second, and how busy it is, 0 to 1. */
export interface Doing {
  readonly read: number;
  readonly written?: number;
  readonly busy: number;
  /** By how much the lag of a source grows a second. */
  readonly lagging?: number;
}

/** What the plan of a pass wants, and why. */
export interface Passed {
  readonly nodes: Readonly<Record<string, { readonly parallelism: number; readonly reason: string }>>;
  readonly carry: Readonly<Record<string, unknown>>;
  readonly logs: readonly string[];
  readonly analyzed: unknown;
}

/** Runs the three steps of a pass, given what the first of them is given. */
export type RunPass = (seen: StepInput) => Promise<Passed>;

/** Runs them on the stock Extism SDK, and throws what a step fails with. */
export const stock =
  (module: string): RunPass =>
  async (seen) => {
    const logs: string[] = [];
    const ask = async (step: StepInput["step"], change: Partial<StepInput>) => {
      const outcome = await callStock(module, step, { ...seen, step, ...change });
      if (outcome.error !== undefined) throw new Error(outcome.error);
      logs.push(...outcome.logs);
      return outcome.answer as Record<string, unknown>;
    };
    const monitor = await ask("monitor", {});
    const analyze = await ask("analyze", { monitor });
    const plan = (await ask("plan", { monitor, analyze })) as unknown as Passed;
    const problems = checkPlan(plan);
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    return { nodes: plan.nodes, carry: plan.carry, logs, analyzed: analyze };
  };

/** A job whose counters go on from pass to pass, and whose algorithm has nothing but its carry to remember. */
export class FlinkJob {
  readonly #run: RunPass;
  readonly #config: Record<string, unknown>;
  readonly #counts = new Map<string, { read: number; written: number; busy: number; lag: number }>();
  #carry: unknown;
  /** Milliseconds since 1970. */
  at = Date.parse("2026-11-22T10:00:00.000Z");
  topology: StepInput["topology"];

  constructor(run: RunPass, topology: StepInput["topology"], config: Record<string, unknown> = {}) {
    this.#run = run;
    this.#config = config;
    this.topology = topology;
  }

  /** Lets the job do this for so long, and makes a pass. */
  async pass(seconds: number, doing: Readonly<Record<string, Doing>>): Promise<Passed> {
    this.at += seconds * 1_000;
    for (const [name, one] of Object.entries(doing)) this.#count(name, seconds, one);
    return this.passWith(this.sources(doing));
  }

  /** Makes a pass with these sources. */
  async passWith(sources: StepInput["sources"]): Promise<Passed> {
    const carry = this.#carry === undefined ? {} : { carry: this.#carry };
    const seen = { topology: this.topology, sources, config: this.#config, ...carry };
    const passed = await this.#run(stepOf("monitor", this.at, seen));
    this.#carry = passed.carry;
    return passed;
  }

  /** Gives the job what was wanted. */
  rescale({ nodes }: Passed): void {
    this.topology = {
      ...this.topology,
      nodes: this.topology.nodes.map((node) => ({
        ...node,
        parallelism: nodes[node.name]?.parallelism ?? node.parallelism,
      })),
    };
  }

  #count(name: string, seconds: number, { read, written = 0, busy, lagging = 0 }: Doing): void {
    const before = this.#counts.get(name) ?? { read: 0, written: 0, busy: 0, lag: 0 };
    this.#counts.set(name, {
      read: before.read + read * seconds,
      written: before.written + written * seconds,
      busy: before.busy + busy * seconds * 1_000,
      lag: before.lag + lagging * seconds,
    });
  }

  /** What the sources say while the job does this. */
  sources(doing: Readonly<Record<string, Doing>>): StepInput["sources"] {
    const each = (figure: (name: string, one: Doing) => number) =>
      valuesOf(...Object.entries(doing).map(([name, one]) => sampleOf(name, figure(name, one))));
    return {
      busyTimeMsPerSecond: each((_, { busy }) => busy * 1_000),
      accumulatedBusyTime: each((name) => this.#counts.get(name)?.busy ?? 0),
      numRecordsIn: each((name) => this.#counts.get(name)?.read ?? 0),
      numRecordsInPerSecond: each((_, { read }) => read),
      numRecordsOut: each((name) => this.#counts.get(name)?.written ?? 0),
      pendingRecords: each((name) => this.#counts.get(name)?.lag ?? 0),
    };
  }
}

type Nodes = StepInput["topology"]["nodes"];

/** A job of these nodes in a row, each reading from the one before it. */
export const chainOf = (nodes: Nodes, shipStrategy = "REBALANCE"): StepInput["topology"] => ({
  nodes,
  edges: nodes.slice(1).map(({ name: to }, at) => ({ from: nodes[at]?.name ?? "", to, shipStrategy })),
});

/** A job of vertices in a row, each by its name and parallelism. */
export const chain = (...vertices: readonly (readonly [string, number])[]): StepInput["topology"] =>
  chainOf(vertices.map(([name, parallelism]) => nodeOf(name, parallelism, 128, 0)));

/** A chain of so many vertices. */
export const many = (count: number): StepInput["topology"] =>
  chain(...Array.from({ length: count }, (_, at) => [`operator-${at}`, 4] as const));
