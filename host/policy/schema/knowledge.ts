import { Type } from "typebox";
import { DURATION, durationMs } from "../duration.ts";
import { block, choice, duration, whole } from "./field.ts";

const history = block(
  "What of the past the steps are offered: nothing unless it is asked for.",
  {
    span: duration("How far back.", "1s", "720h"),
    every: duration("Time from one entry to the next.", "1s", "24h"),
  },
  {
    rules: [
      {
        // A text that is no duration has a message of its own; here it would end the rule with an error.
        cel: `![self.span, self.every].all(one, one.matches('${DURATION}')) || duration(self.every) <= duration(self.span)`,
        message: "every is longer than span: lower every, or raise span",
        holds: ({ span, every }) => (durationMs(every) ?? 0) <= (durationMs(span) ?? Infinity),
      },
    ],
  },
);

/** A row has about 3 KB: at 10,000 policies that all keep the most, the file is what a volume can hold. */
const KEPT_MAX = 10_000;

export const knowledge = block(
  "What is remembered of past passes.",
  {
    keep: whole(`Iterations that are kept, at most ${KEPT_MAX}; the oldest is dropped first.`, 1, KEPT_MAX, {
      default: 200,
    }),
    history: Type.Optional(history),
  },
  { default: {} },
);

export const ownership = block(
  "What happens when somebody else scales the target, and when the policy is deleted.",
  {
    onDrift: choice(
      "When somebody else sets another number: the next decision goes on from it, or the node is left to the other until the spec changes, the algorithm wants that very number, or the annotation sluice.dev/take-back is `true`.",
      ["Correct", "Yield"],
      { default: "Correct" },
    ),
    onDelete: choice(
      "Keep what runs, or restore what ran before the policy first wrote; then the policy has a finalizer, and stays until that is done or was tried often enough.",
      ["Keep", "Restore"],
      { default: "Keep" },
    ),
  },
  { default: {} },
);
