import type { Iteration } from "../host/knowledge/index.ts";
import { iterate, type Driver, type World } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { recordsStore } from "./records-store.ts";

/** What a plan wants of nodes, by their names: a number, or all that it says of one. */
export type Wants = Readonly<Record<string, number | object>>;

/** An algorithm that always wants the same. */
export function wanting(wants: Wants): World["engine"] {
  const nodes = Object.entries(wants).map(([name, want]) => [
    name,
    typeof want === "number" ? { parallelism: want } : want,
  ]);
  const plan = JSON.stringify({ nodes: Object.fromEntries(nodes) as unknown });
  const done = { carry: undefined, logs: [], cpuMs: 0, fuel: {}, journal: {}, bodies: new Map() };
  return { run: () => Promise.resolve({ answers: { plan }, ...done }) };
}

/** Passes of one policy by a clock to turn, and how often a write was about to be made. */
export function passesOf(own: Policy, driver: Driver) {
  const records = new Map<string, Iteration>();
  const clock = { nowMs: Date.now(), writes: 0 };
  /** A pass, so long after the one before. */
  const pass = (wants: Wants, afterMs = 0): Promise<Iteration> => {
    clock.nowMs += afterMs;
    return iterate(own, {
      ...{ driver, engine: wanting(wants), store: recordsStore(records) },
      clock: { now: () => new Date(clock.nowMs) },
      sources: { observe: () => Promise.resolve({}) },
      mayWrite: () => void (clock.writes += 1),
    });
  };
  return { clock, pass, records };
}
