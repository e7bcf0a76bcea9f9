import { durationMs } from "./duration.ts";
import type { ScalingPolicySpec as Spec } from "./object.ts";
import type { Behavior, Fallback, Guardrails, NodeRails, Scaling, Window, Zero } from "./policy.ts";
import { quantity } from "./quantity.ts";
import type { ResourceRails } from "./resources.ts";
import type { Bounds } from "./target.ts";

type BehaviorSpec = NonNullable<Spec["guardrails"]["behavior"]>;
type ScalingSpec = NonNullable<BehaviorSpec["scaleUp"]>;

/** What a HorizontalPodAutoscaler v2 has where its behavior leaves something out, as its API reference states it. */
const DEFAULTS = {
  up: {
    windowSeconds: 0,
    rates: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  },
  down: { windowSeconds: 300, rates: [{ type: "Percent", value: 100, periodSeconds: 15 }] },
} as const;

/** The guardrails of a policy, every default filled in. */
export const guardrailsOf = ({ guardrails, target, windows = [] }: Spec): Guardrails => ({
  totalMax: guardrails.total?.max,
  behavior: behaviorOf(guardrails.behavior),
  resources: resourcesOf(guardrails.resources),
  zero: zeroOf(guardrails.zero),
  windows: windows.map(windowOf),
  fallback: fallbackOf(guardrails.fallback),
  maxReversalsPerHour: guardrails.maxReversalsPerHour,
  nodes: Object.fromEntries(namedIn(target).map((node) => [node.name, railsOf(node)])),
});

/** Everything that the policy names and gives a number or a behavior of its own. */
const namedIn = ({ kubernetes, flink, kafkaStreams, jobs }: Spec["target"]) => [
  ...(kubernetes?.nodes ?? []),
  ...(flink?.nodes ?? []),
  ...(kafkaStreams?.applications ?? []),
  ...(jobs === undefined ? [] : [jobs]),
];

function railsOf({ min, max, behavior }: { min?: number; max?: number; behavior?: BehaviorSpec }): NodeRails {
  const own = behaviorOf(behavior);
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(own === undefined ? {} : { behavior: own }),
  };
}

function behaviorOf(spec: BehaviorSpec | undefined): Behavior | undefined {
  if (spec === undefined) return undefined;
  const { scaleUp, scaleDown, compat } = spec;
  return {
    up: scalingOf(scaleUp, DEFAULTS.up),
    down: scalingOf(scaleDown, DEFAULTS.down),
    arithmetic: compat === "Kubernetes" ? "Doubles" : "Exact",
    isPlain: compat === "Kubernetes" && scaleUp === undefined && scaleDown === undefined,
  };
}

function scalingOf(
  spec: ScalingSpec | undefined,
  otherwise: Pick<Scaling, "windowSeconds" | "rates">,
): Scaling {
  const { stabilizationWindowSeconds, selectPolicy = "Max", policies = [], tolerance = 0 } = spec ?? {};
  return {
    windowSeconds: stabilizationWindowSeconds ?? otherwise.windowSeconds,
    select: selectPolicy,
    rates: policies.length > 0 ? policies : otherwise.rates,
    tolerance,
  };
}

function fallbackOf(spec: Spec["guardrails"]["fallback"]): Fallback | undefined {
  if (spec === undefined) return undefined;
  const { after, behavior, parallelism, nodes = [] } = spec;
  return {
    ...{ behavior, parallelism, afterSeconds: (durationMs(after) ?? 0) / 1_000 },
    nodes: Object.fromEntries(
      nodes.map((node) => [node.name, { behavior: node.behavior, parallelism: node.parallelism }]),
    ),
  };
}

const NO_ZERO: Zero = { allowed: false, idle: 0, cooldownSeconds: 300, signals: [] };

function zeroOf(spec: Spec["guardrails"]["zero"]): Zero {
  if (spec === undefined) return NO_ZERO;
  const { allowed, idle, cooldown, signals = [] } = spec;
  return {
    ...{ allowed, idle, cooldownSeconds: (durationMs(cooldown) ?? 0) / 1_000 },
    signals,
  };
}

const windowOf = ({
  name,
  start,
  end,
  timeZone,
  bounds,
  freeze,
}: NonNullable<Spec["windows"]>[number]): Window => ({
  ...{ name, start, end, timeZone, bounds },
  isFreeze: freeze === true,
});

/** The rails of a policy's resources; undefined where it lets nobody change any. */
function resourcesOf(spec: Spec["guardrails"]["resources"]): ResourceRails | undefined {
  if (spec === undefined) return undefined;
  const { cpu, memory, slots, tolerance, cooldown } = spec;
  return {
    bounds: {
      ...(cpu === undefined ? {} : { cpu: amountsOf(cpu) }),
      ...(memory === undefined ? {} : { memory: amountsOf(memory) }),
      ...(slots === undefined ? {} : { slots }),
    },
    tolerance,
    cooldownSeconds: (durationMs(cooldown) ?? 0) / 1_000,
  };
}

// The schema has found quantities.
const amountsOf = ({ min, max }: { readonly min: string; readonly max: string }): Bounds => ({
  min: quantity(min) ?? 0,
  max: quantity(max) ?? 0,
});
