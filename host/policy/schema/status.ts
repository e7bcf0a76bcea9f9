import { Type } from "typebox";
import { block, choice, dnsLabel, freeForm, listBy, text, whole } from "./field.ts";
import { NODES_MAX } from "./node.ts";

/** Replicas of a target that nobody bounded can be as many. */
const INT32_MAX = 2_147_483_647;
const INT64_MAX = Number.MAX_SAFE_INTEGER;
const time = (description: string) =>
  text(`${description} RFC 3339.`, { maxLength: 64, format: "date-time" });

const condition = block("One statement about the policy.", {
  type: text("What the statement is about, such as Ready.", {
    maxLength: 316,
    pattern: "^[A-Za-z][A-Za-z0-9]*$",
  }),
  status: choice("Whether it holds.", ["True", "False", "Unknown"]),
  reason: text("The fault's code, or another word for programs.", {
    maxLength: 1_024,
    pattern: "^[A-Za-z][A-Za-z0-9]*$",
  }),
  message: text("A sentence for people. May be empty.", { minLength: 0, maxLength: 32_768 }),
  lastTransitionTime: time("When `status` last changed."),
  observedGeneration: Type.Optional(whole("The generation of the policy that it was said of.", 0, INT64_MAX)),
});

const algorithmInUse = block("One module that is loaded.", {
  step: choice("The step that it does.", ["all", "monitor", "analyze", "plan"]),
  role: choice("Whether it decides (Live) or is only compared (Shadow).", ["Live", "Shadow"], {
    default: "Live",
  }),
  artifact: text("The reference as the policy names it.", { maxLength: 512 }),
  digest: text("The digest that runs.", { maxLength: 71, pattern: "^sha256:[0-9a-f]{64}$" }),
  verifiedBy: Type.Optional(text("Who signed it, where signatures are required.", { maxLength: 512 })),
});

const nodeStatus = block("One node as of the last decision.", {
  name: dnsLabel("Name of the node."),
  parallelism: whole("Its parallelism after the last decision.", 0, INT32_MAX),
  reason: Type.Optional(
    text("Why it has that: AsWanted, or what moved it.", { minLength: 0, maxLength: 1_024 }),
  ),
});

const lastChange = block("The last decision that changed something.", {
  id: text("Id of the iteration in knowledge.", { maxLength: 253 }),
  at: time("When it was decided."),
  outcome: text("What became of it, such as Scaled.", { maxLength: 63, pattern: "^[A-Z][A-Za-z]*$" }),
});

/** What the operator says of a policy. It is written only when something in it changes. */
export const status = block(
  "What the operator says of the policy. Nothing in it changes in a pass that changes nothing.",
  {
    observedGeneration: Type.Optional(
      whole("The generation of the policy that the status is about.", 0, INT64_MAX),
    ),
    conditions: Type.Optional(
      listBy("type", "Statements about the policy; Ready sums up the others.", condition, { max: 16 }),
    ),
    algorithms: Type.Optional(
      listBy(["step", "role"], "The modules that are loaded.", algorithmInUse, { max: 8 }),
    ),
    nodes: Type.Optional(
      listBy("name", "The nodes as of the last decision.", nodeStatus, { max: NODES_MAX }),
    ),
    lastChange: Type.Optional(lastChange),
    checkpoint: Type.Optional(
      freeForm(
        "What another operator needs to go on safely, at most 8 KiB; its shape is the operator's own.",
      ),
    ),
  },
);
