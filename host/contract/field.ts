import type {
  TArray,
  TBoolean,
  TEnum,
  TInteger,
  TLiteral,
  TNumber,
  TObject,
  TOptional,
  TProperties,
  TRecord,
  TSchema,
  TString,
  TUnknown,
} from "typebox";

/**
 * The few words in which the contract is written. They make plain JSON Schema and have TypeBox's types, so that the static
 * types follow from it; TypeBox itself is not loaded, because that takes a sandbox 100 ms of processor time before its
 * first step.
 */
const typed = (schema: object) => schema as never;

const optionals = new WeakSet<object>();

/** A field that may be left out. */
export function optional<const Schema extends TSchema>(schema: Schema): TOptional<Schema> {
  const field = { ...schema };
  optionals.add(field);
  return typed(field);
}

interface ObjectShape {
  /** What the types of the PDKs call it; what a guest reads or answers has one. */
  readonly title?: string;
  /** Whether fields that the schema does not name are refused. Default false. */
  readonly closed?: boolean;
  /** Exactly one of these sets of fields is there. */
  readonly oneOf?: readonly { readonly required: readonly string[] }[];
}

/** An object with named fields, all required but the optional ones. */
export const object = <const Fields extends TProperties>(
  description: string,
  properties: Fields,
  { title, closed = false, oneOf }: ObjectShape = {},
): TObject<Fields> => {
  const required = Object.keys(properties).filter((name) => !optionals.has(properties[name] ?? {}));
  return typed({
    type: "object",
    ...(title === undefined ? {} : { title }),
    description,
    ...(required.length === 0 ? {} : { required }),
    properties,
    ...(closed ? { additionalProperties: false } : {}),
    ...(oneOf === undefined ? {} : { oneOf }),
  });
};

/** An object whose keys are names. */
export const map = <const Value extends TSchema>(description: string, value: Value): TRecord<string, Value> =>
  typed({ type: "object", description, additionalProperties: value });

export const list = <const Item extends TSchema>(
  description: string,
  items: Item,
  size: { readonly minItems?: number; readonly maxItems?: number } = {},
): TArray<Item> => typed({ type: "array", description, items, ...size });

interface TextShape {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** A string of at least one character, unless said otherwise. */
export const text = (description: string, shape: TextShape = {}): TString =>
  typed({ type: "string", description, minLength: 1, ...shape });

/** An instant in UTC. */
export const instant = (description: string): TString =>
  typed({ type: "string", description: `${description} RFC 3339, in UTC.`, format: "date-time" });

export const whole = (description: string, minimum: number, maximum: number): TInteger =>
  typed({ type: "integer", description, minimum, maximum });

/** A whole number from 0 to the largest that JSON carries exactly. */
export const count = (description: string): TInteger => whole(description, 0, 2 ** 53 - 1);

interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** A finite number. */
export const decimal = (description: string, range: Range = {}): TNumber =>
  typed({ type: "number", description, ...range });

export const flag = (description: string): TBoolean => typed({ type: "boolean", description });

/** One of a few words. */
export const choice = <const Words extends string[]>(
  description: string,
  words: Words,
  title?: string,
): TEnum<Words> => typed({ enum: words, ...(title === undefined ? {} : { title }), description });

/** Always the same word. */
export const always = <const Word extends string>(description: string, word: Word): TLiteral<Word> =>
  typed({ const: word, description });

/** Any JSON. */
export const json = (description: string): TUnknown => typed({ description });
