import type { FaultCode } from "../fault/index.ts";
import type { Iteration, Observation, Observations, ResourceVerdict, Verdict } from "../knowledge/index.ts";
import type { Mode, Policy } from "../policy/index.ts";
import { reshapeOf, spellMove } from "../topology/index.ts";

/** One node as a person sees it: what it does, what it has, what was wanted and granted, and why. */
export interface NodeView {
  readonly name: string;
  /** Records a second; undefined where no source tells. */
  readonly rate?: number;
  /** Records that wait; undefined where no source tells. */
  readonly lag?: number;
  readonly parallelism: number;
  readonly ready: number;
  /** Undefined where the algorithm left the node as it is. */
  readonly wanted?: number;
  readonly granted: number;
  /** The guardrails that moved the number, then the algorithm's own words. */
  readonly why: readonly string[];
}

export interface PolicyView {
  readonly key: string;
  readonly mode: Mode;
  /** When the last pass began, RFC 3339. */
  readonly at: string;
  readonly number: number;
  readonly outcome: string;
  /** The references of what decides. */
  readonly algorithm: string;
  readonly fault?: { readonly code: FaultCode; readonly message: string };
  /** What the shadow would have done in the last pass that it was run beside. */
  readonly shadow?: string;
  readonly nodes: readonly NodeView[];
}

/** What the console shows: the last pass of every policy. */
export interface View {
  readonly policies: readonly PolicyView[];
}

const LAG = "lag";

/** A policy, its last pass and that of its shadow as a person sees them. Pure. */
export function viewOf(policy: Policy, iteration: Iteration, shadow?: Iteration): PolicyView {
  const { at, number, outcome, fault, topology, sources, decision } = iteration;
  const verdicts = new Map(decision?.verdicts.map((verdict) => [verdict.node, verdict]));
  const rates = rateSource(sources);
  return {
    key: policy.key,
    mode: policy.mode,
    at,
    number,
    outcome,
    algorithm: policy.algorithm.artifacts.map((artifact) => artifact.reference).join(", "),
    ...(fault === undefined ? {} : { fault }),
    ...(shadow === undefined ? {} : { shadow: shadowLine(shadow) }),
    nodes: (topology?.nodes ?? []).map(({ name, parallelism, ready }) => {
      const verdict = verdicts.get(name);
      return {
        name,
        ...given("rate", sumOf(rates, name)),
        ...given("lag", sumOf(sources[LAG], name)),
        parallelism,
        ready,
        ...given("wanted", verdict?.wanted),
        granted: verdict?.granted ?? parallelism,
        why: whyOf(verdict),
      };
    }),
  };
}

/** `pass 7: split 4 instead of 3` */
function shadowLine({ number, fault, compared = [] }: Iteration): string {
  const differing = compared.filter(({ live, shadow }) => live !== shadow);
  const says = differing.map(({ node, live, shadow }) => `${node} ${shadow} instead of ${live}`);
  if (fault !== undefined) return `pass ${number}: ${fault.code}: ${fault.message}`;
  return `pass ${number}: ${says.length === 0 ? "the same" : says.join(", ")}`;
}

const whyOf = (verdict: Verdict | undefined): string[] => [
  ...(verdict?.reasons ?? []),
  ...(verdict?.resources === undefined ? [] : [shapeLine(verdict.resources)]),
  ...(verdict?.says === undefined ? [] : [verdict.says]),
];

/** `cpu 500m → 1000m`, or why nothing of it moves. */
function shapeLine({ current, granted, reasons }: ResourceVerdict): string {
  const resources = reshapeOf(current, granted);
  const said = resources === undefined ? [] : [spellMove({ from: 0, to: 0, resources })];
  return [...said, ...reasons].join(", ");
}

/** The source called `rates`, or else the first that gives numbers to nodes and is not the lag. */
function rateSource(sources: Observations): Observation | undefined {
  const others = Object.entries(sources).filter(
    ([name, seen]) => name !== LAG && samplesOf(seen).some((one) => one.node),
  );
  return sources["rates"] ?? others[0]?.[1];
}

function sumOf(seen: Observation | undefined, node: string): number | undefined {
  const values = samplesOf(seen).flatMap((sample) => (sample.node === node ? [sample.value] : []));
  return values.length === 0 ? undefined : values.reduce((all, one) => all + one, 0);
}

const samplesOf = (seen: Observation | undefined) =>
  seen !== undefined && "series" in seen ? seen.series : [];

/** A field that is there or is not: no number is never shown as a number. */
const given = <Name extends string>(name: Name, value: number | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: number };
