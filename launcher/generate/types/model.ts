/** The shape of a value of the contract, as far as a type in any language can say it. */
export type Shape =
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "map" | "list"; readonly of: Shape }
  | { readonly kind: "text" | "decimal" | "flag" | "json" }
  /** Whether it fits into 32 bits. */
  | { readonly kind: "whole"; readonly isSmall: boolean }
  | { readonly kind: "word"; readonly words: readonly string[] };

/** One field of a record. */
export interface Field {
  readonly name: string;
  readonly description: string;
  readonly isOptional: boolean;
  readonly shape: Shape;
}

/** A type with a name: a record of fields, or a choice of words. */
export type Named =
  | {
      readonly kind: "record";
      readonly name: string;
      readonly description: string;
      readonly fields: readonly Field[];
    }
  | {
      readonly kind: "choice";
      readonly name: string;
      readonly description: string;
      readonly words: readonly string[];
    };

interface Schema {
  readonly title?: string;
  readonly description: string;
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly maximum?: number;
}

/** The largest whole number that every language can hold in 32 bits. */
const SMALL = 2 ** 31 - 1;

/**
 * Every type with a name that the schemas have, each after those that it is made of. Throws for a record without a title,
 * and where two things that are not the same have one title.
 */
export function namedTypes(schemas: readonly object[]): readonly Named[] {
  const found = new Map<string, Named>();
  for (const schema of schemas) shapeOf(schema as Schema, found);
  return [...found.values()];
}

function shapeOf(schema: Schema, found: Map<string, Named>): Shape {
  if (schema.const !== undefined) return { kind: "word", words: [schema.const] };
  if (schema.enum !== undefined) return choiceOf(schema, schema.enum, found);
  if (schema.properties !== undefined) return recordOf(schema, schema.properties, found);
  if (schema.additionalProperties) return { kind: "map", of: shapeOf(schema.additionalProperties, found) };
  if (schema.items !== undefined) return { kind: "list", of: shapeOf(schema.items, found) };
  switch (schema.type) {
    case "string":
      return { kind: "text" };
    case "number":
      return { kind: "decimal" };
    case "boolean":
      return { kind: "flag" };
    case "integer":
      return { kind: "whole", isSmall: (schema.maximum ?? Infinity) <= SMALL };
    case undefined:
      return { kind: "json" };
    default:
      throw new Error(`no language has a type for ${schema.type}: ${schema.description}`);
  }
}

function choiceOf(schema: Schema, words: readonly string[], found: Map<string, Named>): Shape {
  return named({ kind: "choice", ...headOf(schema), words }, found);
}

function recordOf(schema: Schema, properties: NonNullable<Schema["properties"]>, found: Map<string, Named>) {
  const fields = Object.entries(properties).map(([name, field]) => ({
    name,
    description: field.description,
    isOptional: schema.required?.includes(name) !== true,
    shape: shapeOf(field, found),
  }));
  return named({ kind: "record", ...headOf(schema), fields }, found);
}

function headOf({ title, description }: Schema) {
  if (title === undefined) throw new Error(`a type needs a title to be named by: ${description}`);
  return { name: title, description };
}

function named(type: Named, found: Map<string, Named>): Shape {
  const known = found.get(type.name);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(type))
    throw new Error(`two different types are called ${type.name}`);
  found.set(type.name, type);
  return { kind: "named", name: type.name };
}

/** Lines of at most so many characters, broken between words. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** `alignTo` as `align_to`. */
export const snake = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `alignTo` as `AlignTo`. */
export const pascal = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
