import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { FAULTS, type FaultCode } from "../fault/index.ts";
import type { Compared, Iteration, IterationOutcome, ShadowOutcome, Verdict } from "../knowledge/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import { shadowTelemetry } from "./shadow.ts";
import { workTelemetry, type Figures } from "./work.ts";

/** Memory for labels, here and in every Prometheus that scrapes: 10,000 series are about 5 MB here. */
const PARALLELISM_SERIES = 10_000;
/** A pass is a few milliseconds; with effects it may be 10 s. */
const PASS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const OUTCOMES: Readonly<Record<IterationOutcome, true>> = {
  Unchanged: true,
  Open: true,
  Scaled: true,
  PartlyScaled: true,
  DryRun: true,
  Failed: true,
  Abandoned: true,
};

type Kind = "current" | "wanted" | "granted";
interface Series {
  readonly namespace: string;
  readonly policy: string;
  readonly node: string;
  readonly kind: Kind;
}

/** What is counted of the host, as numbers; what they mean stands beside each in the text. */
export interface Telemetry {
  /** Counts a pass that took `seconds`, and shows what it decided. */
  observe(iteration: Iteration, policy: Policy, seconds: number): void;
  /** Counts what came of a policy's shadow, and shows by how much it differs. */
  shadow(policy: Policy, outcome: ShadowOutcome, compared?: readonly Compared[]): void;
  /** Counts how long after it was due a pass began. */
  late(seconds: number): void;
  /** Counts what passes waited for. */
  waited: ReturnType<typeof workTelemetry>["waited"];
  /** Shows how the operator stands, whenever somebody asks. */
  follow(figures: () => Figures): void;
  /** Counts a fault that kept a pass from beginning, such as `PolicyInvalid`. */
  fault(code: FaultCode): void;
  /** Ends the series of a policy that has been deleted. */
  remove(key: PolicyKey): void;
  /** Everything in the text format of Prometheus, version 0.0.4. */
  text(): Promise<string>;
}

/** The metrics of one host, in a registry of their own; every outcome and code counts from 0, so that rates are right. */
export function telemetry(): Telemetry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { passes, faults, seconds: passSeconds, cpu } = countersOf(registry);
  const parallelism = parallelismOf(registry);
  const shadows = shadowTelemetry(registry);
  const work = workTelemetry(registry);
  return {
    observe(iteration, policy, seconds) {
      passes.inc({ outcome: iteration.outcome });
      for (const code of codesOf(iteration)) faults.inc({ code });
      passSeconds.observe(seconds);
      cpu.inc((iteration.cpuMs ?? 0) / 1_000);
      work.observe(iteration, new Date());
      if (iteration.decision !== undefined) parallelism.show(policy, iteration.decision.verdicts);
    },
    fault: (code) => faults.inc({ code }),
    shadow: shadows.observe,
    late: work.late,
    waited: work.waited,
    follow: work.follow,
    remove(key) {
      parallelism.remove(key);
      shadows.remove(key);
    },
    text: () => registry.metrics(),
  };
}

function countersOf(registry: Registry) {
  const registers = [registry];
  const passes = new Counter({
    name: "sluice_passes_total",
    help: "Passes that ended, by outcome",
    labelNames: ["outcome"],
    registers,
  });
  const faults = new Counter({
    name: "sluice_faults_total",
    help: "Faults of passes, of sources and of single changes, by code",
    labelNames: ["code"],
    registers,
  });
  for (const outcome of Object.keys(OUTCOMES)) passes.inc({ outcome }, 0);
  for (const code of Object.keys(FAULTS)) faults.inc({ code }, 0);
  return {
    passes,
    faults,
    seconds: new Histogram({
      name: "sluice_pass_seconds",
      help: "How long passes took",
      buckets: PASS_SECONDS,
      registers,
    }),
    cpu: new Counter({
      name: "sluice_sandbox_cpu_seconds_total",
      help: "Processor time that algorithms used in their sandboxes",
      registers,
    }),
  };
}

/** Each fault once: the pass's own, those of its sources and those of its changes. */
function codesOf({ fault, sources, changes }: Iteration): FaultCode[] {
  return [
    ...(fault === undefined ? [] : [fault.code]),
    ...Object.values(sources).flatMap((one) => ("error" in one ? [one.error.code] : [])),
    ...changes.flatMap((one) => (one.outcome === "Failed" ? [one.code] : [])),
  ];
}

/** The parallelism of every node of every policy, as many as there is room for; a number that is not there has no series. */
function parallelismOf(registry: Registry) {
  const registers = [registry];
  const gauge = new Gauge({
    name: "sluice_node_parallelism",
    help: "Parallelism of a node in the last pass that came to a decision: what it had, what was wanted and what was granted",
    labelNames: ["namespace", "policy", "node", "kind"],
    registers,
  });
  const overflow = new Counter({
    name: "sluice_series_overflow_total",
    help: `Numbers that were not shown because ${PARALLELISM_SERIES} series of sluice_node_parallelism exist already`,
    registers,
  });
  const shown = new Map<PolicyKey, Map<string, Series>>();
  let count = 0;

  const drop = (known: Map<string, Series>, name: string, series: Series) => {
    gauge.remove({ ...series });
    known.delete(name);
    count -= 1;
  };
  return {
    show({ key, namespace, name: policy }: Policy, verdicts: readonly Verdict[]) {
      const known = shown.get(key) ?? new Map<string, Series>();
      shown.set(key, known);
      const values = numbersOf(verdicts).map((one) => ({ ...one, name: `${one.kind} ${one.node}` }));
      const now = new Set(values.map((one) => one.name));
      for (const [name, series] of known) if (!now.has(name)) drop(known, name, series);
      for (const { name, node, kind, value } of values) {
        const series = known.get(name) ?? { namespace, policy, node, kind };
        if (!known.has(name) && count >= PARALLELISM_SERIES) {
          overflow.inc();
          continue;
        }
        if (!known.has(name)) count += 1;
        known.set(name, series);
        gauge.set({ ...series }, value);
      }
    },
    remove(key: PolicyKey) {
      const known = shown.get(key) ?? new Map<string, Series>();
      for (const [name, series] of known) drop(known, name, series);
      shown.delete(key);
    },
  };
}

function numbersOf(verdicts: readonly Verdict[]): { node: string; kind: Kind; value: number }[] {
  return verdicts.flatMap(({ node, current, wanted, granted }) => [
    { node, kind: "current" as const, value: current },
    ...(wanted === undefined ? [] : [{ node, kind: "wanted" as const, value: wanted }]),
    { node, kind: "granted" as const, value: granted },
  ]);
}
