import { asFault, Fault } from "../fault/index.ts";
import type { Iteration, ShadowOutcome } from "../knowledge/index.ts";
import type { Policy, PolicyKey } from "../policy/index.ts";
import { NOT_RUN, shadowed, shadowOf } from "./shadow.ts";
import type { Engine, PassInput, World } from "./world.ts";

/** What shadows need of the world. */
export interface ShadowWorld<Artifact> {
  /** Runs passes on what is to spare, and none at the price of a live one. */
  readonly engine: Engine;
  readonly store: World["store"];
  /** Makes a shadow's algorithm ready; it throws the fault that keeps it from being so. */
  readonly load: (shadow: Policy) => Promise<readonly Artifact[]>;
  /** Drops all that is known of a shadow. */
  readonly forget: (key: PolicyKey) => Promise<void>;
  /** Told what came of the shadow of a policy, once for each live pass. */
  readonly observe: (policy: Policy, outcome: ShadowOutcome, shadow: Iteration | Fault) => void;
}

/** How the shadow of a policy stands. */
export interface ShadowStanding<Artifact> {
  /** What it runs; none before it was loaded. */
  readonly artifacts: readonly Artifact[];
  /** Why it cannot be loaded. */
  readonly fault: Fault | undefined;
  /** Its last pass. */
  readonly last: Iteration | undefined;
}

/**
 * Runs the shadows of policies beside their passes: after a live pass has been decided, remembered and executed, on what that
 * was shown, and never so that anybody waits for it. A policy has one pass of its shadow at a time.
 */
export class Shadows<Artifact> {
  readonly #world: ShadowWorld<Artifact>;
  readonly #shown = new Map<PolicyKey, PassInput>();
  readonly #standings = new Map<PolicyKey, ShadowStanding<Artifact>>();
  readonly #running = new Map<PolicyKey, Promise<void>>();

  constructor(world: ShadowWorld<Artifact>) {
    this.#world = world;
  }

  /** The same engine; what it shows to algorithms that have a shadow is kept for that. */
  beside(engine: Engine): Engine {
    return {
      run: (policy, input) => {
        if (policy.shadow !== undefined) this.#shown.set(policy.key, input);
        return engine.run(policy, input);
      },
    };
  }

  /** Begins the shadow's pass beside a live one that is over, and returns at once. */
  begin(policy: Policy, live: Iteration): void {
    const shadow = shadowOf(policy);
    const input = this.#shown.get(policy.key);
    this.#shown.delete(policy.key);
    if (shadow === undefined) {
      // What cannot be dropped now is dropped with the policy.
      if (this.#standings.has(policy.key)) this.forget(policy.key).catch(() => undefined);
      return;
    }
    const skip = (why: string) =>
      this.#world.observe(policy, "Skipped", new Fault("EngineBusy", why, { retry: true }));
    if (live.outcome === "Failed" || live.decision === undefined || input === undefined)
      return skip("The live pass failed");
    if (this.#running.has(policy.key)) return skip("The shadow's last pass is still under way");
    const { decision } = live;
    const run = this.#run(policy, async () => shadowed(shadow, input, decision, this.#world), shadow);
    this.#running.set(
      policy.key,
      run.finally(() => this.#running.delete(policy.key)),
    );
  }

  /** How the shadow of a policy stands; undefined for one without. */
  of(key: PolicyKey): ShadowStanding<Artifact> | undefined {
    return this.#standings.get(key);
  }

  /** Drops all that is known of the shadow of a policy. */
  async forget(key: PolicyKey): Promise<void> {
    this.#shown.delete(key);
    this.#standings.delete(key);
    await this.#running.get(key);
    this.#standings.delete(key);
    await this.#world.forget(key);
  }

  /** Ends when no pass of a shadow is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(policy: Policy, pass: () => Promise<Iteration>, shadow: Policy): Promise<void> {
    const { load, observe } = this.#world;
    const { artifacts = [], last } = this.#standings.get(policy.key) ?? {};
    const stand = (change: Partial<ShadowStanding<Artifact>>) =>
      this.#standings.set(policy.key, { artifacts, last, fault: undefined, ...change });
    let loaded: readonly Artifact[];
    try {
      loaded = await load(shadow);
    } catch (thrown) {
      const fault = asFault(thrown);
      if (NOT_RUN.has(fault.code)) return observe(policy, "Skipped", fault);
      stand({ fault });
      return observe(policy, "NotLoaded", fault);
    }
    stand({ artifacts: loaded });
    try {
      const done = await pass();
      stand({ artifacts: loaded, last: done });
      observe(policy, outcomeOf(done), done);
    } catch (thrown) {
      const fault = asFault(thrown);
      observe(policy, NOT_RUN.has(fault.code) ? "Skipped" : "Failed", fault);
    }
  }
}

function outcomeOf({ compared }: Iteration): ShadowOutcome {
  if (compared === undefined) return "Failed";
  return compared.every(({ live, shadow }) => live === shadow) ? "Agreed" : "Differed";
}
