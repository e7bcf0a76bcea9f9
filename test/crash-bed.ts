import { Fault } from "../host/fault/index.ts";
import type { Iteration } from "../host/knowledge/index.ts";
import { iterate, type Driver, type World } from "../host/loop/index.ts";
import type { Policy } from "../host/policy/index.ts";
import { wanting, type Wants } from "./passes.ts";
import { recordsStore } from "./records-store.ts";

/** One application that a decision is to be carried out on, and what it came to. */
export interface Scene {
  readonly policy: Policy;
  readonly driver: Driver;
  /** What is wanted all the time. */
  readonly wants: Wants;
}

/** What became of a decision whose operator died once. */
export interface Aftermath {
  /** Every pass that was remembered, in order. */
  readonly passes: readonly Iteration[];
  /** How often a write was permitted, to the one that died and to its successor together. */
  readonly permitted: number;
  /** Whether the operator lived to the end: there is no such step. */
  readonly survived: boolean;
}

const PASSES = 150;

/**
 * Lets an operator die at its nth step and another go on from what it had remembered, until nothing is left to be done. Steps
 * are all that others could see of it: before a write is made, before something is remembered, and after.
 */
export async function diesAt(step: number, scene: Scene): Promise<Aftermath> {
  const records = new Map<string, Iteration>();
  let permitted = 0;
  const first = mortal(
    worldOf(scene, records, () => (permitted += 1)),
    step,
  );
  await Promise.race([iterate(scene.policy, first.world), first.died]);
  const survived = !first.isDead();
  const successor = worldOf(scene, records, () => (permitted += 1));
  for (let pass = 0; pass < PASSES; pass += 1) {
    const { outcome, decision, fault } = await iterate(scene.policy, successor);
    const isQuiet = outcome === "Unchanged" && decision?.changes.length === 0 && fault === undefined;
    if (isQuiet) return { passes: [...records.values()], permitted, survived };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const last = [...records.values()].at(-1);
  throw new Error(`after ${PASSES} passes: ${last?.outcome} ${last?.fault?.message}`);
}

function worldOf({ driver, wants }: Scene, records: Map<string, Iteration>, onPermit: () => void): World {
  return {
    ...{ driver, engine: wanting(wants), store: recordsStore(records) },
    clock: { now: () => new Date() },
    sources: { observe: () => Promise.resolve({}) },
    mayWrite: () => void onPermit(),
  };
}

/** The world of an operator that dies at a step: from then on it writes nothing, and nothing that it does ever ends. */
function mortal(world: World, at: number) {
  const { promise: died, resolve: die } = Promise.withResolvers<undefined>();
  const never = new Promise<never>(() => undefined);
  let steps = 0;
  let isDead = false;
  const ends = () => {
    steps += 1;
    if (steps >= at) {
      isDead = true;
      die(undefined);
    }
    return isDead;
  };
  const { store } = world;
  return {
    died,
    isDead: () => isDead,
    world: {
      ...world,
      mayWrite: (policy) => (ends() ? new Fault("NotLeader", "it is dead") : world.mayWrite?.(policy)),
      store: {
        recall: (policy) => store.recall(policy),
        remember: async (policy, pass) => {
          if (ends()) return never;
          await store.remember(policy, pass);
          return ends() ? never : undefined;
        },
      },
    } satisfies World,
  };
}
