// What a HorizontalPodAutoscaler v2 is told, as the guardrails have it.
import type { Moment } from "../host/knowledge/index.ts";
import type { Behavior, Rate, Scaling } from "../host/policy/index.ts";

export interface Rules {
  readonly policies: readonly Rate[];
  readonly selectPolicy: Scaling["select"];
  readonly stabilizationWindowSeconds?: number;
}
export interface Aged {
  readonly ageSeconds: number;
  readonly replicas?: number;
  readonly change?: number;
}
/** Any moment will do: ages are what counts. */
export const NOW = 10_000_000;
/** What a controller has for a window that is not set. */
const WINDOW_SECONDS = 300;

export const moments = (aged: readonly Aged[] = []): Moment[] =>
  aged.map(({ ageSeconds, replicas, change }) => [NOW - ageSeconds * 1_000, replicas ?? change ?? 0]);
export const scaling = (rules: Rules | undefined, windowSeconds: number): Scaling => ({
  windowSeconds: rules?.stabilizationWindowSeconds ?? windowSeconds,
  select: rules?.selectPolicy ?? "Max",
  rates: rules?.policies ?? [],
  tolerance: 0,
});
export const behavior = (up: Rules | undefined, down: Rules | undefined): Behavior => ({
  up: scaling(up, 0),
  down: scaling(down, WINDOW_SECONDS),
  arithmetic: "Doubles",
  isPlain: false,
});
const REASONS = {
  UpByRate: "ScaleUpLimit",
  DownByRate: "ScaleDownLimit",
  Most: "TooManyReplicas",
  Least: "TooFewReplicas",
} as const;
export const reasonOf = (limited: keyof typeof REASONS | undefined) =>
  limited === undefined ? "DesiredWithinRange" : REASONS[limited];
