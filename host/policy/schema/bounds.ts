import { Type } from "typebox";
import { block, choice, decimal, listOf, minUpToMax, whole } from "./field.ts";

/** The most that Flink allows; no other kind of target comes near it. */
export const PARALLELISM_MAX = 32_768;

/** A node's own bounds: each wins over `guardrails.bounds`. */
export const nodeBounds = () => ({
  min: Type.Optional(
    whole("Least parallelism of this node; wins over guardrails.bounds.min.", 0, PARALLELISM_MAX),
  ),
  max: Type.Optional(
    whole("Most parallelism of this node; wins over guardrails.bounds.max.", 1, PARALLELISM_MAX),
  ),
});

/** Bounds for all nodes that have none of their own. */
export const bounds = (description: string, extras: { default?: object } = {}) =>
  block(
    description,
    {
      min: whole(
        "Least parallelism. 0 lets a node that stands at 0 stay there; a node that runs is never stopped altogether.",
        0,
        PARALLELISM_MAX,
        { default: 1 },
      ),
      max: whole("Most parallelism.", 1, PARALLELISM_MAX, { default: 32 }),
    },
    { ...extras, rules: [minUpToMax] },
  );

const scaling = (direction: string) =>
  block(`How fast nodes may scale ${direction}.`, {
    stabilizationWindowSeconds: Type.Optional(
      whole(
        "Seconds of past recommendations that are looked back on, so that noise moves nothing.",
        0,
        3_600,
      ),
    ),
    selectPolicy: choice(
      "Which of several rates counts: the one that allows the most, the least, or none at all.",
      ["Max", "Min", "Disabled"],
      { default: "Max" },
    ),
    policies: Type.Optional(
      listOf(
        "Rates of change, at most 10.",
        block("A rate: so much within so many seconds.", {
          type: choice("Whether `value` is units of parallelism (Pods) or percent of what runs.", [
            "Pods",
            "Percent",
          ]),
          value: whole("How much may change within the period.", 1, 1_000_000),
          periodSeconds: whole("Length of the period, in seconds.", 1, 1_800),
        }),
        { max: 10 },
      ),
    ),
    tolerance: Type.Optional(
      decimal("Share by which demand may differ before anything moves, 0 to 1.", { min: 0, max: 1 }),
    ),
  });

/** Rates and stabilisation, in the shape that a HorizontalPodAutoscaler v2 has them. */
export const behavior = () =>
  block(
    "Rates and stabilisation, in the shape of HorizontalPodAutoscaler v2; `Pods` means units of parallelism.",
    {
      scaleUp: Type.Optional(scaling("up")),
      scaleDown: Type.Optional(scaling("down")),
      compat: Type.Optional(
        choice(
          "Kubernetes: with the HorizontalPodAutoscaler's own rounding of percents, which for 10 % of 100 makes 111; without scaleUp and scaleDown, its limits for a missing behavior.",
          ["Kubernetes"],
        ),
      ),
    },
  );
