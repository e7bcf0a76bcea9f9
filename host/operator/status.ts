import type { Iteration } from "../knowledge/index.ts";
import { findings, settle, type Condition, type Outcome } from "./conditions.ts";

/** What stands in a policy's status. Nothing in it changes with a pass that changes nothing. */
export interface PolicyStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly algorithms?: readonly RunningArtifact[];
  readonly nodes?: readonly NodeStatus[];
  readonly lastChange?: LastChange;
}

/** A module that runs: what the policy named, and the digest that it was resolved to. */
export interface RunningArtifact {
  readonly step: "monitor" | "analyze" | "plan" | "all";
  readonly role: "Live";
  readonly artifact: string;
  readonly digest: string;
}

interface NodeStatus {
  readonly name: string;
  readonly parallelism: number;
  readonly reason: string;
}

interface LastChange {
  readonly id: string;
  readonly at: string;
  readonly outcome: string;
}

/** The status after an outcome; what the outcome says nothing of stays. Pure. */
export function statusAfter(
  before: Partial<PolicyStatus>,
  outcome: Outcome,
  running: readonly RunningArtifact[] | undefined,
  generation: number,
  at: string,
): PolicyStatus {
  const conditions = settle(before.conditions ?? [], findings(outcome), generation, at);
  const iteration = outcome.stage === "passed" ? outcome.iteration : undefined;
  const algorithms = running ?? before.algorithms;
  const nodes = nodesOf(iteration) ?? before.nodes;
  const lastChange = changeOf(iteration) ?? before.lastChange;
  return {
    observedGeneration: generation,
    conditions,
    ...(algorithms === undefined ? {} : { algorithms }),
    ...(nodes === undefined ? {} : { nodes }),
    ...(lastChange === undefined ? {} : { lastChange }),
  };
}

function nodesOf(iteration: Iteration | undefined): NodeStatus[] | undefined {
  const acted = iteration?.outcome !== "DryRun";
  return iteration?.decision?.verdicts.map(({ node, current, granted, reasons }) => {
    const failed = iteration.changes.find((change) => change.node === node && change.outcome === "Failed");
    const parallelism = acted && failed === undefined ? granted : current;
    const reason =
      failed?.outcome === "Failed"
        ? failed.code
        : (reasons[0] ?? (iteration.outcome === "DryRun" ? "DryRun" : "AsWanted"));
    return { name: node, parallelism, reason };
  });
}

/** A pass that scaled, or tried to: the others are no change. */
function changeOf(iteration: Iteration | undefined): LastChange | undefined {
  if (iteration === undefined || iteration.changes.length === 0) return undefined;
  return { id: iteration.id, at: iteration.at, outcome: iteration.outcome };
}
