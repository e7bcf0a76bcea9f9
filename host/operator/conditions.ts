import type { Fault } from "../fault/index.ts";
import type { Drifted, Followed, Iteration, Reason, Trouble, Verdict } from "../knowledge/index.ts";
import type { Mode, ScalingPolicyStatus } from "../policy/index.ts";
import { spellMove } from "../topology/index.ts";

/** A `metav1.Condition` before it has a time. */
export interface Finding {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}
export type ConditionType =
  | "Ready"
  | "Accepted"
  | "AlgorithmLoaded"
  | "TargetResolved"
  | "SourcesHealthy"
  | "ScalingActive"
  | "ScalingLimited"
  | "Settled"
  | "Fallback"
  | "Drifted"
  | "Paused"
  | "ShadowLoaded";

type Condition = NonNullable<ScalingPolicyStatus["conditions"]>[number];

/** What became of a policy in one go: how far it came, and what stopped it. */
export type Outcome =
  | { readonly stage: "refused"; readonly fault: Fault }
  | { readonly stage: "paused"; readonly because: string }
  | { readonly stage: "owned"; readonly fault: Fault }
  | { readonly stage: "algorithm"; readonly fault: Fault }
  | { readonly stage: "unremembered"; readonly fault: Fault }
  | {
      readonly stage: "passed";
      readonly mode: Mode;
      readonly iteration: Iteration;
      readonly stale: Fault | undefined;
      /** Why the shadow cannot be loaded; it keeps nothing from being ready. */
      readonly shadow?: Fault | undefined;
    };

/** What is to be said of a policy, `Ready` first: it sums up the others. */
export function findings(outcome: Outcome): Finding[] {
  const parts = partsOf(outcome);
  const bad = parts.find((one) => BLOCKS_READY.has(one.type) && one.status === "False");
  const dry = outcome.stage === "passed" && outcome.mode === "DryRun";
  const ready: Finding =
    bad === undefined || (dry && bad.type === "ScalingActive")
      ? { type: "Ready", status: "True", reason: "Ready", message: "Decisions are being made." }
      : { ...bad, type: "Ready" };
  return [
    outcome.stage === "paused" ? { ...ready, reason: "Paused", message: "No decisions are made." } : ready,
    ...parts,
  ];
}

const BLOCKS_READY = new Set<ConditionType>([
  "Accepted",
  "AlgorithmLoaded",
  "TargetResolved",
  "SourcesHealthy",
  "ScalingActive",
]);

function partsOf(outcome: Outcome): Finding[] {
  switch (outcome.stage) {
    case "refused":
      return [no("Accepted", outcome.fault), idle("PolicyRefused", "The policy is not acted on."), notPaused];
    case "paused":
      return [
        accepted,
        { ...yes("Paused", "Paused"), message: `${outcome.because}: no decisions are made.` },
      ];
    case "owned":
      return [accepted, no("ScalingActive", outcome.fault), notPaused];
    case "algorithm":
      return [
        accepted,
        no("AlgorithmLoaded", outcome.fault),
        idle("AlgorithmNotLoaded", "There is no algorithm to run."),
        notPaused,
      ];
    case "unremembered":
      return [accepted, no("ScalingActive", outcome.fault), notPaused];
    case "passed":
      return [
        accepted,
        loaded(outcome.stale),
        ...passFindings(outcome.mode, outcome.iteration),
        notPaused,
        ...(outcome.shadow === undefined ? [] : [no("ShadowLoaded", outcome.shadow)]),
      ];
  }
}

function passFindings(mode: Mode, iteration: Iteration): Finding[] {
  const { fault, topology } = iteration;
  if (topology === undefined && fault !== undefined) {
    return [no("TargetResolved", fault), idle(fault.code, "The target cannot be read.")];
  }
  return [
    yes("TargetResolved", "Found"),
    sourcesFinding(iteration),
    scalingFinding(mode, iteration),
    limitedFinding(iteration),
    ...settledFindings(iteration),
    ...fallbackFindings(iteration),
    ...driftFindings(iteration),
  ];
}

/** Stands only while it holds. */
function fallbackFindings({ fallback, fault }: Iteration): Finding[] {
  if (fallback !== true) return [];
  const message =
    "Every pass has failed for longer than spec.guardrails.fallback.after: its numbers are taken.";
  return [{ type: "Fallback", status: "True", reason: fault?.code ?? "PassesFail", message }];
}

/** Stands while a node is left to somebody else, and for the pass that goes on from somebody else's number. */
function driftFindings({ drifted }: Iteration): Finding[] {
  if (drifted === undefined) return [];
  const message = drifted.map(spellDrift).join("; ");
  return [{ type: "Drifted", status: "True", reason: "TargetDrifted", message }];
}

function spellDrift({ node, from, to, by, isYielded }: Drifted): string {
  const who = by === undefined ? "somebody else" : `somebody else (${by})`;
  return `${node} was scaled from ${from} to ${to} by ${who}, and ${isYielded ? "is left to them" : "is decided on from there"}`;
}

