import { Fault } from "../../fault/index.ts";
import type { Named, Requirements } from "../../flink/index.ts";
import type { Change } from "../../knowledge/index.ts";

/** How low a vertex may run: as low as before, or exactly at its target. */
export type LowerBound = "Kept" | "Target";

/** What is asked of a vertex now, by its id. */
export type Asked = ReadonlyMap<string, number>;

/**
 * What every vertex is to have after these changes, by its id. All are granted together or none: throws `Conflict` where a
 * vertex has neither the old number nor the new, or the job is not the one that was decided on. Pure.
 */
export function askedAfter(
  changes: readonly Change[],
  named: readonly Named[],
  asked: Asked,
  job: string,
): ReadonlyMap<string, number> {
  const after = new Map(asked);
  for (const { node, from, to, revision } of changes) {
    const found = named.find(({ name }) => name === node);
    if (found === undefined) throw conflict(`The job has no vertex for ${node} any more`);
    if (revision !== job) throw conflict(`The job was started anew since the decision, and is ${job} now`);
    const now = asked.get(found.vertex.id) ?? from;
    if (now !== from && now !== to)
      throw conflict(`Somebody set ${node} to ${now} while ${from} to ${to} was decided`);
    if (to < 1)
      throw new Fault("NotSupported", `A vertex has at least one instance, and ${node} was to have ${to}`);
    after.set(found.vertex.id, to);
  }
  return after;
}

/**
 * The bounds to ask for: every vertex of the job, the upper one its target. The lower is never raised to the target: a job
 * that cannot have its lower bounds fails, one that cannot have its upper ones runs with less. Pure.
 */
export function boundsAfter(
  now: Requirements,
  after: ReadonlyMap<string, number>,
  lowerBound: LowerBound = "Kept",
): Requirements {
  return new Map(
    [...now].map(([id, { lower, upper }]) => {
      const target = after.get(id) ?? upper;
      return [id, { lower: lowerBound === "Target" ? target : Math.min(lower, target), upper: target }];
    }),
  );
}

/** Whether two sets of bounds ask for the same. */
export const sameBounds = (one: Requirements, other: Requirements): boolean =>
  one.size === other.size &&
  [...one].every(([id, { lower, upper }]) => {
    const same = other.get(id);
    return same?.lower === lower && same.upper === upper;
  });

const conflict = (message: string) => new Fault("Conflict", message, { retry: true });
