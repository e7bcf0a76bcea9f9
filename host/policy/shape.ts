import { Compile } from "typebox/schema";
import { Settings } from "typebox/system";
import type { Problem } from "../fault/index.ts";
import { toStructural, type Structural } from "./schema/structural.ts";
import { spec } from "./schema/spec.ts";

/** Nobody reads more at once; without a limit a hostile list would be told entry by entry. */
export const PROBLEMS_MAX = 100;
Settings.Set({ maxErrors: PROBLEMS_MAX });

/** A schema as the API server has it, so that what never passed one gets the same answer. */
export interface Shape {
  readonly structural: Structural;
  /** What is wrong with the shape of a spec: types, ranges, lengths, patterns, missing fields. */
  problems(value: unknown): Problem[];
}

/** The shape of a spec. */
export function shapeOf(schema: object): Shape {
  const structural = toStructural(schema, "spec");
  const validator = Compile(structural);
  return { structural, problems: (value) => problemsOf(validator, value) };
}

const policy = shapeOf(spec);
export const SPEC = policy.structural;
export const shapeProblems = policy.problems;

function problemsOf(validator: ReturnType<typeof Compile>, value: unknown): Problem[] {
  if (validator.Check(value)) return [];
  return validator.Errors(value)[1].flatMap(({ keyword, instancePath, params, message }) => {
    const field = `spec${fieldPath(instancePath)}`;
    if (keyword === "required" && "requiredProperties" in params) {
      return params.requiredProperties.map((name) => ({ field: `${field}.${name}`, message: "is required" }));
    }
    if (keyword === "enum" && "allowedValues" in params) {
      return [{ field, message: `must be one of ${params.allowedValues.join(", ")}` }];
    }
    return [{ field, message }];
  });
}

/** A JSON Pointer as users write paths: `/nodes/0/name` is `.nodes[0].name`. */
const fieldPath = (pointer: string) =>
  pointer
    .split("/")
    .slice(1)
    .map((part) =>
      /^[0-9]+$/.test(part) ? `[${part}]` : `.${part.replaceAll("~1", "/").replaceAll("~0", "~")}`,
    )
    .join("");
