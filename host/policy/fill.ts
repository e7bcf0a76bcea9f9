import type { Problem } from "../fault/index.ts";
import { FREE_FORM } from "./schema/field.ts";
import type { Structural } from "./schema/structural.ts";

/** More of an unknown name than this is not repeated in a message. */
const NAME_CHARACTERS = 64;

/**
 * The value with every default in it, as the API server would store it: a missing field takes its default, and so does a
 * null one. Names that the schema does not know are told as problems and left out.
 */
export function fill(schema: Structural, value: unknown, path: string, problems: Problem[]): unknown {
  if (schema.items !== undefined && Array.isArray(value)) {
    const { items } = schema;
    return value.map((item, at) => fill(items, item, `${path}[${at}]`, problems));
  }
  if (schema.type !== "object" || schema[FREE_FORM] === true || !isRecord(value)) return value;
  const fields = schema.properties ?? {};
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name))
      problems.push({
        field: `${path}.${shorten(name)}`,
        message: "is not a field of the resource: remove it, or correct its name",
      });
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const given = Object.hasOwn(value, name) ? value[name] : undefined;
      const preset =
        given === undefined || (given === null && field.default !== undefined) ? field.default : given;
      return preset === undefined ? [] : [[name, fill(field, preset, `${path}.${name}`, problems)]];
    }),
  );
}

/** Whether the value is an object with fields, neither null nor a list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shorten = (name: string) =>
  name.length > NAME_CHARACTERS ? `${name.slice(0, NAME_CHARACTERS)}…` : name;
