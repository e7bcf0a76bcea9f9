import { Fault, type Problem } from "../fault/index.ts";
import { fill, isRecord } from "./fill.ts";
import type { Parsed } from "./parse.ts";
import { inspect, type Findings } from "./rules.ts";
import { shapeOf } from "./shape.ts";

/** A resource of an API server: its name, and its spec with every default filled in. */
interface Read<Spec> {
  readonly name: string;
  readonly spec: Spec;
}

/** A reader of one kind of resource. The fault is `PolicyInvalid`, with all that is wrong. */
export function specReader<Spec>(schema: object): (object: unknown) => Parsed<Read<Spec>> {
  const shape = shapeOf(schema);
  return (object) => {
    const found: Findings = { wrong: [], notYet: [] };
    const given = isRecord(object) ? object : {};
    const metadata = isRecord(given["metadata"]) ? given["metadata"] : {};
    const filled = fill(shape.structural, given["spec"], "spec", found.wrong);
    if (isRecord(filled)) {
      found.wrong.push(...shape.problems(filled));
      inspect(schema, filled, "spec", found);
    } else found.wrong.push({ field: "spec", message: "is required" });
    const [first] = found.wrong;
    if (first !== undefined) return refused(first, found.wrong);
    return { ok: true, value: { name: String(metadata["name"]), spec: filled as Spec } };
  };
}

const refused = ({ field, message }: Problem, problems: readonly Problem[]): Parsed<never> => ({
  ok: false,
  fault: new Fault("PolicyInvalid", message, { field }),
  problems,
});
