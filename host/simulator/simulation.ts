import { Fault, type FaultCode } from "../fault/index.ts";
import type { Change, ChangeOutcome, Observation } from "../knowledge/index.ts";
import type { Clock, Driver, Permit, Sources } from "../loop/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Topology } from "../topology/index.ts";
import { scaleNode, startingState, step, type AppState, type NodeState } from "./application.ts";
import { loadAt } from "./load.ts";

/** The policy that goes with the simulated application, as the YAML of a `ScalingPolicy`. */
export const SIMULATED_POLICY = new URL("./policy.yaml", import.meta.url);

/** Fine enough that a burst's first tenth of a second is seen. */
const STEP_MS = 100;
/** After a longer pause, such as a laptop's sleep, the time in between did not happen. */
const LONGEST_CATCH_UP_MS = 10 * 60 * 1_000;
/** A backlog counts as load as if it were to be worked off in this time. */
const DRAIN_SECONDS = 10;
const SOURCES = ["rates", "lag"] as const;

/** A streaming application that exists only here: it is discovered, measured and scaled like a real one. */
export interface Simulation {
  readonly driver: Driver;
  readonly sources: Sources;
  /** The application now, for tests and for display. */
  state(): AppState;
}

export interface SimulationOptions {
  readonly clock: Clock;
  /** When a simulated day began, so in the middle of a night. Default 1970: the same instant always has the same load. */
  readonly dawn?: Date;
}

const EPOCH = new Date(0);

/** Starts the application. It moves with the clock, whenever somebody looks, and needs no timer of its own. */
export function simulate({ clock, dawn = EPOCH }: SimulationOptions): Simulation {
  let state = startingState();
  let atMs = clock.now().getTime();

  const now = (): AppState => {
    const nowMs = clock.now().getTime();
    if (nowMs - atMs > LONGEST_CATCH_UP_MS) atMs = nowMs - LONGEST_CATCH_UP_MS;
    for (; atMs + STEP_MS <= nowMs; atMs += STEP_MS)
      state = step(state, STEP_MS / 1_000, loadAt((atMs - dawn.getTime()) / 1_000));
    // A clock that was set back starts a new present.
    atMs = Math.min(atMs, nowMs);
    return state;
  };

  const scaleOne = (change: Change, permit: Permit): ChangeOutcome => {
    const denied = permit();
    if (denied !== undefined) return refused(change, denied.code, denied.sentence);
    const found = now().nodes.find((one) => one.name === change.node);
    if (found === undefined)
      return refused(change, "TargetNotFound", "the simulated application has no such node");
    if (found.parallelism === change.to) return { node: change.node, outcome: "Scaled" };
    if (String(found.revision) !== change.revision) {
      return refused(change, "Conflict", `it was scaled to ${found.parallelism} in between`);
    }
    state = scaleNode(state, change.node, change.to);
    return { node: change.node, outcome: "Scaled" };
  };

  return {
    driver: {
      discover: async (policy) => topologyOf(policy, now()),
      rescaleScope: () => "node",
      order: (_, changes) => changes.map((change) => [change]),
      scale: async (_, changes, permit) => changes.map((change) => scaleOne(change, permit)),
    },
    sources: {
      observe: async (policy, at) => {
        const { nodes } = now();
        return Object.fromEntries(
          policy.sources.map(({ name }) => [name, observe(name, nodes, at.toISOString())]),
        );
      },
    },
    state: now,
  };
}

const refused = ({ node }: Change, code: FaultCode, message: string): ChangeOutcome => ({
  node,
  outcome: "Failed",
  code,
  message,
});

function topologyOf(policy: Policy, state: AppState): Topology {
  const nodes = policy.nodes.map(({ name, ref, bounds, attributes }) => {
    const found = state.nodes.find((one) => one.name === name);
    if (found === undefined) throw unknownNode(name, state);
    const { parallelism, ready, revision } = found;
    return { name, kind: ref.kind, parallelism, ready, ...bounds, attributes, revision: String(revision) };
  });
  const edges = policy.nodes.flatMap(({ name, to }) => to.map((next) => ({ from: name, to: next })));
  return { nodes, edges };
}

function unknownNode(name: string, state: AppState): Fault {
  const known = state.nodes.map((node) => node.name).join(", ");
  return new Fault("TargetNotFound", `The simulated application has no node ${name}`, {
    field: "spec.target.kubernetes.nodes",
    remedy: `Its nodes are ${known}.`,
  });
}

/** Answers as the Prometheus of a real application would: a number for each node, told by the label `operator`. */
function observe(name: string, nodes: readonly NodeState[], at: string): Observation {
  if (name !== "rates" && name !== "lag") {
    const message = `The simulated application has the sources ${SOURCES.join(" and ")}, and no ${name}`;
    return { error: { code: "SourceUnavailable", message }, at };
  }
  const value = name === "lag" ? (node: NodeState) => node.backlog : demandOf;
  return {
    series: nodes.map((node) => ({
      labels: { operator: node.name },
      node: node.name,
      value: value(node),
      at,
    })),
    at,
  };
}

/** What arrives, and what has to be worked off besides: a rate alone would leave a backlog where it is. */
const demandOf = (node: NodeState) => node.arrivalRate + node.backlog / DRAIN_SECONDS;
