import { Type } from "typebox";
import { egress } from "./egress.ts";
import { credentialRef, servicePort, url } from "./endpoint.ts";
import { block, choice, dnsSubdomain, duration, exactlyOne, freeForm, listBy, text } from "./field.ts";
import type { Rule } from "./field.ts";
import { memory } from "./quantity.ts";

/** What a step has where nobody asks for more. */
export const DEFAULT_LIMITS = { memory: "16Mi", time: "250ms" } as const;

const PATH = "[a-z0-9]+([._-]+[a-z0-9]+)*";
const TAG = ":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
const REFERENCE = `^oci://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/${PATH})+(${TAG})?(@.*)?$`;
const PINNED = `(${TAG}|@.*)$`;
const DIGEST = "@sha256:[0-9a-f]{64}$";

const matching = (pattern: string, message: string): Rule<string> => ({
  cel: `self.matches('${pattern}')`,
  message,
  holds: (value) => new RegExp(pattern).test(value),
});

const artifact = (description: string) =>
  text(
    `${description} \`oci://host/repository\` with a tag, a digest or both. A tag is resolved once; the digest is what runs.`,
    { maxLength: 512 },
    {
      rules: [
        matching(
          REFERENCE,
          "is not a reference: write oci://host/repository:tag or oci://host/repository@sha256:digest",
        ),
        {
          cel: `!self.matches('${REFERENCE}') || self.matches('${PINNED}')`,
          message: "names no version: add a tag, such as :1.0.0, or a digest, @sha256:...",
          holds: (value) => !new RegExp(REFERENCE).test(value) || new RegExp(PINNED).test(value),
        },
        {
          cel: `!self.contains('@') || self.matches('${DIGEST}')`,
          message:
            "the digest is not whole: write @sha256: and 64 hexadecimal digits in small letters, as push prints it",
          holds: (value) => !value.includes("@") || new RegExp(DIGEST).test(value),
        },
      ],
    },
  );

const ref = () =>
  block(
    "A reviewed algorithm by its name.",
    {
      kind: choice("Kind of the object.", ["Algorithm", "ClusterAlgorithm"], { default: "Algorithm" }),
      name: dnsSubdomain("Name of the object."),
    },
    { notYet: "name the artifact: oci://host/repository@sha256:..." },
  );

const http = () =>
  block(
    "A step that is done by an HTTP service.",
    {
      service: Type.Optional(servicePort("The Service that does the step.")),
      url: Type.Optional(url("Address that does the step; needs a grant of the Tenant.")),
      path: text(
        "Path of the request, from `/` on.",
        { maxLength: 1_024, pattern: "^/[^# ]*$" },
        { default: "/" },
      ),
      protocol: choice("What is sent and expected.", ["kta/v1alpha1", "sluice/v1"], { default: "sluice/v1" }),
      credentialRef: Type.Optional(credentialRef()),
      timeout: duration("How long the answer may take.", "100ms", "60s", { default: "5s" }),
    },
    {
      notYet: "build the step as a module and name its artifact",
      rules: [exactlyOne(["service", "url"], "name exactly one of service and url")],
    },
  );

const step = (name: string) =>
  block(
    `What does the step ${name}. Exactly one field.`,
    {
      artifact: Type.Optional(artifact(`The module that exports ${name}.`)),
      ref: Type.Optional(ref()),
      http: Type.Optional(http()),
    },
    {
      rules: [
        exactlyOne(["artifact", "ref", "http"], "name exactly one of artifact, ref and http for the step"),
      ],
    },
  );

const limits = () =>
  block(
    "Limits of one step. More than the Tenant allows is refused; what is not above the default is lowered to it.",
    {
      memory: memory("Memory of a step, in whole pages of 64Ki.", "64Ki", "64Mi", {
        default: DEFAULT_LIMITS.memory,
      }),
      time: duration("Processor time of one step.", "1ms", "2s", { default: DEFAULT_LIMITS.time }),
    },
    { default: {} },
  );

const config = freeForm(
  "What the algorithm is told: any object that fits the schema inside the algorithm, at most 32 KiB as JSON. Default {}.",
);

const STEPS = "has(self.monitor) || has(self.analyze) || has(self.plan)";
const hasSteps = (value: object) => ["monitor", "analyze", "plan"].some((name) => Object.hasOwn(value, name));

const uses = () => ({
  artifact: Type.Optional(artifact("The module for all steps that it exports.")),
  ref: Type.Optional(ref()),
  monitor: Type.Optional(step("monitor")),
  analyze: Type.Optional(step("analyze")),
  plan: Type.Optional(step("plan")),
  config: Type.Optional(config),
  egress: Type.Optional(egress),
  limits: limits(),
});

interface Uses {
  readonly plan?: unknown;
}
const RULES: readonly Rule<Uses>[] = [
  {
    cel: `[has(self.artifact), has(self.ref), ${STEPS}].filter(there, there).size() == 1`,
    message: "name exactly one of artifact (for all steps), ref, or the steps with an artifact each",
    holds: (value) =>
      [Object.hasOwn(value, "artifact"), Object.hasOwn(value, "ref"), hasSteps(value)].filter(Boolean)
        .length === 1,
  },
  {
    cel: "!(has(self.monitor) || has(self.analyze)) || has(self.plan)",
    message: "nothing plans: add plan with the artifact that exports it",
    holds: (value) => !hasSteps(value) || value.plan !== undefined,
  },
];

export const algorithm = block(
  "The algorithm: one artifact or reviewed algorithm for all steps, or one for each step.",
  {
    ...uses(),
    pullSecrets: Type.Optional(
      listBy(
        "name",
        "Secrets of the policy's namespace for the registry, at most 10; read as the policy's service account.",
        block("A Secret of type kubernetes.io/dockerconfigjson.", {
          name: dnsSubdomain("Name of the Secret."),
        }),
        { max: 10 },
      ),
    ),
  },
  { rules: RULES },
);

export const shadow = block(
  "An algorithm that runs beside the other on the same input, with a carry, limits and budgets of its own. It is recorded and compared, and never acts; it runs when nothing else needs a sandbox.",
  uses(),
  { rules: RULES },
);
