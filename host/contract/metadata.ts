import { always, choice, flag, json, list, map, object, optional, text } from "./field.ts";

const duration = (description: string) =>
  text(`${description} A whole number and a unit: s, m or h.`, {
    maxLength: 16,
    pattern: "^[1-9][0-9]*(s|m|h)$",
  });

const source = object(
  "A source that the algorithm looks for.",
  {
    name: text("Name under which it is looked for, unless the config names another.", { maxLength: 63 }),
    description: text("What it should measure, and in which unit.", { maxLength: 1_024 }),
    perNode: optional(flag("Whether its samples have to say which node they belong to. Default false.")),
    optional: optional(flag("Whether the algorithm works without it. Default false.")),
  },
  { closed: true },
);

/** What a module says about itself in its custom section `sluice.algorithm`, as JSON. */
export const algorithm = object(
  "What a module says about itself in its custom section `sluice.algorithm`, as JSON.",
  {
    api: always("The contract that the module follows.", "sluice/v1"),
    name: text("Name of the algorithm: lower case letters, digits and dashes.", {
      maxLength: 63,
      pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    }),
    version: text("Version of the algorithm, such as `1.4.0` or `2.0.0-rc.1`.", {
      maxLength: 64,
      pattern: "^[0-9]+[.][0-9]+[.][0-9]+(-[0-9A-Za-z.-]+)?$",
    }),
    description: optional(text("What it does, in one sentence. Default: none.", { maxLength: 1_024 })),
    steps: list(
      "The steps that the module exports.",
      choice("Name of a step, and of the export.", ["monitor", "analyze", "plan"]),
      { minItems: 1, maxItems: 3 },
    ),
    config: optional(
      map(
        "JSON Schema of spec.algorithm.config: what does not fit is refused before the algorithm runs. Its defaults are told to readers; the algorithm applies them. Default: any object.",
        json("A keyword of JSON Schema 2020-12."),
      ),
    ),
    sources: optional(
      list("The sources that the algorithm looks for. Default: none.", source, { maxItems: 32 }),
    ),
    hosts: optional(
      list(
        "Names of hosts that the algorithm wants to ask over HTTP. Default: none.",
        text("Name of a host.", { maxLength: 253 }),
        { maxItems: 32 },
      ),
    ),
    history: optional(
      object(
        "The history that the algorithm needs. Default: none.",
        { span: duration("How far it reaches back."), every: duration("How far its entries are apart.") },
        { closed: true },
      ),
    ),
  },
  { closed: true },
);
