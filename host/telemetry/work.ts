import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Iteration } from "../knowledge/index.ts";

/** Work that the operator has before it. */
export interface QueueFigures {
  readonly ready: number;
  readonly delayed: number;
  readonly inWork: number;
  /** How long the key that is ready longest has waited. */
  readonly oldestSeconds: number;
}

/** A copy of the cluster's objects of one kind. */
export interface InformerFigures {
  readonly kind: string;
  readonly objects: number;
  /** Since the server last said anything. */
  readonly silentSeconds: number;
  readonly lists: number;
  readonly failures: number;
  /** Changes that no watch told and a later list showed. */
  readonly missed: number;
}

/** The parts that replicas share the policies in. */
interface ShardFigures {
  readonly held: number;
  readonly all: number;
}

/** How the operator stands, looked at whenever somebody asks for the metrics. */
export interface Figures {
  readonly queue: QueueFigures;
  readonly informers: readonly InformerFigures[];
  /** Undefined where one replica has all policies. */
  readonly shards: ShardFigures | undefined;
}

/** A pass is a few milliseconds late when nothing is to do, and seconds when there is too much. */
const LATE_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
/** Of the network: milliseconds, and 10 s where it times out. */
const WAIT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A step may burn 50 M by default and 400 M at the most. */
const FUEL = [1e4, 1e5, 5e5, 1e6, 5e6, 1e7, 5e7, 1e8, 4e8];

/** What passes wait for and what they use, in the same registry as the rest. */
export function workTelemetry(registry: Registry) {
  const registers = [registry];
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram<Label>({ name, help, buckets, labelNames, registers });
  const late = histogram(
    "sluice_pass_lateness_seconds",
    "How long after it was due a pass began",
    LATE_SECONDS,
  );
  const waits = histogram(
    "sluice_wait_seconds",
    "Time that passes waited for the world, by what they waited for",
    WAIT_SECONDS,
    ["for"],
  );
  const fuel = histogram("sluice_step_fuel", "Fuel that a step burned, by step", FUEL, ["step"]);
  const rescales = new Counter({
    name: "sluice_rescales_total",
    help: "Nodes that were scaled, by direction; resources is as many instances with other resources",
    labelNames: ["direction"],
    registers,
  });
  for (const direction of ["up", "down", "resources"]) rescales.inc({ direction }, 0);
  const done = histogram(
    "sluice_decision_seconds",
    "Time from a decision to when all of it was written",
    WAIT_SECONDS,
  );
  return {
    late: (seconds: number) => late.observe(seconds),
    waited: (what: "discover" | "sources" | "engine" | "effects" | "store" | "scale", seconds: number) =>
      waits.observe({ for: what }, seconds),
    observe({ fuel: burned = {}, changes, decision, at }: Iteration, now: Date) {
      for (const [step, units] of Object.entries(burned)) fuel.observe({ step }, units);
      const scaled = changes.filter(({ outcome }) => outcome === "Scaled").map(({ node }) => node);
      for (const { node, from, to } of decision?.changes ?? [])
        if (scaled.includes(node))
          rescales.inc({ direction: to > from ? "up" : to < from ? "down" : "resources" });
      if (scaled.length > 0) done.observe((now.getTime() - Date.parse(at)) / 1_000);
    },
    follow: (figures: () => Figures) => {
      gauges(registry, figures);
      shardGauges(registry, figures);
    },
  };
}

/** The shards of the policies, where replicas share them. */
function shardGauges(registry: Registry, figures: () => Figures): void {
  const gauge = (name: string, help: string, of: (shards: ShardFigures) => number) =>
    registry.registerMetric(
      new Gauge({
        ...{ name, help, registers: [] },
        collect() {
          const { shards } = figures();
          this.set(shards === undefined ? 0 : of(shards));
        },
      }),
    );
  gauge(
    "sluice_shards",
    "Parts that replicas share the policies in, 0 where one replica has all",
    ({ all }) => all,
  );
  gauge("sluice_shards_held", "Parts whose lease this replica holds", ({ held }) => held);
}

function gauges(registry: Registry, figures: () => Figures): void {
  const nameOf = (group: string, field: string) =>
    `sluice_${group}_${field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  for (const [field, help] of Object.entries(QUEUE)) {
    const gauge = new Gauge({
      ...{ name: nameOf("queue", field), help, registers: [] },
      collect() {
        this.set(figures().queue[field as keyof QueueFigures]);
      },
    });
    registry.registerMetric(gauge);
  }
  for (const [field, help] of Object.entries(INFORMER)) {
    const gauge = new Gauge({
      ...{ name: nameOf("informer", field), help, registers: [], labelNames: ["kind"] },
      collect() {
        this.reset();
        for (const one of figures().informers)
          this.set({ kind: one.kind }, one[field as keyof Omit<InformerFigures, "kind">]);
      },
    });
    registry.registerMetric(gauge);
  }
}

const QUEUE: Readonly<Record<keyof QueueFigures, string>> = {
  ready: "Policies that wait for their turn",
  delayed: "Policies that are not due yet",
  inWork: "Policies that are worked on",
  oldestSeconds: "How long the policy that is ready longest has waited",
};
const INFORMER: Readonly<Record<keyof Omit<InformerFigures, "kind">, string>> = {
  objects: "Objects that are held",
  silentSeconds: "Time since the API server last said anything",
  lists: "Complete lists",
  failures: "Failures that were survived",
  missed: "Changes that no watch told and a later list showed",
};
