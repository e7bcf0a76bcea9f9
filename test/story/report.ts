import type { Iteration } from "../../host/knowledge/index.ts";
import type { TopologyNode } from "../../host/topology/index.ts";

/** A pass as a report reads it: one of the operator's knowledge. */
export type Pass = Pick<Iteration, "at" | "topology" | "decision" | "changes">;

/** From one instant to another, in ms since 1970. */
export interface Period {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A stretch of a story in which the load did not change. */
export interface LoadStep extends Period {
  /** It begins when the load becomes what it is, and ends when the story looks no longer. */
  readonly name: string;
  /** What each node needs, worked out by hand. */
  readonly needed: Readonly<Record<string, number>>;
  /** As many records may wait and nothing is behind: what arrives between two commits is always there. */
  readonly caughtUpAt: number;
}

/** How many records waited at an instant. */
export interface Waiting {
  readonly atMs: number;
  readonly records: number;
}

/** What one step of the load took. All of it is about the nodes of `needed`, and the time from `fromMs` to `untilMs`. */
export interface StepReport {
  readonly name: string;
  /** What each node needs, by hand. */
  readonly needed: LoadStep["needed"];
  /** Passes that changed something. */
  readonly decisions: number;
  /** Changes that led away from what is needed or past it, as `work 4 → 5`: none is what a step should have. */
  readonly astray: readonly string[];
  /** From the change of the load to the last decision; 0 where there was none. */
  readonly decidedSeconds: number;
  /** From the change of the load to the first pass from which on every node had what it needs, settled; undefined: never. */
  readonly settledSeconds: number | undefined;
  /** From the change of the load to the first look from which on no more than `caughtUpAt` waited; undefined: never, or nobody looked. */
  readonly caughtUpSeconds: number | undefined;
  /** ∫ max(0, asked for − needed) dt as a percentage of ∫ needed dt, all nodes added up: what was paid for nothing. */
  readonly overPercent: number;
  /** ∫ max(0, needed − ready) dt as a percentage of ∫ needed dt, all nodes added up: what was missing. */
  readonly underPercent: number;
  /** Time in which the application was down, by what the story says of a pass, or by its own measure. */
  readonly downSeconds: number;
}

export interface Story {
  /** In any order. */
  readonly passes: readonly Pass[];
  readonly steps: readonly LoadStep[];
  readonly waiting?: readonly Waiting[];
  /** Whether what a pass found was down; it was until the next pass. Default: `isShort`. */
  readonly isDown?: (node: TopologyNode, floor: number) => boolean;
  /** When the application was down, where that was measured apart from the passes; no two periods overlap. */
  readonly down?: readonly Period[];
}

/** Fewer serve than the fewest that were asked for since all of them did: a change took away what did not have to go. */
const isShort = ({ ready }: TopologyNode, floor: number): boolean => ready < floor;

/**
 * An application of Kafka Streams whose group has no stable generation or more threads than are asked for, or that has tasks that
 * nobody works on: what a thread had that is gone stands still until its group misses it. It is the most that it can be: a
 * thread that is about to go works on.
 */
export const isUnassigned = ({ parallelism, attributes }: TopologyNode): boolean =>
  parallelism > 0 &&
  (attributes["state"] !== "Stable" ||
    Number(attributes["members"]) > parallelism ||
    attributes["assignedTasks"] !== attributes["tasks"]);

/** What every step of a story took, from what the operator knows of its passes. */
export function reportOf(story: Story): StepReport[] {
  const seen = [...story.passes]
    .map((pass) => ({ ...pass, atMs: Date.parse(pass.at) }))
    .sort((one, other) => one.atMs - other.atMs);
  return story.steps.map((step) => stepReport(step, seen, story));
}

type Seen = Pass & { readonly atMs: number };

function stepReport(step: LoadStep, seen: readonly Seen[], story: Story) {
  const { waiting = [], isDown = isShort, down } = story;
  const inside = seen.filter(({ atMs }) => atMs >= step.fromMs && atMs < step.untilMs);
  const changed = inside.filter(({ changes }) => changes.some(({ outcome }) => outcome === "Scaled"));
  const spans = spansOf(step, seen);
  const needed = Object.values(step.needed).reduce((sum, one) => sum + one, 0);
  const share = (missing: (node: TopologyNode, needed: number) => number) =>
    (100 * integral(spans, step, missing)) / ((needed * (step.untilMs - step.fromMs)) / 1_000);
  const secondsTo = (atMs: number | undefined) => atMs && (atMs - step.fromMs) / 1_000;
  const looks = waiting.filter(({ atMs }) => atMs >= step.fromMs && atMs < step.untilMs);
  return {
    ...{ name: step.name, needed: step.needed },
    decisions: changed.length,
    astray: changed.flatMap((pass) => astray(pass, step)),
    decidedSeconds: secondsTo(changed.at(-1)?.atMs) ?? 0,
    settledSeconds: secondsTo(lastingFrom(inside, (pass) => hasSettled(pass, step))?.atMs),
    caughtUpSeconds: secondsTo(lastingFrom(looks, ({ records }) => records <= step.caughtUpAt)?.atMs),
    overPercent: share((node, enough) => Math.max(0, node.parallelism - enough)),
    underPercent: share((node, enough) => Math.max(0, enough - node.ready)),
    downSeconds: down === undefined ? downIn(spans, isDown) : secondsWithin(step, down),
  };
}

interface Span {
  readonly seconds: number;
  readonly nodes: readonly TopologyNode[];
  /** For each node the fewest that were asked for since all of them served. */
  readonly floors: ReadonlyMap<string, number>;
}

/** What passes found, each until the next that found something; at the beginning of a step that is what was found before it. */
function spansOf({ fromMs, untilMs, needed }: LoadStep, seen: readonly Seen[]): Span[] {
  const floors = new Map<string, number>();
  const found = seen.flatMap(({ atMs, topology }) => {
    if (topology === undefined) return [];
    const nodes = topology.nodes.filter(({ name }) => Object.hasOwn(needed, name));
    for (const { name, parallelism, ready } of nodes)
      floors.set(name, ready >= parallelism ? parallelism : Math.min(floors.get(name) ?? 0, parallelism));
    return [{ atMs, nodes, floors: new Map(floors) }];
  });
  return found.flatMap(({ atMs, ...what }, at) => {
    const [begin, end] = [Math.max(atMs, fromMs), Math.min(found[at + 1]?.atMs ?? untilMs, untilMs)];
    return end > begin ? [{ seconds: (end - begin) / 1_000, ...what }] : [];
  });
}

const downIn = (spans: readonly Span[], isDown: NonNullable<Story["isDown"]>): number =>
  spans
    .filter(({ nodes, floors }) => nodes.some((node) => isDown(node, floors.get(node.name) ?? 0)))
    .reduce((sum, { seconds }) => sum + seconds, 0);

const secondsWithin = ({ fromMs, untilMs }: Period, all: readonly Period[]): number =>
  all.reduce(
    (sum, one) => sum + Math.max(0, Math.min(one.untilMs, untilMs) - Math.max(one.fromMs, fromMs)) / 1_000,
    0,
  );

const integral = (
  spans: readonly Span[],
  { needed }: LoadStep,
  of: (node: TopologyNode, needed: number) => number,
): number =>
  spans.reduce(
    (sum, { seconds, nodes }) =>
      sum + seconds * nodes.reduce((all, node) => all + of(node, needed[node.name] ?? 0), 0),
    0,
  );

function astray({ decision }: Pass, { needed }: LoadStep): string[] {
  return (decision?.changes ?? []).flatMap(({ node, from, to }) => {
    const goal = needed[node];
    const leads = goal === undefined || (from < to ? to <= goal : to >= goal);
    return leads ? [] : [`${node} ${from} → ${to}`];
  });
}

const hasSettled = ({ topology }: Pass, { needed }: LoadStep): boolean =>
  topology !== undefined &&
  Object.entries(needed).every(([name, count]) => {
    const node = topology.nodes.find((one) => one.name === name);
    return node?.parallelism === count && node.ready === count && node.settled !== false;
  });

/** The first of those at the end that all are so. */
function lastingFrom<T>(all: readonly T[], so: (one: T) => boolean): T | undefined {
  const last = all.findLastIndex((one) => !so(one));
  return all[last + 1];
}

/** A line for each step, for people. */
export function reportText(title: string, steps: readonly StepReport[]): string {
  const seconds = (value: number | undefined) => (value === undefined ? "never" : `${value.toFixed(1)} s`);
  return steps
    .map(
      (one) =>
        `${title}, ${one.name}: ${one.decisions} decisions, the last after ${seconds(one.decidedSeconds)}, settled ${seconds(one.settledSeconds)}, ` +
        `caught up ${seconds(one.caughtUpSeconds)}, ${one.overPercent.toFixed(0)} % over, ${one.underPercent.toFixed(0)} % under, down ${seconds(one.downSeconds)}\n`,
    )
    .join("");
}
