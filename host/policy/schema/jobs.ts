import { Type } from "typebox";
import { nodeBounds } from "./bounds.ts";
import { block, choice, minUpToMax, setOf, text, whole } from "./field.ts";
import { nodeName, objectRef } from "./node.ts";

const MOST_JOBS = 10_000;

export const jobs = block(
  "Jobs that are started for work that waits; parallelism is the number of jobs that run.",
  {
    name: nodeName(),
    templateRef: objectRef(
      "The object whose pod template the jobs are made from, such as a suspended CronJob.",
    ),
    strategy: choice(
      "How jobs that run or wait already count against what is wanted.",
      ["Default", "Custom", "Accurate", "Eager"],
      { default: "Default" },
    ),
    custom: Type.Optional(
      block("The figures of the strategy Custom.", {
        deduct: whole("Jobs that are taken off what is wanted.", 0, MOST_JOBS, { default: 0 }),
        runningPercent: whole("Share of the running jobs that is taken off, in percent.", 0, 100, {
          default: 100,
        }),
      }),
    ),
    rollout: choice(
      "Whether a changed template ends the jobs that run, or lets them end by themselves.",
      ["Immediate", "Gradual"],
      { default: "Gradual" },
    ),
    history: Type.Optional(
      block("Finished jobs that are kept.", {
        succeeded: whole("Jobs that succeeded.", 0, MOST_JOBS, { default: 100 }),
        failed: whole("Jobs that failed.", 0, MOST_JOBS, { default: 100 }),
      }),
    ),
    pendingPodConditions: Type.Optional(
      setOf(
        "A job waits until a pod of it has all of these conditions; without them, until a pod of it is ready.",
        text("Type of a pod's condition, such as `PodScheduled`.", { maxLength: 316 }),
        { max: 16 },
      ),
    ),
    ...nodeBounds(),
  },
  {
    rules: [
      minUpToMax,
      {
        cel: "self.strategy != 'Custom' || has(self.custom)",
        message: "strategy Custom needs its figures: add custom with deduct and runningPercent",
        holds: ({ strategy, custom }) => strategy !== "Custom" || custom !== undefined,
      },
    ],
  },
);
