import { decimal, json, map, object, optional, text, whole } from "./field.ts";

/** The largest parallelism that can be meant: Kubernetes holds replicas in 32 bits. */
const LARGEST = 2 ** 31 - 1;
/** Longer waits are the policy's interval to order, not the algorithm's. */
const DAY_SECONDS = 86_400;

const carry = optional(
  json(
    "What the algorithm wants to be given in its next pass as `input.carry`: at most 16 KiB of JSON. The last step of a pass that returns one wins. Default: the carry stays as it was.",
  ),
);

/** What monitor and analyze return. */
export const stepAnswer = object(
  "What monitor and analyze return: any JSON object. The later steps of the pass are given it as `input.monitor` and `input.analyze`.",
  { carry },
  { title: "StepAnswer" },
);

const wanted = object(
  "What is wanted for one node. Exactly one of `parallelism` and `demand`.",
  {
    parallelism: optional(whole("A whole number of instances.", 0, LARGEST)),
    demand: optional(
      decimal("An unrounded number of instances: the host rounds it up.", { minimum: 0, maximum: LARGEST }),
    ),
    resources: optional(
      object(
        "What each instance should have, inside `guardrails.resources` of the policy. Default, also of each field: it stays as it is.",
        {
          cpu: optional(
            text("Processors that it requests, as a Kubernetes quantity such as `500m`.", { maxLength: 32 }),
          ),
          memory: optional(
            text(
              "Memory that it requests, as a Kubernetes quantity such as `2Gi`; the host takes whole MiB.",
              {
                maxLength: 32,
              },
            ),
          ),
          slots: optional(whole("Slots of a TaskManager.", 1, 1_024)),
        },
        { title: "Resources", closed: true },
      ),
    ),
    reason: optional(
      text("Why, in one sentence for status and events. The host cuts it at 256 characters. Default: none.", {
        minLength: 0,
      }),
    ),
  },
  { title: "Wanted", closed: true, oneOf: [{ required: ["parallelism"] }, { required: ["demand"] }] },
);

/** What plan returns. */
export const plan = object(
  "What plan returns: what is wanted. The guardrails of the policy decide what is granted.",
  {
    nodes: map("What is wanted, by the node's name. A node that is not here stays as it is.", wanted),
    recheckAfter: optional(
      decimal("Seconds until the next pass, if that is sooner. Default: the interval of the policy.", {
        exclusiveMinimum: 0,
        maximum: DAY_SECONDS,
      }),
    ),
    carry,
  },
  { title: "Plan", closed: true },
);