function sourcesFinding({ sources }: Iteration): Finding {
  const named = Object.entries(sources);
  const failed = named.flatMap(([name, one]) => ("error" in one ? [{ name, ...one.error }] : []));
  if (failed[0] !== undefined) {
    const message = failed.map((one) => `spec.sources[${one.name}]: ${one.message}`).join("; ");
    return { type: "SourcesHealthy", status: "False", reason: failed[0].code, message };
  }
  const empty = named.filter(([, one]) => "noData" in one).map(([name]) => name);
  if (empty.length > 0) {
    return {
      type: "SourcesHealthy",
      status: "False",
      reason: "NoData",
      message: `No data from ${empty.join(", ")}: nothing is scaled on it.`,
    };
  }
  return yes("SourcesHealthy", "Read");
}

function scalingFinding(mode: Mode, { fault, followed }: Iteration): Finding {
  // Between two tries a refusal lasts: the condition does not turn with every pass.
  const refused = followed?.find(({ state }) => state === "Refused");
  const standing = fault ?? (refused?.trouble && atNode(refused, refused.trouble));
  if (standing !== undefined) return no("ScalingActive", standing);
  return mode === "DryRun"
    ? idle("DryRun", "spec.mode is DryRun: decisions are made and not acted on.")
    : yes("ScalingActive", "Deciding");
}

/** How the changes of earlier passes stand, where the policy follows them. The one that needs help first gives the reason. */
function settledFindings({ followed }: Iteration): Finding[] {
  if (followed === undefined) return [];
  const open = followed.filter(({ state }) => state !== "Settled" && state !== "Refused");
  const worst = SETTLED_ORDER.flatMap((state) => open.filter((one) => one.state === state))[0];
  if (worst === undefined) return [yes("Settled", "Settled")];
  const reason = worst.trouble?.code ?? (worst.state === "Settling" ? "Settling" : "SettleTimeout");
  const message = open.map(spell).join("; ");
  return [{ type: "Settled", status: "False", reason, message }];
}

const SETTLED_ORDER = ["RolledBack", "Late", "Settling"] as const;
const STATES = { Settling: "on its way", Late: "late, and kept", RolledBack: "taken back" } as const;

function spell(one: Followed): string {
  const state = one.state === "Settled" || one.state === "Refused" ? "" : ` ${STATES[one.state]}`;
  const why = one.trouble === undefined ? "" : `: ${one.trouble.message}`;
  return `${one.node}: ${spellMove(one)}${state}${why}`;
}

const atNode = ({ node }: Followed, { code, message }: Trouble) => ({ code, message: `${node}: ${message}` });

/** Why a node's number or its instances were moved. */
export const reasonsOf = ({ reasons, resources }: Verdict): Reason[] => [
  ...new Set([...reasons, ...(resources?.reasons ?? [])]),
];

function limitedFinding({ decision }: Iteration): Finding {
  const moved = (decision?.verdicts ?? [])
    .map((verdict) => ({ node: verdict.node, reasons: reasonsOf(verdict) }))
    .filter(({ reasons }) => reasons.length > 0);
  const reason = moved[0]?.reasons[0];
  if (reason === undefined)
    return { type: "ScalingLimited", status: "False", reason: "WithinGuardrails", message: "" };
  // The figures stand in status.nodes; here they would rewrite the status with every pass.
  const nodes = moved.map(({ node, reasons }) => `${node}: ${reasons.join(", ")}`);
  return { type: "ScalingLimited", status: "True", reason, message: nodes.join("; ") };
}

const accepted: Finding = { type: "Accepted", status: "True", reason: "Accepted", message: "" };
const notPaused: Finding = { type: "Paused", status: "False", reason: "NotPaused", message: "" };
const yes = (type: ConditionType, reason: string): Finding => ({ type, status: "True", reason, message: "" });
const idle = (reason: string, message: string): Finding => ({
  type: "ScalingActive",
  status: "False",
  reason,
  message,
});

const loaded = (stale: Fault | undefined): Finding =>
  stale === undefined
    ? yes("AlgorithmLoaded", "Loaded")
    : {
        ...yes("AlgorithmLoaded", stale.code),
        message: `The digest in status keeps running. ${stale.sentence}`,
      };

const no = (type: ConditionType, fault: Fault | NonNullable<Iteration["fault"]>): Finding => ({
  type,
  status: "False",
  reason: fault.code,
  message: "sentence" in fault ? fault.sentence : fault.message,
});

/**
 * Findings as conditions. A condition that says the same as before, apart from figures in its message, stays as it is to
 * the letter, so that a pass that changes nothing writes nothing.
 */
export function settle(
  before: readonly Condition[],
  found: readonly Finding[],
  generation: number,
  at: string,
): Condition[] {
  return found.map((finding) => {
    const last = before.find((one) => one.type === finding.type);
    const message = finding.message.slice(0, MESSAGE_CHARACTERS);
    const same = last?.status === finding.status;
    if (
      last !== undefined &&
      same &&
      last.reason === finding.reason &&
      last.observedGeneration === generation &&
      alike(last.message, message)
    ) {
      return last;
    }
    return {
      ...finding,
      message,
      lastTransitionTime: same && last !== undefined ? last.lastTransitionTime : at,
      observedGeneration: generation,
    };
  });
}

/** Enough for a sentence or two; with eight conditions the status stays far below its 16 KiB. */
const MESSAGE_CHARACTERS = 1_024;
const alike = (one: string, other: string) =>
  one.replaceAll(/\d+(\.\d+)?/g, "#") === other.replaceAll(/\d+(\.\d+)?/g, "#");
