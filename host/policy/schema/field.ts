import { Type } from "typebox";
import type { Static, TArray, TLiteral, TObject, TProperties, TSchema, TUnion } from "typebox";
import type { Problem } from "../../fault/index.ts";
import { DURATION, durationMs } from "../duration.ts";

/**
 * One sentence about a value, said twice: in CEL for the API server and in TypeScript for what never passes one. Both
 * refuse with the same message, which says what is wrong and what to write instead.
 */
export interface Rule<Value> {
  readonly cel: string;
  readonly message: string;
  /** Absent for a rule about a change: it needs the old object, which only the API server has. */
  readonly holds?: (value: Value) => boolean;
}

/** What CEL cannot say within its cost budget. Fields are relative to the value: `[0].to[1]`, or empty for itself. */
export type Check<Value> = (value: Value) => readonly Problem[];

/** What a field can have besides its shape. */
export interface Extras<Value, Default = Value> {
  readonly default?: Default;
  readonly rules?: readonly Rule<Value>[];
  readonly checks?: readonly Check<Value>[];
  /** The field has its place in the resource, but this version does not act on it: what to use instead. */
  readonly notYet?: string;
}

/** The keywords by which a schema carries its rules; `toStructural` takes them out again. */
export const RULES = "x-sluice-rules";
export const CHECKS = "x-sluice-checks";
export const NOT_YET = "x-sluice-not-yet";
export const LIST_TYPE = "x-kubernetes-list-type";
export const LIST_KEYS = "x-kubernetes-list-map-keys";
export const FREE_FORM = "x-kubernetes-preserve-unknown-fields";

const keywords = (description: string, extras: Extras<never, unknown>) => ({
  description,
  ...(extras.default === undefined ? {} : { default: extras.default }),
  ...(extras.rules === undefined ? {} : { [RULES]: extras.rules }),
  ...(extras.checks === undefined ? {} : { [CHECKS]: extras.checks }),
  ...(extras.notYet === undefined ? {} : { [NOT_YET]: extras.notYet }),
});

/** An object with named fields. */
export const block = <const Fields extends TProperties>(
  description: string,
  fields: Fields,
  extras: Extras<Static<TObject<Fields>>, object> = {},
): TObject<Fields> => Type.Object(fields, keywords(description, extras));

interface Size {
  readonly min?: number;
  readonly max: number;
}
const sized = (size: Size) => ({
  maxItems: size.max,
  ...(size.min === undefined ? {} : { minItems: size.min }),
});

/** A list of objects of which no two have the same keys: appliers own and merge its entries one by one. */
export const listBy = <Item extends TSchema>(
  keys: string | readonly string[],
  description: string,
  item: Item,
  size: Size,
  extras: Extras<Static<Item>[]> = {},
): TArray<Item> =>
  Type.Array(item, {
    ...keywords(description, extras),
    ...sized(size),
    [LIST_TYPE]: "map",
    [LIST_KEYS]: [keys].flat(),
  });

/** A list in which no value stands twice. */
export const setOf = <Item extends TSchema>(description: string, item: Item, size: Size): TArray<Item> =>
  Type.Array(item, { description, ...sized(size), [LIST_TYPE]: "set" });

/** A list that is replaced as a whole. */
export const listOf = <Item extends TSchema>(description: string, item: Item, size: Size): TArray<Item> =>
  Type.Array(item, { description, ...sized(size), [LIST_TYPE]: "atomic" });

interface TextShape {
  readonly maxLength: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}
/** A string of at most `maxLength` characters, at least one unless said otherwise. */
export const text = (description: string, shape: TextShape, extras: Extras<string> = {}) =>
  Type.String({ ...keywords(description, extras), minLength: 1, ...shape });

const DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/** A name of at most 63 characters, as namespaces and services have it. */
export const dnsLabel = (description: string, extras: Extras<string> = {}) =>
  text(description, { maxLength: 63, pattern: `^${DNS_LABEL}$` }, extras);

/** A name of at most 253 characters, as most objects have it: DNS labels with dots between them. */
export const dnsSubdomain = (description: string, extras: Extras<string> = {}) =>
  text(description, { maxLength: 253, pattern: `^${DNS_LABEL}([.]${DNS_LABEL})*$` }, extras);

/** One of a few words. */
export const choice = <const Words extends readonly string[]>(
  description: string,
  words: Words,
  extras: Extras<Words[number]> = {},
) => {
  const literals = words.map((word) => Type.Literal(word)) as {
    -readonly [At in keyof Words]: TLiteral<Words[At]>;
  };
  return Type.Union(literals, keywords(description, extras)) as TUnion<typeof literals>;
};

/** A whole number inside a range. */
export const whole = (description: string, min: number, max: number, extras: Extras<number> = {}) =>
  Type.Integer({ ...keywords(description, extras), minimum: min, maximum: max });

/** Any finite number inside a range; without one, any. */
export const decimal = (
  description: string,
  range: { min?: number; max?: number },
  extras: Extras<number> = {},
) =>
  Type.Number({
    ...keywords(description, extras),
    ...(range.min === undefined ? {} : { minimum: range.min }),
    ...(range.max === undefined ? {} : { maximum: range.max }),
  });

export const flag = (description: string, extras: Extras<boolean> = {}) =>
  Type.Boolean(keywords(description, extras));

/** An object whose fields somebody else defines. */
export const freeForm = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({ type: "object", description, [FREE_FORM]: true });

/** How long, from `least` to `most`, as a whole number and a unit. */
export function duration(description: string, least: string, most: string, extras: Extras<string> = {}) {
  const inside = (value: string) => {
    const ms = durationMs(value);
    return ms !== undefined && ms >= (durationMs(least) ?? 0) && ms <= (durationMs(most) ?? 0);
  };
  const range: Rule<string> = {
    cel: `self.matches('${DURATION}') && duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
    message: `must be a whole number and a unit (ms, s, m or h), from ${least} to ${most}, such as ${extras.default ?? most}`,
    holds: inside,
  };
  return text(description, { maxLength: 16 }, { ...extras, rules: [range, ...(extras.rules ?? [])] });
}

/** The rule that exactly one of the fields is there. */
export const exactlyOne = (names: readonly string[], message: string): Rule<object> => ({
  cel: `[${names.map((name) => `has(self.${name})`).join(", ")}].filter(there, there).size() == 1`,
  message,
  holds: (value) => names.filter((name) => Object.hasOwn(value, name)).length === 1,
});

/** The rule that `min` is not above `max`, where both are there. */
export const minUpToMax: Rule<{ min?: number; max?: number }> = {
  cel: "!has(self.min) || !has(self.max) || self.min <= self.max",
  message: "min is above max: lower min or raise max",
  holds: ({ min, max }) => min === undefined || max === undefined || min <= max,
};
