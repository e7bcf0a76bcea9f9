import type { Iteration } from "../knowledge/index.ts";
import type { ScalingPolicyStatus } from "../policy/index.ts";
import { findings, settle, type Outcome } from "./conditions.ts";

/** A module that runs: what the policy named, and the digest that it was resolved to. */
export type RunningArtifact = NonNullable<ScalingPolicyStatus["algorithms"]>[number];
/** A module that was resolved, under what it does. */
interface Resolved {
  readonly step: RunningArtifact["step"];
  readonly reference: string;
  readonly digest: string;
}
/** What runs of a policy: what decides first, then what is only compared. */
export const runningOf = (live: readonly Resolved[], shadow: readonly Resolved[] = []): RunningArtifact[] => [
  ...live.map((one) => running(one, "Live")),
  ...shadow.map((one) => running(one, "Shadow")),
];
const running = ({ step, reference, digest }: Resolved, role: RunningArtifact["role"]) => ({
  step,
  role,
  artifact: reference,
  digest,
});

type NodeStatus = NonNullable<ScalingPolicyStatus["nodes"]>[number];
type LastChange = NonNullable<ScalingPolicyStatus["lastChange"]>;

/** The status after an outcome; what the outcome says nothing of stays. Pure. */
export function statusAfter(
  before: ScalingPolicyStatus,
  outcome: Outcome,
  running: readonly RunningArtifact[] | undefined,
  generation: number,
  at: string,
): ScalingPolicyStatus {
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
    const change = iteration.changes.find((one) => one.node === node);
    const isLeft = iteration.outcome === "Open" && change === undefined && granted !== current;
    const isWritten = acted && !isLeft && change?.outcome !== "Failed";
    const written = (change?.outcome === "Scaled" ? change.granted : undefined) ?? granted;
    const reason =
      change?.outcome === "Failed"
        ? change.code
        : isLeft
          ? "Open"
          : written === granted
            ? (reasons[0] ?? (iteration.outcome === "DryRun" ? "DryRun" : "AsWanted"))
            : "AdmissionChanged";
    return { name: node, parallelism: isWritten ? written : current, reason };
  });
}

/** A pass that scaled, or tried to: the others are no change. */
function changeOf(iteration: Iteration | undefined): LastChange | undefined {
  if (iteration === undefined || iteration.changes.length === 0) return undefined;
  return { id: iteration.id, at: iteration.at, outcome: iteration.outcome };
}
