import type { Iteration } from "../../host/knowledge/index.ts";
import { iterate, type Driver, type PassInput, type Sources, type World } from "../../host/loop/index.ts";
import type { Policy } from "../../host/policy/index.ts";
import { recordsStore } from "../records-store.ts";

/** What an algorithm plans, as JSON text. */
export type Planner = (input: PassInput) => Promise<string> | string;

/** Wants so many of the node `count`. */
export const wanting = (parallelism: number): Planner => {
  const plan = JSON.stringify({ nodes: { count: { parallelism } } });
  return () => plan;
};

/** Passes over one application in memory, 15 s apart by a clock of their own, and every number that was written. */
export function passesOf(driver: Driver, sources: Sources = { observe: async () => ({}) }) {
  const records = new Map<string, Iteration>();
  const clock = { nowMs: Date.now(), now: () => new Date(clock.nowMs) };
  const writes: number[] = [];
  const counted: Driver = {
    ...driver,
    scale(policy, changes, permit) {
      writes.push(...changes.map(({ to }) => to));
      return driver.scale(policy, changes, permit);
    },
  };
  const pass = (policy: Policy, planner: Planner) => {
    const done = { carry: undefined, logs: [], cpuMs: 0, fuel: {}, journal: {}, bodies: new Map() };
    const world: World = {
      ...{ clock, driver: counted, store: recordsStore(records), sources },
      engine: { run: async (_policy, input) => ({ answers: { plan: await planner(input) }, ...done }) },
    };
    clock.nowMs += 15_000;
    return iterate(policy, world);
  };
  return { pass, writes };
}
